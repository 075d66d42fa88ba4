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

std::string destination_line(const DestinationSummary& row, Time now) {
  return left(row.domain, 28) + number(row.queued, 9) + number(row.sending, 9) + number(row.deferred, 9) +
         number(row.held, 7) + right(age(row.oldest, now), 9) + rate(row.delivered_per_minute, 9) + "  " +
         (row.last_error.empty() ? "-" : row.last_error);
}

}  // namespace

std::vector<std::string> top_screen(const QueueSummary& summary, Time now, ScreenSize size) {
  const std::string time = to_rfc3339(now);
  std::vector<std::string> lines = {"sealpost " + time.substr(0, time.find('.')) +
                                    "Z   oldest waiting: " + age(summary.oldest, now)};
  std::string states;
  for (const auto& [state, count] : summary.states) {
    states += (states.empty() ? "" : "   ") + std::string(to_text(state)) + " " + std::to_string(count);
  }
  lines.push_back(states);
  lines.push_back("per minute: accepted" + rate(summary.rates.accepted, 9) + "   delivered" +
                  rate(summary.rates.delivered, 9) + "   deferred" + rate(summary.rates.deferred, 9) + "   bounced" +
                  rate(summary.rates.bounced, 9));
  std::string ages = "waiting by age:";
  for (std::size_t i = 0; i < age_names.size(); ++i) {
    ages += std::string("   ") + (i + 1 < age_names.size() ? "<" : "") + age_names.at(i) + " " +
            std::to_string(summary.ages.at(i));
  }
  lines.push_back(ages);
  if (summary.keys) {
    const auto& [pool, pickups, certificates] = *summary.keys;
    lines.push_back("key pairs: " + std::to_string(pool.ready) + " of " + std::to_string(pool.wanted) +
                    " ready   not picked up " + std::to_string(pickups.waiting) + "   certificates ending " +
                    std::to_string(certificates.ending) + ", ended " + std::to_string(certificates.ended));
  }
  lines.emplace_back();
  lines.push_back(left("DESTINATION", 28) + right("QUEUED", 9) + right("SENDING", 9) + right("DEFERRED", 9) +
                  right("HELD", 7) + right("OLDEST", 9) + right("PER MIN", 9) + "  LAST ERROR");
  for (const auto& row : summary.destinations) {
    if (lines.size() + 1 >= size.rows) break;
    lines.push_back(destination_line(row, now));
  }
  for (auto& line : lines) line = printable(line).substr(0, size.columns);
  return lines;
}

}  // namespace sealpost::ctl
