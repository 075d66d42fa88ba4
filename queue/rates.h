// SPDX-License-Identifier: Apache-2.0
// How fast mail comes and goes: counted per minute by the scripts, read here as a mean over the last five minutes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/redis/client.h"
#include "base/result.h"

namespace sealpost {

/// Deliveries per minute, over all nodes: accepted from senders, and attempts by how they
/// ended.
struct QueueRates {
  double accepted = 0, delivered = 0, deferred = 0, bounced = 0;
};

Result<QueueRates> read_rates(redis::Client& redis, Time now);

/// How long deliveries of the last five minutes took from acceptance to delivery, in seconds: 50, 95 and 99 of 100 took
/// no longer. From classes that double about, so these are estimates within one; what took longer than two hours counts
/// as that.
struct DeliveryLatency {
  double p50 = 0, p95 = 0, p99 = 0;
};
/// Nothing when none was delivered.
Result<std::optional<DeliveryLatency>> read_latency(redis::Client& redis, Time now);

/// Deliveries per minute that arrived at a domain, or that an account submitted.
enum class RateOf { Domains, Accounts };
/// In the order of the names.
Result<std::vector<double>> read_rates_of(redis::Client& redis, RateOf what, const std::vector<std::string>& names,
                                          Time now);

}  // namespace sealpost
