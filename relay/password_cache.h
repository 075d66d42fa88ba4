// SPDX-License-Identifier: Apache-2.0
// Remembers verified passwords for minutes, as keyed hashes under a key of this process, so that a busy sender does not pay PBKDF2 at each login.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/random.h"
#include "base/secret.h"
#include "relay/scram.h"

namespace sealpost {

class PasswordCache final {
 public:
  explicit PasswordCache(Random& random) : key_(random.secret(32)) {}

  /// True when this password was verified for this very verifier lately; a changed password has another verifier and misses.
  bool knows(const std::string& name, const ScramVerifier& verifier, const Secret& password);
  void remember(const std::string& name, const ScramVerifier& verifier, const Secret& password);

 private:
  [[nodiscard]] std::string digest(const std::string& name, const ScramVerifier& verifier,
                                   const Secret& password) const;

  Secret key_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::chrono::steady_clock::time_point> until_;
};

}  // namespace sealpost
