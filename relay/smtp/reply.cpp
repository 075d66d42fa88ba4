// SPDX-License-Identifier: Apache-2.0
// Implements reply.h.
#include "relay/smtp/reply.h"

namespace sealpost::smtp {

std::string multi_line(int code, const std::vector<std::string>& lines) {
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    out += std::to_string(code) + (i + 1 < lines.size() ? "-" : " ") + lines[i] + "\r\n";
  }
  return out;
}

}  // namespace sealpost::smtp
