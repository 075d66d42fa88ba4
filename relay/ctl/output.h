// SPDX-License-Identifier: Apache-2.0
// How listings are printed: aligned columns for people, JSON for programs.
#pragma once

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sealpost::ctl {

/// What a terminal has room for.
struct ScreenSize {
  std::size_t rows = 24;
  std::size_t columns = 80;
};
/// That of standard output; nothing when it is no terminal.
std::optional<ScreenSize> terminal_size();

/// Rows under a header, columns as wide as their longest value; control characters shown as '?'. On a terminal of so
/// many columns the last column ends with the line.
void print_table(std::ostream& out, const std::vector<std::string>& header,
                 const std::vector<std::vector<std::string>>& rows,
                 const std::optional<ScreenSize>& terminal = terminal_size());
/// Control characters shown as '?': a remote server's reply must not move the operator's cursor.
std::string printable(std::string_view text);
/// Indented JSON and a line end.
void print_json(std::ostream& out, const Poco::Dynamic::Var& value);
/// {"name": "crm", "removed": true}: what an action was done to, and which it was.
Poco::JSON::Object outcome(const std::string& key, const std::string& value, const std::string& deed);
/// A bar that is redrawn in place when standard error is a terminal, nothing elsewhere; the last one is `total` of
/// `total`.
void draw_progress(std::ostream& err, std::size_t done, std::size_t total);

}  // namespace sealpost::ctl
