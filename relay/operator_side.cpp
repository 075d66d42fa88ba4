// SPDX-License-Identifier: Apache-2.0
// Implements operator_side.h.
#include "relay/operator_side.h"

#include <optional>
#include <utility>

#include "queue/pulse_routes.h"

namespace sealpost {

OperatorSide::OperatorSide(Services& services, const Settings& settings, Authenticator& authenticator,
                           std::vector<WatchedCertificate> certificates, Log& log)
    : authenticator_(authenticator),
      overview_(services, settings, std::move(certificates)),
      queue_{services.queue_view(), services.queue_actions(), services.queue_why(), services.clock(),
             [this](std::size_t rows) { return overview_.read(rows); }},
      pulse_(
          services.redis(), services.clock(),
          [this]() -> std::optional<PoolStatus> {
            auto pool = overview_.pool();
            return pool ? std::optional(*pool) : std::nullopt;
          },
          log),
      sessions_(services.redis(), services.wrapper(), services.clock(), services.random(), log, authenticator,
                [&services](const std::string& account) { return services.accounts().operator_stamp(account); }),
      dashboard_{services.queue_view(),
                 services.queue_actions(),
                 pulse_,
                 sessions_,
                 services.clock(),
                 {settings.relay.hostname, settings.http.public_url},
                 queue_.overview,
                 [&services](const DeliveryId& id) { return services.queue_why().delivery(id); },
                 [&services](const std::string& domain) { return services.queue_why().domain(domain); }} {}

std::vector<http::Route> OperatorSide::routes() {
  auto all = queue_routes(queue_);
  for (auto&& more : {pulse_routes(pulse_, authenticator_), dashboard::routes(dashboard_)}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace sealpost
