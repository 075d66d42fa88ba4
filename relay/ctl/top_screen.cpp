// SPDX-License-Identifier: Apache-2.0
// Implements top_screen.h.
#include "relay/ctl/top_screen.h"

#include <algorithm>

#include "base/time_text.h"
#include "relay/ctl/output.h"

namespace sealpost::ctl {
namespace {

std::string right(const std::string& text, std::size_t width) {
  return text.size() >= width ? text : std::string(width - text.size(), ' ') + text;
}
std::string left(const std::string& text, std::size_t width) {
  return text.size() >= width ? text.substr(0, width) : text + std::string(width - text.size(), ' ');
}
std::string number(std::size_t value, std::size_t width) { return right(std::to_string(value), width); }
std::string rate(double per_minute, std::size_t width) { return right(decimal_text(per_minute), width); }
std::string age(const std::optional<Time>& since, Time now) {
  return since ? age_text(std::chrono::duration_cast<std::chrono::seconds>(now - *since).count()) : "-";
}

/// Items beside each other, none broken: those that do not fit go on the next line.
void add_items(std::vector<std::string>& lines, std::string line, const std::vector<std::string>& items,
               std::size_t columns) {
  bool empty = line.empty();
  for (const auto& item : items) {
    const std::string gap = empty ? "" : line.ends_with(':') ? " " : "   ";
    if (!empty && line.size() + gap.size() + item.size() > columns) {
      lines.push_back(std::move(line));
      line = "  " + item;
    } else {
      line += gap + item;
    }
    empty = false;
  }
  lines.push_back(std::move(line));
}

/// Names take a quarter of the line: the numbers and the beginning of an error have room behind them.
std::size_t name_width(std::size_t columns) { return std::clamp<std::size_t>(columns / 4, 16, 40); }

std::string destination_line(const DestinationSummary& row, Time now, std::size_t columns) {
  return left(row.domain, name_width(columns)) + number(row.queued, 8) + number(row.sending, 8) +
         number(row.deferred, 9) + number(row.held, 6) + right(age(row.oldest, now), 8) +
         rate(row.delivered_per_minute, 8) + "  " + (row.last_error.empty() ? "-" : row.last_error);
}

}  // namespace

std::vector<std::string> top_screen(const QueueSummary& summary, Time now, ScreenSize size) {
  const std::string time = to_rfc3339(now);
  std::vector<std::string> lines = {"sealpost " + time.substr(0, time.find('.')) +
                                    "Z   oldest waiting: " + age(summary.oldest, now)};
  std::vector<std::string> states;
  for (const auto& [state, count] : summary.states) {
    states.push_back(std::string(to_text(state)) + " " + std::to_string(count));
  }
  add_items(lines, {}, states, size.columns);
  const QueueRates& rates = summary.rates;
  add_items(lines, "per minute:",
            {"accepted " + decimal_text(rates.accepted), "delivered " + decimal_text(rates.delivered),
             "deferred " + decimal_text(rates.deferred), "bounced " + decimal_text(rates.bounced)},
            size.columns);
  std::vector<std::string> ages;
  for (std::size_t i = 0; i < age_names.size(); ++i) {
    ages.push_back((i + 1 < age_names.size() ? "<" : "") + std::string(age_names.at(i)) + " " +
                   std::to_string(summary.ages.at(i)));
  }
  add_items(lines, "waiting by age:", ages, size.columns);
  if (summary.keys) {
    const auto& [pool, pickups, certificates] = *summary.keys;
    add_items(lines, "key pairs:",
              {std::to_string(pool.ready) + " of " + std::to_string(pool.wanted) + " ready",
               "not picked up " + std::to_string(pickups.waiting),
               "certificates ending " + std::to_string(certificates.ending) + ", ended " +
                   std::to_string(certificates.ended)},
              size.columns);
  }
  lines.emplace_back();
  lines.push_back(left("DESTINATION", name_width(size.columns)) + right("QUEUED", 8) + right("SENDING", 8) +
                  right("DEFERRED", 9) + right("HELD", 6) + right("OLDEST", 8) + right("PER MIN", 8) + "  LAST ERROR");
  for (const auto& row : summary.destinations) lines.push_back(destination_line(row, now, size.columns));
  if (lines.size() >= size.rows) lines.resize(size.rows - 1);
  for (auto& line : lines) line = printable(line).substr(0, size.columns);
  return lines;
}

}  // namespace sealpost::ctl
