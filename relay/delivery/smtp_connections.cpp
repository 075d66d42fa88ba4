// SPDX-License-Identifier: Apache-2.0
// Implements smtp_connections.h.
#include "relay/delivery/smtp_connections.h"

#include <algorithm>
#include <iterator>

namespace sealpost {
namespace {

using std::chrono::steady_clock;

constexpr unsigned max_transactions = 100;

/// One connection serves for the other. For an MX host every one of its addresses will do.
bool same_server(const SmtpTarget& a, const SmtpTarget& b) {
  return a.host == b.host && a.port == b.port && a.tls == b.tls && a.kind == b.kind;
}

}  // namespace

bool may_travel(const DeliveryRecord& delivery, NotifyTls policy, Route::Kind route, bool secure, bool loopback) {
  const bool secret = delivery.notification || delivery.sender_code;
  return !secret || policy == NotifyTls::Opportunistic || secure || loopback || route == Route::Kind::Lmtp;
}

/// The newest first, so that those of a burst grow old behind it.
std::unique_ptr<SmtpConnections::Kept> SmtpConnections::take(const SmtpTarget& target) {
  while (true) {
    std::unique_ptr<Kept> found;
    {
      const std::lock_guard lock(mutex_);
      const auto at = std::find_if(kept_.rbegin(), kept_.rend(),
                                   [&](const Kept& kept) { return same_server(*kept.target, target); });
      if (at == kept_.rend()) return nullptr;
      found = std::make_unique<Kept>(std::move(*at));
      kept_.erase(std::next(at).base());
    }
    if (steady_clock::now() - found->since < options_.max_idle && !found->client->stale()) return found;
    found->client->quit();
  }
}

void SmtpConnections::keep(Kept kept) {
  if (!kept.client->usable()) return;
  if (kept.client->transactions() >= max_transactions) return kept.client->quit();
  kept.since = steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    kept_.push_back(std::move(kept));
  }
  tidy();
}

void SmtpConnections::tidy() {
  const auto oldest = steady_clock::now() - options_.max_idle;
  KeptList old;
  {
    const std::lock_guard lock(mutex_);
    while (!kept_.empty() && (kept_.front().since <= oldest || kept_.size() > options_.max_kept)) {
      old.push_back(std::move(kept_.front()));
      kept_.pop_front();
    }
  }
  for (const auto& idle : old) idle.client->quit();
}

Attempt SmtpConnections::attempt(const std::shared_ptr<const SmtpTarget>& target, const Claim& claim,
                                 DeliveryBody& body) {
  auto kept = take(*target);
  const bool reused = kept != nullptr;
  if (!kept) {
    auto fresh = SmtpClient::open(*target, stop_);
    if (!fresh) {
      const std::string address = target->addresses.empty() ? std::string() : target->addresses.front().toString();
      return {std::move(fresh).error(), {target->host, address, {}}, false};
    }
    if ((*fresh)->secure()) options_.tls.add((*fresh)->trace().tls);
    kept = std::make_unique<Kept>(Kept{target, std::move(*fresh), steady_clock::now()});
  }
  SmtpClient& client = *kept->client;
  const AttemptTrace trace = client.trace();
  if (!may_travel(claim.delivery, options_.notify_tls, target->kind, client.secure(), client.loopback())) {
    keep(std::move(*kept));
    return {Deferred{"a notification needs TLS (notify.tls), which this server does not offer", "4.7.10"}, trace};
  }
  Outcome outcome = client.send(claim, body);
  if (reused && !client.usable() && !client.answered() && !stop_.raised()) {
    // A kept connection that broke before it said a word about this delivery: the server had given it up. Nothing of
    // the body was sent.
    return attempt(target, claim, body);
  }
  keep(std::move(*kept));
  return {std::move(outcome), trace};
}

}  // namespace sealpost
