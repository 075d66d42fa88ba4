// SPDX-License-Identifier: Apache-2.0
// What a recipient decides about a key: keep it, replace it by a certificate of their own, or have the server forget
// it. Each is told to the address by mail before it is done. Knows no HTTP.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/guess_throttle.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/key_life.h"
#include "crypto/own_certificate.h"
#include "notify/key_news.h"
#include "notify/owed_receipts.h"
#include "notify/pending_certificate.h"
#include "notify/pickup.h"
#include "notify/receipt.h"

namespace sealpost {

class KeyChoices final {
 public:
  /// A certificate may be replaced with a code that was issued so recently: who finds an old mail diverts nothing.
  static constexpr std::chrono::hours fresh_code{24};

  struct Hooks {
    /// Durable when it returns, and once for each `once` however often it is called.
    std::function<Status(const KeyNews&)> tell;
    /// The mail that proves that the recipient can open what is sealed to the certificate.
    std::function<Status(const CodeForCertificate&)> send_code;
    /// Another pair is the current one now; the fingerprint is that of the one before.
    std::function<void(const KeyRecord& current, const std::string& before)> replaced;
    /// A pair's private key is about to be destroyed: mail that waits and would bring it does not leave. May be called
    /// again.
    std::function<Status(const KeyRecord& key)> withdraw;
    /// The receipt, whose mail is durable when it returns, and once for each `once`.
    std::function<Result<Receipt>(const DestroyedKey&)> send_receipt;
  };

  KeyChoices(Pickup& pickup, KeyLife& life, PendingCertificates& pending, OwnCertificatePolicy policy,
             OwedReceipts& owed, GuessThrottle& throttle, const Clock& clock, Random& random, Log& log, Hooks hooks);

  /// Makes the pair permanent; the current one when no fingerprint is given.
  Result<KeyRecord, PickupError> keep(std::string_view token, std::string_view session, const std::string& fingerprint);
  /// Judges a certificate of the recipient's own, and sends a code sealed to it.
  Result<PendingCertificate, PickupError> upload(std::string_view token, std::string_view session,
                                                 std::string_view octets);
  /// What was uploaded by this link and waits for its code, if anything does.
  Result<std::optional<PendingCertificate>, PickupError> waiting(std::string_view token, std::string_view session);
  /// The code from that mail makes the certificate the current one. The link is the one that it was uploaded by; wrong
  /// codes make the next look wait, for the address and for the client's network.
  Result<KeyRecord, PickupError> confirm(std::string_view token, std::string_view typed_code,
                                         const std::string& network);
  struct Forgotten {
    KeyRecord key;
    Receipt receipt;
  };
  /// Destroys the server's copy of the private key. Repeated after a receipt that failed, it gives that receipt.
  Result<Forgotten, PickupError> forget(std::string_view token, std::string_view session,
                                        const std::string& fingerprint);
  /// Fingerprints of the address's pairs that were destroyed and whose receipts failed.
  Result<std::vector<std::string>, PickupError> owed(std::string_view token, std::string_view session);

 private:
  PickupError failed(const Error& error, const std::string& address);
  PickupError refused(const KeyChangeFailure& failure, const std::string& address);
  Status tell(KeyEvent event, const PickupLink& link, const KeyRecord& key, std::string once);
  Result<OwnPair, PickupError> judge(const PickupLink& link, std::string_view octets);
  Result<KeyRecord, PickupError> make_current(const PickupLink& link, const PendingCertificate& pending);
  Result<PendingCertificate, PickupError> pending_of(const PickupLink& link);
  Result<KeyRecord, PickupError> destroy(const PickupLink& link, const KeyRecord& key, Time now);
  /// Mail, files and passwords that would still give the private key to somebody. Whether there was any.
  Result<bool> drop_copies(const KeyRecord& key);
  Result<Forgotten, PickupError> give_receipt(const PickupLink& link, KeyRecord key, Time destroyed);
  Result<Forgotten, PickupError> give_owed(std::string_view token, std::string_view session, const PickupLink& link,
                                           const std::string& fingerprint, const KeyChangeFailure& why_not);

  Pickup& pickup_;
  KeyLife& life_;
  PendingCertificates& pending_;
  OwnCertificatePolicy policy_;
  OwedReceipts& owed_;
  GuessThrottle& throttle_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
  Hooks hooks_;
};

}  // namespace sealpost
