// SPDX-License-Identifier: Apache-2.0
// SMTP replies: code, enhanced code (RFC 3463) and text, as octets for the wire.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sealpost::smtp {

struct Reply {
  int code = 250;
  std::string_view enhanced;  ///< empty for greeting and EHLO
  std::string text;

  [[nodiscard]] std::string line() const {
    return std::to_string(code) + " " + (enhanced.empty() ? "" : std::string(enhanced) + " ") + text + "\r\n";
  }
};

/// A reply of several lines (RFC 5321 section 4.2.1), without enhanced codes.
std::string multi_line(int code, const std::vector<std::string>& lines);

}  // namespace sealpost::smtp
