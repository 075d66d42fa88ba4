// SPDX-License-Identifier: Apache-2.0
// Which key belongs to which address: look up, and assign at first need (one pair per address, however many ask at
// once) together with the notification that this owes. What becomes of a pair later is KeyLife's. Everything of one
// address lies in one Redis slot; every entry carries a MAC.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/audit_trail.h"
#include "base/clock.h"
#include "base/email_address.h"
#include "base/log.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/wrapper.h"
#include "conf/settings.h"
#include "crypto/address_entries.h"
#include "crypto/address_locks.h"
#include "crypto/key_outbox.h"
#include "crypto/key_record.h"
#include "crypto/key_vault.h"

namespace sealpost {

/// How many pairs beyond the pool's stock one transaction may have generated for it: very many new recipients at once
/// must not stall.
inline constexpr std::size_t generated_per_transaction = 8;

struct Assignment {
  KeyRecord key;
  bool assigned = false;    ///< true for the one caller whose request made the pair
  std::string row_id = {};  ///< of the notification that this owes (OutboxRow); empty when not assigned
};

class KeyDirectory final {
 public:
  KeyDirectory(redis::Client& redis, Wrapper& wrapper, KeyVault& vault, AuditTrail& audit, const Clock& clock,
               Random& random, KeysSettings settings, Log& log, RecipientDomains domains = {});

  /// NotFound is no error here: nothing for an address without a pair (one whose use is KeyUse::Assign counts as none).
  /// Permanent when the stored entry fails its MAC.
  Result<std::optional<KeyRecord>> find(const EmailAddress& address);
  /// In order; one round trip per shard at most.
  Result<std::vector<std::optional<KeyRecord>>> find_all(const std::vector<EmailAddress>& addresses);
  /// Finds, or assigns from the pool, or generates. The outbox row is due 60 s later unless release_notification comes
  /// first.
  Result<Assignment> find_or_assign(const EmailAddress& address, const Introduction& introduction);
  /// KeyVault::stock_for.
  Result<std::optional<std::size_t>> stock(const EmailAddress& address);

  /// Makes the notification due now (the message that caused it is durable).
  Status release_notification(const EmailAddress& address);
  /// The message that caused the notification was refused: nothing is owed any more, unless the notification was
  /// released for another.
  Status cancel_notification(const EmailAddress& address);
  /// The notification that waits for the address is released; whether it fell due by it, or nothing when none waits.
  Result<std::optional<bool>> release_waiting(const EmailAddress& address) { return outbox_.release_waiting(address); }
  /// Orders a new notification to an address that has a pair, or releases the one that waits; false when nothing fell
  /// due by it: one was ordered within the last day, or three were sent today.
  Result<bool> order_notification(const EmailAddress& address, const Introduction& introduction);
  /// Takes up to `max` due rows for one minute; a row that is not settled by then is due again.
  Result<std::vector<OutboxRow>> claim_outbox(std::size_t max);
  /// Removes a row whose notice is durable in the queue.
  Status settle_outbox(const OutboxRow& row);

  /// All pairs of the address that are remembered: the current one, then the others, newest first.
  Result<std::vector<KeyRecord>> history(const std::string& address_key);
  /// A pair of the address as a PKCS#12 file; see KeyVault::export_pkcs12 for the password. NotFound for a pair that
  /// the address never had or whose private key was destroyed.
  Result<Pkcs12File> export_pkcs12(const std::string& address_key, const std::string& fingerprint, Pkcs12Format format,
                                   std::optional<Secret> password);

 private:
  struct Seen;
  Result<Seen> look_up(const std::string& address_key);
  Result<Seen> read_current(const std::string& address_key, const redis::ReplyView& reply);
  Result<std::optional<Assignment>> try_assign(const EmailAddress& address, const Introduction& introduction,
                                               const Seen& seen);
  Result<bool> store(const KeyRecord& record, const BoundPair& pair, const Seen& seen, const Introduction& introduction,
                     const NewNotification& row);
  [[nodiscard]] KeyRecord new_record(const EmailAddress& address, const BoundPair& pair) const;

  redis::Client& redis_;
  Wrapper& wrapper_;
  KeyVault& vault_;
  AuditTrail& audit_;
  const Clock& clock_;
  KeysSettings settings_;
  Log& log_;
  RecipientDomains domains_;
  AddressEntries entries_;
  KeyOutbox outbox_;
  AddressLocks assigning_;
};

}  // namespace sealpost
