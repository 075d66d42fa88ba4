// SPDX-License-Identifier: Apache-2.0
// GET /metrics: what was counted, and what is looked up when somebody asks, queue and Redis among it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/http/router.h"
#include "base/memory_budget.h"
#include "base/metrics.h"
#include "base/redis/client.h"
#include "conf/settings.h"
#include "relay/health_routes.h"

namespace sealpost {

/// How long a scrape waits for each round trip to Redis; after the first that fails it asks no more.
inline constexpr std::chrono::seconds scrape_patience{1};

struct OpenConnections {
  std::string service;  ///< "smtp"
  std::function<std::size_t()> count;
};

struct MetricsRoutesContext {
  const metrics::Registry& registry;
  redis::Client& redis;  ///< one that has scrape_patience, not the ten seconds of those who have mail
  const Clock& clock;
  const MemoryBudget& budget;
  KeyType pool_type;
  std::size_t pool_wanted;
  std::vector<WatchedCertificate> certificates;  ///< named as labels are: "tls"
  std::vector<OpenConnections> connections;
  Time started;
};

/// The context must outlive the routes. Without Redis the answer lacks what stands there, and sealpost_redis_up is 0.
std::vector<http::Route> metrics_routes(MetricsRoutesContext& context);

}  // namespace sealpost
