// SPDX-License-Identifier: Apache-2.0
// Implements random.h.
#include "base/random.h"

#include <openssl/rand.h>

#include <cstdlib>

namespace sealpost {

std::string Random::octets(std::size_t count) {
  std::string result(count, '\0');
  fill({reinterpret_cast<unsigned char*>(result.data()), result.size()});
  return result;
}

Secret Random::secret(std::size_t count) {
  WipedBuffer result(count);
  fill({reinterpret_cast<unsigned char*>(result.data()), result.size()});
  return Secret(std::move(result));
}

void SystemRandom::fill(std::span<unsigned char> out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) std::abort();
}

}  // namespace sealpost
