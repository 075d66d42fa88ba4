// SPDX-License-Identifier: Apache-2.0
// Why a delivery, or mail to a domain, waits: in one paragraph that says until when, and what would change it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "queue/queue_summary.h"
#include "queue/queue_view.h"
#include "queue/rests.h"

namespace sealpost {

struct Why {
  std::string subject;                  ///< a delivery's id, or a domain
  std::string text;                     ///< the paragraph
  std::optional<Time> until;            ///< when something happens by itself
  std::vector<std::string> remedies{};  ///< commands of sealpostctl, the likeliest first
};

/// What of the settings decides.
struct WhySettings {
  std::chrono::milliseconds max_age{};          ///< delivery.max_age
  std::size_t concurrency = 1;                  ///< delivery.destination_concurrency
  std::string route = {};                       ///< what all mail goes through; empty: MX hosts of each domain
  std::chrono::milliseconds webhook_max_age{};  ///< how long a webhook's event is tried
};

class QueueWhy final {
 public:
  QueueWhy(redis::Client& redis, QueueView& view, const Clock& clock, WhySettings settings)
      : redis_(redis), view_(view), rests_(redis, clock), clock_(clock), settings_(std::move(settings)) {}

  /// NotFound when there is no such delivery.
  Result<Why> delivery(const DeliveryId& id);
  /// Nothing waiting is an answer, too.
  Result<Why> domain(const std::string& domain);

 private:
  redis::Client& redis_;
  QueueView& view_;
  Rests rests_;
  const Clock& clock_;
  WhySettings settings_;
};

/// The paragraph about a delivery, from what is known of it.
Why explain_delivery(const DeliveryRecord& record, const std::optional<Rest>& rest,
                     const DestinationSummary& destination, const WhySettings& settings, Time now);
/// The same about a domain, whose mail goes through `route`; empty: to its own MX hosts.
Why explain_domain(const DestinationSummary& destination, const std::string& route, const std::optional<Rest>& rest,
                   Time now);

}  // namespace sealpost
