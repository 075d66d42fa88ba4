// SPDX-License-Identifier: Apache-2.0
// Makes message octets fit for DATA (RFC 5321 section 4.5.2): doubles a dot at the beginning of a line and ends with
// CRLF.CRLF.
#pragma once

#include <string>
#include <string_view>

namespace sealpost {

class DotStuffer final {
 public:
  /// Pieces may be cut anywhere, also between CR and LF.
  std::string update(std::string_view octets) {
    std::string out;
    out.reserve(octets.size() + 16);
    while (!octets.empty()) {
      if (line_start_ && octets.front() == '.') out += '.';
      const auto end = octets.find('\n');
      const auto line = octets.substr(0, end == std::string_view::npos ? end : end + 1);
      out += line;
      line_start_ = end != std::string_view::npos;
      octets.remove_prefix(line.size());
    }
    return out;
  }
  std::string finish() { return line_start_ ? ".\r\n" : "\r\n.\r\n"; }

 private:
  bool line_start_ = true;
};

}  // namespace sealpost
