// SPDX-License-Identifier: Apache-2.0
// What becomes of an address's pairs after they were assigned: picked up, kept, replaced, forgotten, revoked. Each
// change is one atomic script together with its entry in the audit trail; which change is allowed says the table of
// key_record.h.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/audit_trail.h"
#include "base/clock.h"
#include "base/email_address.h"
#include "base/log.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/wrapper.h"
#include "crypto/address_entries.h"
#include "crypto/key_record.h"
#include "crypto/revoked_certificates.h"

namespace sealpost {

/// Why a change was not made.
enum class KeyChangeFault {
  NoSuchPair,    ///< the address never had it
  NotCurrent,    ///< another pair took its place
  NoPrivateKey,  ///< the server holds none: it was forgotten, or it is a certificate of the recipient's own
  Revoked,       ///< the operator revoked it
  InUse,         ///< the address has, or had, this very certificate
  Failed         ///< the store, or an altered entry
};
struct KeyChangeFailure {
  KeyChangeFault fault;
  Error error;
};

/// Who makes a change, as the audit trail names them.
inline constexpr std::string_view actor_recipient = "recipient";
inline constexpr std::string_view actor_operator = "operator";
inline constexpr std::string_view actor_relay = "relay";

/// A certificate of the recipient's own that has been judged already (own_certificate.h).
struct OwnPair {
  std::string certificate;  ///< DER
  std::string fingerprint;
  Time not_after{};
};

class KeyLife final {
 public:
  KeyLife(redis::Client& redis, Wrapper& wrapper, const Clock& clock, AuditTrail& audit, Log& log)
      : redis_(redis), wrapper_(wrapper), clock_(clock), audit_(audit), entries_(redis, wrapper, log) {}

  /// Whether a change could be made now, and to which pair; changes nothing. Without a fingerprint: the current one.
  Result<KeyRecord, KeyChangeFailure> may(KeyChange change, const std::string& address_key,
                                          std::string_view fingerprint);

  /// Records the first pickup of a pair; later ones change nothing.
  Result<KeyRecord, KeyChangeFailure> mark_picked_up(const std::string& address_key, std::string_view fingerprint);
  /// Interim becomes permanent: it does not expire any more.
  Result<KeyRecord, KeyChangeFailure> keep(const std::string& address_key, std::string_view fingerprint);
  /// Destroys the server's copy of the private key. A pair that nobody picked up is retired by it; of any other the
  /// certificate stays the current one. The store's files are rewritten soon after (store_rewrite.h).
  Result<KeyRecord, KeyChangeFailure> forget(const std::string& address_key, std::string_view fingerprint);
  /// Something that belonged to a destroyed key was removed later: the store's files are rewritten once more.
  Status ask_rewrite(const std::string& address_key);
  /// Whether replace() would do it now: the fingerprint of the pair that would be replaced.
  Result<std::string, KeyChangeFailure> may_replace(const std::string& address_key, const OwnPair& own);
  /// Makes a certificate of the recipient's own the current one. The pair before stays available; of earlier ones of
  /// the recipient's own the latest are remembered.
  Result<KeyRecord, KeyChangeFailure> replace(const std::string& address_key, const OwnPair& own);
  /// The certificate is listed as revoked from now on.
  Result<KeyRecord, KeyChangeFailure> revoke(const std::string& address_key, std::string_view fingerprint,
                                             RevocationReason reason);

 private:
  /// An entry of the address as it was seen and as it becomes; empty for none.
  struct EntryChange {
    std::string field;
    std::string seen;
    std::string becomes;
  };
  /// What one change writes.
  struct Change {
    KeyRecord result;
    AuditEvent event;
    std::vector<EntryChange> entries;
    std::string destroyed_key = {};   ///< fingerprint; empty for none
    std::string revoked_serial = {};  ///< hex; empty for none
    std::string revoked = {};         ///< what is kept of it
    std::string replaced = {};        ///< fingerprint of the pair before
  };
  using Build = std::function<Result<Change, KeyChangeFailure>()>;
  /// Looks and decides, then writes; anew when somebody else was first.
  Result<KeyRecord, KeyChangeFailure> make(const Build& build);
  Result<bool> write(const Change& change);
  Result<StoredPair, KeyChangeFailure> find(const std::string& address_key, std::string_view fingerprint);
  /// The pair in the state that the change leads to.
  Result<Change, KeyChangeFailure> prepare(KeyChange change, const StoredPair& pair, std::string_view action,
                                           std::string_view actor);
  Result<Change, KeyChangeFailure> prepare_replacement(const std::string& address_key, const OwnPair& own);

  redis::Client& redis_;
  Wrapper& wrapper_;
  const Clock& clock_;
  AuditTrail& audit_;
  AddressEntries entries_;
};

}  // namespace sealpost
