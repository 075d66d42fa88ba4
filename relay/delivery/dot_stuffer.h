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
    // By dots, not by lines: base64 has none.
    for (auto dot = octets.find('.'); dot != std::string_view::npos; dot = octets.find('.')) {
      out += take(octets, dot);
      if (line_start_) out += '.';
      out += take(octets, 1);
    }
    out += take(octets, octets.size());
    return out;
  }
  std::string finish() { return line_start_ ? ".\r\n" : "\r\n.\r\n"; }

 private:
  std::string_view take(std::string_view& octets, std::size_t count) {
    const auto taken = octets.substr(0, count);
    if (!taken.empty()) line_start_ = taken.back() == '\n';
    octets.remove_prefix(taken.size());
    return taken;
  }

  bool line_start_ = true;
};

}  // namespace sealpost
