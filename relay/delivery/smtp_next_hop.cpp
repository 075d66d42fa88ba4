// SPDX-License-Identifier: Apache-2.0
// Implements smtp_next_hop.h.
#include "relay/delivery/smtp_next_hop.h"

namespace sealpost {
namespace {

using std::chrono::steady_clock;

constexpr unsigned max_transactions = 100;

}  // namespace

bool SmtpNextHop::is_fresh(const Kept& kept) const { return steady_clock::now() - kept.since < max_idle_; }

std::unique_ptr<SmtpNextHop::Kept> SmtpNextHop::take_kept() {
  while (true) {
    std::unique_ptr<Kept> kept;
    {
      const std::lock_guard lock(mutex_);
      if (kept_.empty()) return nullptr;
      kept = std::move(kept_.back());
      kept_.pop_back();
    }
    if (is_fresh(*kept) && !kept->client->stale()) return kept;
    kept->client->quit();
  }
}

/// The newest is taken first, so that those of a burst grow old behind it: they are closed here.
void SmtpNextHop::keep(std::unique_ptr<Kept> kept) {
  if (!kept->client->usable()) return;
  if (++kept->transactions >= max_transactions) return kept->client->quit();
  kept->since = steady_clock::now();
  std::deque<std::unique_ptr<Kept>> old;
  {
    const std::lock_guard lock(mutex_);
    kept_.push_back(std::move(kept));
    for (; !kept_.empty() && !is_fresh(*kept_.front()); kept_.pop_front()) old.push_back(std::move(kept_.front()));
  }
  for (const auto& idle : old) idle->client->quit();
}

bool may_travel(const DeliveryRecord& delivery, NotifyTls policy, Route::Kind route, bool secure, bool loopback) {
  return !delivery.notification || policy == NotifyTls::Opportunistic || secure || loopback ||
         route == Route::Kind::Lmtp;
}

Attempt SmtpNextHop::attempt(const Claim& claim, DeliveryBody& body) {
  auto kept = take_kept();
  const bool reused = kept != nullptr;
  if (!kept) {
    auto fresh = SmtpClient::open(target_, stop_);
    if (!fresh) return {std::move(fresh).error(), {target_.host, {}, {}}};
    kept = std::make_unique<Kept>(Kept{std::move(*fresh), 0, steady_clock::now()});
  }
  SmtpClient& client = *kept->client;
  const AttemptTrace trace = client.trace();
  if (!may_travel(claim.delivery, notify_tls_, target_.kind, client.secure(), client.loopback())) {
    keep(std::move(kept));
    return {Deferred{"a notification needs TLS (notify.tls), which this server does not offer", "4.7.10"}, trace};
  }
  Outcome outcome = client.send(claim, body);
  if (reused && !client.usable() && !client.answered() && !stop_.raised()) {
    // A kept connection that broke before it said a word about this delivery: the server had given it up. Nothing of
    // the body was sent.
    return attempt(claim, body);
  }
  keep(std::move(kept));
  return {std::move(outcome), trace};
}

}  // namespace sealpost
