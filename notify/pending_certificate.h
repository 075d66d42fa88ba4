// SPDX-License-Identifier: Apache-2.0
// Certificates of recipients' own that wait for the code from the mail that was sealed to them: one per address, for a
// day. Codes are stored as HMACs only.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/wrapper.h"
#include "crypto/key_life.h"

namespace sealpost {

struct PendingCertificate {
  OwnPair pair;
  Time until{};           ///< from then on it is forgotten
  std::string proof;      ///< hex MAC of the code that it waits for: names this upload, and tells nothing
  std::string link;       ///< id of the link that it came by: no other one takes its code
  unsigned attempts = 0;  ///< wrong codes so far
};

class PendingCertificates final {
 public:
  static constexpr std::chrono::hours lifetime{24};
  /// Wrong codes after which it is forgotten.
  static constexpr unsigned max_attempts = 5;
  /// Uploads of an address in a day: each one sends a mail.
  static constexpr unsigned max_uploads = 5;

  PendingCertificates(redis::Client& redis, Wrapper& wrapper) : redis_(redis), wrapper_(wrapper) {}

  /// Counts an upload; false when there were too many today.
  Result<bool> take_upload(const std::string& address);
  /// Takes the place of one that waited before.
  Result<PendingCertificate> add(const std::string& address, const OwnPair& pair, const std::string& link,
                                 const Secret& code, Time now);
  /// What waits; nothing when nothing does. Permanent when Redis holds what we never stored.
  Result<std::optional<PendingCertificate>> find(const std::string& address);

  struct Attempt {
    bool correct = false;
    unsigned left = 0;  ///< 0 and not correct: it was forgotten
  };
  /// Counts the attempt, then compares. NotFound when nothing waits.
  Result<Attempt> try_code(const std::string& address, const PendingCertificate& pending, const Secret& code);
  Status remove(const std::string& address);

 private:
  [[nodiscard]] std::string key(const std::string& address, std::string_view kind) const;
  [[nodiscard]] std::string code_mac(const std::string& address, const OwnPair& pair, const Secret& code) const;
  [[nodiscard]] std::string row_mac(const std::string& address, const PendingCertificate& pending) const;

  redis::Client& redis_;
  Wrapper& wrapper_;
};

}  // namespace sealpost
