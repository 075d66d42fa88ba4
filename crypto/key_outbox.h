// SPDX-License-Identifier: Apache-2.0
// The notifications that the directory owes: written by the script that assigned the pair, so that no crash loses one,
// and taken by whoever sends them. At most one row per address waits; limits per address hold here, over all accounts
// and nodes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/email_address.h"
#include "base/log.h"
#include "base/random.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/wrapper.h"

namespace sealpost {

/// On whose behalf a pair is assigned; the notification names the sender's authorised address.
struct Introduction {
  std::string account;
  std::string sender;  ///< addr-spec
};

/// A notification that is due.
struct OutboxRow {
  std::string address;  ///< as the sender spelled it
  std::string fingerprint;
  Introduction introduction;
  std::string row_id;  ///< unique per row: makes the notice's put idempotent
};

/// A row as a script stores it.
struct NewNotification {
  std::string row_id;
  std::string octets;
};

/// How long a notification waits for the message that caused it; after a crash it goes out then.
inline constexpr std::chrono::seconds notification_delay{60};

/// Notifications that are owed and did not go out yet.
Result<std::size_t> notifications_owed(redis::Client& redis);

class KeyOutbox final {
 public:
  KeyOutbox(redis::Client& redis, Wrapper& wrapper, const Clock& clock, Random& random, Log& log)
      : redis_(redis), wrapper_(wrapper), clock_(clock), random_(random), log_(log) {}

  /// For the directory's assign script.
  NewNotification prepare(const EmailAddress& address, const std::string& fingerprint,
                          const Introduction& introduction);
  /// The next five are KeyDirectory's operations of like names.
  Status release(const EmailAddress& address);
  Status cancel(const EmailAddress& address);
  Result<std::optional<bool>> release_waiting(const EmailAddress& address);
  Result<bool> order(const EmailAddress& address, const std::string& fingerprint, const Introduction& introduction);
  Result<std::vector<OutboxRow>> claim(std::size_t max);
  Status settle(const OutboxRow& row);

 private:
  Result<std::int64_t> run_order(const EmailAddress& address, const std::string& row_id, const std::string& row);
  Result<std::vector<std::string>> shards_with_due_rows();
  Status claim_from(const std::string& prefix, std::size_t max, std::vector<OutboxRow>& rows);
  Result<OutboxRow> decode(std::string_view octets);

  redis::Client& redis_;
  Wrapper& wrapper_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
};

}  // namespace sealpost
