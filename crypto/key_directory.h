// SPDX-License-Identifier: Apache-2.0
// Which key belongs to which address: look up, assign at first need (one pair per address, however many ask at once), and the outbox of
// notifications that an assignment owes. Everything of one address lies in one Redis slot; every entry carries a MAC.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/email_address.h"
#include "base/log.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/wrapper.h"
#include "conf/settings.h"
#include "crypto/key_record.h"
#include "crypto/key_vault.h"

namespace sealpost {

/// On whose behalf a pair is assigned; the notification names the sender's authorised address.
struct Introduction {
  std::string account;
  std::string sender;  ///< addr-spec
};

struct Assignment {
  KeyRecord key;
  bool assigned = false;  ///< true for the one caller whose request made the pair
};

/// A notification that is due: written by the same script that assigned the pair, so that no crash loses it.
struct OutboxRow {
  std::string address;  ///< as the sender spelled it
  std::string fingerprint;
  Introduction introduction;
  std::string row_id;  ///< unique per row: makes the notice's put idempotent
};

class KeyDirectory final {
 public:
  KeyDirectory(redis::Client& redis, Wrapper& wrapper, KeyVault& vault, const Clock& clock, Random& random,
               KeysSettings settings, Log& log);

  /// NotFound is no error here: nothing for an address without a pair (an expired interim one counts as none).
  /// Permanent when the stored entry fails its MAC.
  Result<std::optional<KeyRecord>> find(const EmailAddress& address);
  /// In order; one round trip per shard at most.
  Result<std::vector<std::optional<KeyRecord>>> find_all(const std::vector<EmailAddress>& addresses);
  /// Finds, or assigns from the pool, or generates. The outbox row is due 60 s later unless release_notification comes first.
  Result<Assignment> find_or_assign(const EmailAddress& address, const Introduction& introduction);
  /// Pairs ready in the pool.
  Result<std::size_t> stock();

  /// Makes the notification due now (the message that caused it is durable).
  Status release_notification(const EmailAddress& address);
  /// Orders a new notification to an address that has a pair; false when one was ordered within the last day or three were sent today.
  Result<bool> order_notification(const EmailAddress& address, const Introduction& introduction);
  /// Takes up to `max` due rows for one minute; a row that is not settled by then is due again.
  Result<std::vector<OutboxRow>> claim_outbox(std::size_t max);
  /// Removes a row whose notice is durable in the queue.
  Status settle_outbox(const OutboxRow& row);

  /// Records the first pickup of a pair.
  Status mark_picked_up(const std::string& address_key, const std::string& fingerprint);
  /// All pairs that the address ever had, newest first.
  Result<std::vector<KeyRecord>> history(const std::string& address_key);

 private:
  redis::Client& redis_;
  Wrapper& wrapper_;
  KeyVault& vault_;
  const Clock& clock_;
  Random& random_;
  KeysSettings settings_;
  Log& log_;
};

}  // namespace sealpost
