// SPDX-License-Identifier: Apache-2.0
// Hands the events of webhooks over: one signed POST (https://www.standardwebhooks.com) for each, over a connection of
// its own.
#pragma once

#include <chrono>

#include "base/clock.h"
#include "notify/webhooks.h"
#include "relay/delivery/next_hop.h"
#include "relay/delivery/pollable_flag.h"

namespace sealpost {

class WebhookHop final : public NextHop {
 public:
  /// `limit` bounds an attempt as a whole.
  WebhookHop(Webhooks& webhooks, const Clock& clock, const PollableFlag& stop,
             std::chrono::milliseconds limit = std::chrono::seconds(15))
      : webhooks_(webhooks), clock_(clock), stop_(stop), limit_(limit) {}

  /// 2xx: delivered; 410, or a webhook that was removed: failed; all else is deferred, redirects too, which are not
  /// followed. Every address of the host is vetted, and the one that was vetted is connected to.
  Attempt attempt(const Claim& claim, DeliveryBody& body) override;

 private:
  Webhooks& webhooks_;
  const Clock& clock_;
  const PollableFlag& stop_;
  std::chrono::milliseconds limit_;
};

/// "v1," and the signature of an event (symmetric, HMAC-SHA-256).
std::string webhook_signature(const Secret& key, const std::string& id, const std::string& timestamp,
                              std::string_view json);

}  // namespace sealpost
