// SPDX-License-Identifier: Apache-2.0
// notify.max_new_per_account: how many new addresses one account may cause to be notified in a period, counted in Redis
// over all nodes.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "conf/settings.h"

namespace sealpost {

class NewAddressRate final {
 public:
  NewAddressRate(redis::Client& redis, const Clock& clock, Rate limit) : redis_(redis), clock_(clock), limit_(limit) {}

  /// False when the account has used its number up in this period, and not for this address.
  Result<bool> allows(const std::string& account, const std::string& address_key);
  /// Counts those of the addresses (directory keys) that were not counted yet, so that many first mails to one address
  /// count once; false, and nothing counted, when they would exceed the limit.
  Result<bool> take(const std::string& account, const std::vector<std::string>& address_keys);

 private:
  [[nodiscard]] std::string key(const std::string& account) const;
  redis::Client& redis_;
  const Clock& clock_;
  Rate limit_;
};

}  // namespace sealpost
