// SPDX-License-Identifier: Apache-2.0
// Which accounts want to be told by HTTP what becomes of their mail, and where: the webhooks that operators added.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/wrapper.h"

namespace sealpost {

enum class EventType : std::uint8_t { Delivered, Deferred, Bounced, PickedUp };
/// "delivered", "deferred", "bounced", "picked_up".
std::string_view to_text(EventType type);
std::optional<EventType> parse_event_type(std::string_view text);

/// Where a webhook's events go. https, or http when private addresses are allowed.
struct WebhookUrl {
  std::string host;  ///< A-labels, or an address without brackets
  std::uint16_t port = 0;
  bool tls = true;
  std::string target;  ///< path and query
  std::string text;    ///< as it was given

  /// Invalid, with the reason, for everything that a POST cannot go to: credentials and fragments among it.
  static Result<WebhookUrl> parse(const std::string& text);
};

struct Webhook {
  std::string id;
  std::string account;
  WebhookUrl url;
  std::set<EventType> events;
  bool allow_private = false;  ///< loopback and private addresses may be called, and http
  Time since{};                ///< when the account was created: what one of that name did before is not told
  Time created{};
  Secret key;  ///< signs what is sent; 32 octets
};

class Webhooks final {
 public:
  Webhooks(redis::Client& redis, Wrapper& wrapper, const Clock& clock, Random& random, Log& log)
      : redis_(redis), wrapper_(wrapper), clock_(clock), random_(random), log_(log) {}

  /// Of an account that was created at `since`. Invalid: http without allow_private, no events.
  Result<Webhook> add(const std::string& account, Time since, const WebhookUrl& url, const std::set<EventType>& events,
                      bool allow_private);
  /// All that can be read, the oldest first; one that was altered is logged and left out.
  Result<std::vector<Webhook>> list();
  /// NotFound: never added, or removed; Permanent: altered.
  Result<Webhook> find(const std::string& id);
  Status remove(const std::string& id);
  Status remove_all_of(const std::string& account);

 private:
  Result<Webhook> read(const std::string& id, std::string_view value);

  redis::Client& redis_;
  Wrapper& wrapper_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
};

/// The key as the Standard Webhooks libraries take it: "whsec_" and base64. Shown once.
Secret to_shown_key(const Webhook& webhook);

}  // namespace sealpost
