// SPDX-License-Identifier: Apache-2.0
// Pickup: a recipient proves control of the mailbox with link and code, and takes the private key. Knows no HTTP.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/guess_throttle.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/key_directory.h"
#include "crypto/key_life.h"
#include "notify/key_news.h"
#include "notify/pickup_error.h"
#include "notify/pickup_store.h"

namespace sealpost {

/// What the code opened: the address's pairs, newest first; the first one is current.
struct OpenedPickup {
  std::string address;
  std::vector<KeyRecord> keys;
  Time now{};  ///< when it was looked at
  /// Of the PKCS#12 in the notification (notify.mode=attach), while the server holds its key; else empty.
  std::string attached_password;
};

class Pickup final {
 public:
  static constexpr std::chrono::minutes session_lifetime{30};
  static constexpr std::chrono::minutes file_lifetime{10};

  /// Tells the recipient by mail that a pair is picked up for the first time; no key is handed out before that mail is
  /// durable.
  using Tell = std::function<Status(const KeyNews&)>;

  Pickup(PickupStore& store, KeyDirectory& directory, KeyLife& life, GuessThrottle& throttle, const Clock& clock,
         Random& random, Log& log, Tell tell);

  /// Whether the link can be used; changes nothing.
  Result<PickupLink, PickupError> look(std::string_view token);
  /// A session for the right code. Wrong ones make the next look wait, for the address and for the client's network.
  Result<Secret, PickupError> open(std::string_view token, std::string_view typed_code, const std::string& network);
  /// What a token leads to, whether or not its code can still be used.
  Result<PickupLink, PickupError> find(std::string_view token);
  /// The same for an open session.
  Result<PickupLink, PickupError> enter(std::string_view token, std::string_view session);
  /// What an open session shows.
  Result<OpenedPickup, PickupError> show(std::string_view token, std::string_view session);
  /// The pair as PKCS#12; the current one when no fingerprint is given.
  Result<Pkcs12File, PickupError> take(std::string_view token, std::string_view session, const std::string& fingerprint,
                                       Pkcs12Format format, std::optional<Secret> password);
  /// Makes the file, keeps it for a download by the same session, and returns its password.
  Result<Secret, PickupError> prepare(std::string_view token, std::string_view session, const std::string& fingerprint,
                                      Pkcs12Format format);
  using FileKind = PickupStore::FileKind;
  Result<WipedBuffer, PickupError> download(std::string_view token, std::string_view session, FileKind kind);
  /// Keeps a receipt for a download by this session.
  Result<void, PickupError> offer_receipt(std::string_view token, std::string_view session, std::string_view octets);
  /// Removes what would still give the pair's private key to somebody: files that wait, passwords of attached ones.
  /// Whether there was any.
  Result<bool> drop_copies(const std::string& address, const std::string& fingerprint);

 private:
  /// The one place where a fault that the recipient cannot help is logged.
  PickupError failed(const Error& error, const std::string& address);
  /// The pair of this fingerprint, the current one for none.
  Result<KeyRecord, PickupError> chosen(const PickupLink& link, const std::string& fingerprint);
  Result<Pkcs12File, PickupError> hand_out(const PickupLink& link, const KeyRecord& key, Pkcs12Format format,
                                           std::optional<Secret> password);
  /// A file is given to nobody once its key was destroyed, however it came to be still there.
  Result<void, PickupError> expect_held(const PickupLink& link, const std::string& fingerprint);
  /// Tells of a pair's first pickup and records it; does nothing at later ones.
  Result<void, PickupError> tell_first_pickup(const PickupLink& link, const std::string& fingerprint);

  PickupStore& store_;
  KeyDirectory& directory_;
  KeyLife& life_;
  GuessThrottle& throttle_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
  Tell tell_;
};

}  // namespace sealpost
