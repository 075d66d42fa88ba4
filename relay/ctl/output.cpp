// SPDX-License-Identifier: Apache-2.0
// Implements output.h.
#include "relay/ctl/output.h"

#include <Poco/JSON/Stringifier.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>

#include "base/encoding.h"

namespace sealpost::ctl {

std::string printable(std::string_view text) { return without_controls(text, '?'); }

namespace {

/// Characters, of UTF-8; one that takes two places, or none, counts as one.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char octet) { return (octet & '\xc0') != '\x80'; }));
}

/// The first characters of a text that is longer, the last of them a sign of that.
std::string cut_to(const std::string& text, std::size_t width) {
  if (width_of(text) <= width) return text;
  std::size_t end = 0;
  for (std::size_t seen = 0; end < text.size(); ++end) {
    if ((text[end] & '\xc0') != '\x80' && ++seen == width) break;
  }
  return text.substr(0, end) + "…";
}

}  // namespace

std::optional<ScreenSize> terminal_size() {
  struct winsize size {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return std::nullopt;
  return ScreenSize{size.ws_row, size.ws_col};
}

void print_table(std::ostream& out, const std::vector<std::string>& header,
                 const std::vector<std::vector<std::string>>& rows, const std::optional<ScreenSize>& terminal) {
  std::vector<std::size_t> widths;
  widths.reserve(header.size());
  for (const auto& name : header) widths.push_back(width_of(name));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::size_t before = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) before += widths[i] + 2;
  // Where nothing is left for the last column, lines are broken by the terminal.
  constexpr std::size_t least = 10;
  const bool cuts = terminal && terminal->columns >= before + least;
  const auto print = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      out << printable(row[i]) << std::string(widths[i] - width_of(row[i]) + 2, ' ');
    }
    if (!row.empty()) out << (cuts ? cut_to(printable(row.back()), terminal->columns - before) : printable(row.back()));
    out << '\n';
  };
  print(header);
  for (const auto& row : rows) print(row);
}

void print_json(std::ostream& out, const Poco::Dynamic::Var& value) {
  Poco::JSON::Stringifier::stringify(value, out, 2);
  out << '\n';
}

Poco::JSON::Object outcome(const std::string& key, const std::string& value, const std::string& deed) {
  Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set(key, value);
  object.set(deed, true);
  return object;
}

void draw_progress(std::ostream& err, std::size_t done, std::size_t total) {
  if (isatty(STDERR_FILENO) != 1) return;
  constexpr std::size_t width = 40;
  const std::size_t filled = total == 0 ? width : width * done / total;
  err << '\r' << '[' << std::string(filled, '#') << std::string(width - filled, ' ') << "] " << done << '/' << total
      << (done == total ? "\n" : "") << std::flush;
}

}  // namespace sealpost::ctl
