// SPDX-License-Identifier: Apache-2.0
// Implements openssl.h.
#include "base/openssl.h"

#include <openssl/err.h>

#include <array>

namespace sealpost {

std::string openssl_errors() {
  std::string line;
  std::array<char, 256> text{};
  while (const unsigned long code = ERR_get_error()) {
    ERR_error_string_n(code, text.data(), text.size());
    line += (line.empty() ? "" : "; ") + std::string(text.data());
  }
  return line;
}

bool openssl_lacked_memory() { return ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE; }

}  // namespace sealpost
