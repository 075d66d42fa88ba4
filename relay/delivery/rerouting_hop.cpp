// SPDX-License-Identifier: Apache-2.0
// Implements rerouting_hop.h.
#include "relay/delivery/rerouting_hop.h"

#include <vector>

#include "conf/values.h"

namespace sealpost {
namespace {

/// Of one that nobody was sent to any more.
constexpr std::chrono::minutes hop_memory{10};

bool is_url(const std::string& destination) { return destination.find("://") != std::string::npos; }

}  // namespace

/// Of MX routing every domain is a destination of its own.
bool ReroutingHop::is_usual(const std::string& destination) const {
  return usual_name_.empty() ? !is_url(destination) : destination == usual_name_;
}

Attempt ReroutingHop::attempt(const Claim& claim, DeliveryBody& body) {
  const std::string& destination = claim.delivery.destination;
  // A notice is not sealed, and brings a link or a code: whoever could write its record could have it sent to himself.
  if (is_usual(destination) || claim.delivery.notice) return usual_->attempt(claim, body);
  auto hop = other(destination);
  if (!hop) return {Deferred{"cannot be sent to " + destination + ": " + hop.error().public_text, "4.3.5"}, {}, false};
  return (*hop)->attempt(claim, body);
}

Result<std::shared_ptr<NextHop>> ReroutingHop::other(const std::string& destination) {
  auto route = is_url(destination) ? parse_route(destination) : Result<Route>(Route{});
  if (!route) return route.error();
  const std::string name = to_text(*route);
  const std::lock_guard lock(mutex_);
  Other& known = others_[name];
  known.last = std::chrono::steady_clock::now();
  if (known.hop) return known.hop;
  auto made = make_(*route);
  if (!made) return made.error();
  known.hop = std::move(*made);
  return known.hop;
}

void ReroutingHop::tidy() {
  usual_->tidy();
  std::vector<std::shared_ptr<NextHop>> hops;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(others_, [](const auto& entry) {
      return !entry.second.hop || std::chrono::steady_clock::now() - entry.second.last > hop_memory;
    });
    for (const auto& [name, other] : others_) hops.push_back(other.hop);
  }
  for (const auto& hop : hops) hop->tidy();
}

}  // namespace sealpost
