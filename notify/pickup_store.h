// SPDX-License-Identifier: Apache-2.0
// What Redis remembers of pickup links: for each link the address, the code's MAC, attempts and dates; and the sessions
// opened with it. Tokens, codes and sessions are stored as HMACs only. A link and its sessions share the slot that the
// token's MAC chooses.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/email_address.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/wrapper.h"
#include "notify/pickup_keys.h"

namespace sealpost {

/// What a link leads to.
struct PickupLink {
  std::string id;           ///< hex MAC of the token; names the link in Redis
  std::string address;      ///< directory key
  std::string recipient;    ///< as the sender spelled it
  std::string fingerprint;  ///< of the pair that the notification was about
  Time issued{};            ///< when its code was made
  Time expires{};
  std::optional<Time> first_used;
  unsigned attempts = 0;  ///< wrong codes in a row
  /// Whose introductions caused it, when they are given the codes (notify.code_to); the latest last.
  std::vector<std::string> senders = {};
  std::string attached_secret;  ///< wrapped password of the attached PKCS#12 (notify.mode=attach), else empty
  bool ended = false;           ///< its code and its sessions were ended at once (end_visits)
};

/// Senders that a link remembers.
inline constexpr std::size_t max_link_senders = 5;

/// Wrong codes that a link takes before it is locked.
inline constexpr unsigned max_code_attempts = 5;

/// Its code works no longer: it has expired or was ended, or a day has passed since its first use.
[[nodiscard]] bool is_over(const PickupLink& link, Time now);

/// What an address was told of its pair; it is told again at its next message unless its code works.
enum class LinkState {
  None,   ///< nothing of this pair
  Works,  ///< its code can be used
  Over,   ///< is_over
  Locked  ///< too many wrong codes
};
[[nodiscard]] LinkState state_of(const std::optional<PickupLink>& latest, std::string_view fingerprint, Time now);

class PickupStore final {
 public:
  PickupStore(redis::Client& redis, Wrapper& wrapper) : redis_(redis), wrapper_(wrapper) {}

  /// Stores a new link and makes it the address's latest. Returns the id of the one that was the latest before, or
  /// nothing.
  Result<std::string> add(const Secret& token, const Secret& code, const PickupLink& link);
  /// Takes back a link that nobody was told of; the one before becomes the latest again, unless a newer one took the
  /// place.
  Status withdraw(const Secret& token, const std::string& address, const std::string& earlier);
  /// NotFound for a token that nobody was given; Permanent when Redis tells of the link what we never stored.
  Result<PickupLink> find(std::string_view token);

  struct Attempt {
    bool locked = false;  ///< no attempt was left; the code was not looked at
    bool correct = false;
    unsigned left = 0;
  };
  /// Counts the attempt, then compares. A correct code clears the count and remembers its first use, in a
  /// full Redis too.
  Result<Attempt> try_code(const PickupLink& link, const Secret& code, Time now);

  /// Sessions and files belong to the link and the address that it leads to.
  Status add_session(const PickupLink& link, const Secret& session, Duration lifetime);
  Result<bool> has_session(const PickupLink& link, std::string_view session);

  /// Codes and sessions of all links that the address was sent until now work no longer.
  Status end_visits(const std::string& address, Time now);

  /// A file waiting for its download, for the session that made it; kept wrapped for `lifetime`. One of each kind.
  enum class FileKind { Key, Receipt };
  struct File {
    std::string fingerprint;  ///< of the pair whose private key is in it, else empty
    WipedBuffer octets;
  };
  Status add_file(const PickupLink& link, std::string_view session, FileKind kind, const File& file, Duration lifetime);
  /// NotFound when it has gone.
  Result<File> file(const PickupLink& link, std::string_view session, FileKind kind);
  /// Whether a link of this pair was sent with a PKCS#12, and keeps its password.
  Result<bool> has_attached(const std::string& address, const std::string& fingerprint);
  /// Removes files of this pair that wait, and the passwords of attached ones. Whether there was any.
  Result<bool> drop_copies(const std::string& address, const std::string& fingerprint);

  /// The link of the address's latest notification; nothing before the first. Permanent as for find().
  Result<std::optional<PickupLink>> latest(const std::string& address);
  /// The latest notification did not arrive.
  Status mark_failed(const std::string& address);
  Result<bool> failed(const std::string& address);
  /// A notification about this pair was handed over.
  Status mark_sent(const std::string& address, const std::string& fingerprint, Time time);
  struct Sent {
    std::string fingerprint;
    Time time{};
  };
  /// The last one of each address, in order; nothing before the first, and 90 days after the last.
  Result<std::vector<std::optional<Sent>>> sent(const std::vector<EmailAddress>& addresses);
  /// Somebody sent mail to the address: when no link says whom its codes go to (notify.code_to=sender), the latest
  /// `max_link_senders` of these are asked, for 120 days from the last one's mail.
  Status remember_sender(const std::string& address, const std::string& sender);
  /// The latest last; none that Redis tells of and we never stored.
  Result<std::vector<std::string>> senders(const std::string& address);
  /// Counts a request for a new code: false beyond one in 15 minutes and five a day.
  Result<bool> take_resend(const std::string& address);

  /// What the link's attached_secret is wrapped with.
  Result<std::string> wrap_attached(const Secret& token, const Secret& password);
  Result<WipedBuffer> unwrap_attached(const PickupLink& link);

 private:
  [[nodiscard]] std::string link_id(std::string_view token) const;
  [[nodiscard]] std::string code_mac(const PickupLink& link, const Secret& code) const;
  [[nodiscard]] std::string link_mac(const PickupLink& link) const;
  [[nodiscard]] std::string senders_mac(const std::string& address, std::string_view lines) const;
  [[nodiscard]] std::string session_key(const PickupLink& link, std::string_view session, std::string_view kind) const;
  [[nodiscard]] std::string address_key(const std::string& address, std::string_view kind) const {
    return pickup_address_key(wrapper_, address, kind);
  }
  Result<PickupLink> read(const std::string& id);
  /// Ids of links of this pair that were sent with a PKCS#12.
  Result<std::vector<std::string>> attached_links(const std::string& address, const std::string& fingerprint);
  Result<bool> drop_files(const std::string& address, const std::string& fingerprint);
  Result<bool> drop_attached(const std::string& id, const std::string& fingerprint);

  redis::Client& redis_;
  Wrapper& wrapper_;
};

}  // namespace sealpost
