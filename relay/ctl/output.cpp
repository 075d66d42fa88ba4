// SPDX-License-Identifier: Apache-2.0
// Implements output.h.
#include "relay/ctl/output.h"

#include <Poco/JSON/Stringifier.h>
#include <unistd.h>

#include <algorithm>
#include <iomanip>
#include <ostream>

#include "base/encoding.h"

namespace sealpost::ctl {

std::string printable(std::string_view text) { return without_controls(text, '?'); }

void print_table(std::ostream& out, const std::vector<std::string>& header,
                 const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  widths.reserve(header.size());
  for (const auto& name : header) widths.push_back(name.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  const auto print = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      out << std::left << std::setw(static_cast<int>(widths[i])) << printable(row[i]) << "  ";
    }
    if (!row.empty()) out << printable(row.back());
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
