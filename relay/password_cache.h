// SPDX-License-Identifier: Apache-2.0
// Remembers verified passwords for minutes, as keyed hashes under a key of this process, so that a busy sender does not
// pay PBKDF2 at each login.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/random.h"
#include "base/secret.h"
#include "relay/scram.h"

namespace sealpost {

class PasswordCache final {
 public:
  PasswordCache(Random& random, const Clock& clock) : key_(random.secret(32)), clock_(clock) {}

  /// True when this password was verified for this very verifier lately; a changed password has another verifier and
  /// misses.
  bool knows(const std::string& name, const ScramVerifier& verifier, const Secret& password);
  void remember(const std::string& name, const ScramVerifier& verifier, const Secret& password);

 private:
  [[nodiscard]] std::string digest(const std::string& name, const ScramVerifier& verifier,
                                   const Secret& password) const;

  Secret key_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Time> until_;
};

}  // namespace sealpost
