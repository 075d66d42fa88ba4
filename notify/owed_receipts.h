// SPDX-License-Identifier: Apache-2.0
// Receipts that a recipient is owed: noted before a private key is destroyed, until the receipt's mail is durable.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/wrapper.h"

namespace sealpost {

class OwedReceipts final {
 public:
  OwedReceipts(redis::Client& redis, Wrapper& wrapper) : redis_(redis), wrapper_(wrapper) {}

  Status add(const std::string& address, const std::string& fingerprint, Time destroyed);
  /// When the key was destroyed; nothing when no receipt is owed. What we never stored counts as nothing.
  Result<std::optional<Time>> find(const std::string& address, const std::string& fingerprint);
  /// Fingerprints of the address's pairs whose receipts are owed.
  Result<std::vector<std::string>> all(const std::string& address);
  Status settle(const std::string& address, const std::string& fingerprint);

 private:
  [[nodiscard]] std::string key(const std::string& address) const;
  [[nodiscard]] std::string mac(const std::string& address, const std::string& fingerprint,
                                const std::string& time) const;

  redis::Client& redis_;
  Wrapper& wrapper_;
};

}  // namespace sealpost
