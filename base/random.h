// SPDX-License-Identifier: Apache-2.0
// Unpredictable octets, passed in so that tests can repeat them.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/secret.h"

namespace sealpost {

class Random {
 public:
  virtual ~Random() = default;
  /// Fills the whole span. A generator that cannot deliver ends the process: nothing may go on with predictable octets.
  virtual void fill(std::span<unsigned char> out) = 0;

  std::string octets(std::size_t count);
  Secret secret(std::size_t count);
};

/// OpenSSL's CSPRNG.
class SystemRandom final : public Random {
 public:
  void fill(std::span<unsigned char> out) override;
};

}  // namespace sealpost
