// SPDX-License-Identifier: Apache-2.0
// Implements hmac.h.
#include "base/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdlib>

namespace sealpost {

std::string hmac_sha256(std::string_view key, std::string_view data) {
  std::string result(32, '\0');
  unsigned length = 0;
  const auto* done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(data.data()),
           data.size(), reinterpret_cast<unsigned char*>(result.data()), &length);
  if (done == nullptr || length != result.size()) std::abort();
  return result;
}

}  // namespace sealpost
