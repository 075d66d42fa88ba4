// SPDX-License-Identifier: Apache-2.0
// Implements metrics_routes.h.
#include "relay/metrics_routes.h"

#include <algorithm>

#include "crypto/key_outbox.h"
#include "crypto/key_summary.h"
#include "crypto/key_vault.h"
#include "queue/durability.h"
#include "queue/queue_view.h"

namespace sealpost {
namespace {

using metrics::Reading;
using Readings = std::vector<Reading>;

template <class Number>
double value_of(Number number) {
  return static_cast<double>(number);
}
double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }
double timestamp(Time time) { return seconds(time.time_since_epoch()); }

/// Of the process itself.
void add_process(Readings& all, const MetricsRoutesContext& context) {
  all.push_back({"sealpost_build_info", "1, for the version in its label.", 1, {{"version", SEALPOST_VERSION}}});
  all.push_back({"process_start_time_seconds", "When the relay started, in Unix time.", timestamp(context.started)});
  all.push_back({"sealpost_memory_budget_bytes", "Plaintext and buffers in flight, as relay.memory_limit counts them.",
                 value_of(context.budget.used())});
  all.push_back({"sealpost_memory_budget_limit_bytes", "relay.memory_limit.", value_of(context.budget.limit())});
  for (const auto& [service, count] : context.connections) {
    all.push_back({"sealpost_open_connections",
                   "Connections that clients have open, by service.",
                   value_of(count()),
                   {{"service", service}}});
  }
  for (const auto& [name, not_after] : context.certificates) {
    const auto end = not_after();
    if (!end) continue;
    all.push_back({"sealpost_certificate_expiry_timestamp_seconds",
                   "When a certificate in use ends, in Unix time.",
                   timestamp(*end),
                   {{"certificate", name}}});
  }
  all.push_back(
      {"sealpost_key_pool_wanted", "keys.pool_size: key pairs that are to be ready.", value_of(context.pool_wanted)});
}

Status add_redis(Readings& all, redis::Client& redis) {
  auto findings = check_durability(redis);
  if (!findings) return findings.error();
  auto memory = read_memory(redis);
  if (!memory) return memory.error();
  all.push_back({"sealpost_redis_durable", "1: Redis is set to keep what it is given; 0: it may lose mail.",
                 findings->empty() ? 1.0 : 0.0});
  all.push_back({"sealpost_redis_memory_bytes", "Memory that Redis uses.", value_of(memory->used)});
  all.push_back({"sealpost_redis_memory_limit_bytes", "maxmemory of Redis; 0 for none.", value_of(memory->limit)});
  return {};
}

Status add_queue(Readings& all, redis::Client& redis, const Clock& clock) {
  auto counts = QueueView(redis, clock).counts();
  if (!counts) return counts.error();
  for (const auto& [state, count] : counts->states) {
    all.push_back({"sealpost_deliveries",
                   "Deliveries in the queue and in its history, by state.",
                   value_of(count),
                   {{"state", std::string(to_text(state))}}});
  }
  const auto age = [&](const std::optional<Time>& since) {
    return since ? std::max(seconds(clock.now() - *since), 0.0) : 0.0;
  };
  all.push_back({"sealpost_oldest_waiting_seconds", "Age of the oldest delivery that waits; 0 when none does.",
                 age(counts->oldest)});
  all.push_back({"sealpost_oldest_moving_seconds",
                 "Age of the oldest delivery that waits and is not held; 0 when none does.",
                 age(counts->oldest_moving)});
  return {};
}

Status add_keys(Readings& all, redis::Client& redis, KeyType type, Time now) {
  auto ready = pool_stock(redis, type);
  if (!ready) return ready.error();
  auto owed = notifications_owed(redis);
  if (!owed) return owed.error();
  all.push_back({"sealpost_key_pool_ready", "Key pairs that are ready for new recipients.", value_of(*ready)});
  all.push_back({"sealpost_notifications_waiting", "Notifications that are owed to recipients and were not made yet.",
                 value_of(*owed)});
  auto keys = read_key_summary(redis, now, 0);
  if (!keys) return keys.error();
  all.push_back({"sealpost_keys_not_picked_up", "Recipients who were given a key and have not picked it up.",
                 value_of(keys->not_picked_up)});
  all.push_back({"sealpost_recipient_certificates_ending", "Recipients' own certificates that end within 30 days.",
                 value_of(keys->ending)});
  all.push_back({"sealpost_recipient_certificates_ended",
                 "Recipients' own certificates that have ended, so that mail to them is held.", value_of(keys->ended)});
  return {};
}

/// All of it or nothing: half of an answer would look like a queue that has gone.
Status add_store(Readings& all, const MetricsRoutesContext& context) {
  if (auto added = add_redis(all, context.redis); !added) return added;
  if (auto added = add_queue(all, context.redis, context.clock); !added) return added;
  return add_keys(all, context.redis, context.pool_type, context.clock.now());
}

http::Response scrape(const MetricsRoutesContext& context) {
  Readings all;
  add_process(all, context);
  Readings store;
  const Status read = add_store(store, context);
  if (read) all.insert(all.end(), store.begin(), store.end());
  all.push_back({"sealpost_redis_up", "1: Redis answered this scrape.", read ? 1.0 : 0.0});
  return http::Response::text(200, "text/plain; version=0.0.4; charset=utf-8", context.registry.text(all))
      .with("Cache-Control", "no-store");
}

}  // namespace

std::vector<http::Route> metrics_routes(MetricsRoutesContext& context) {
  return {{"GET", "/metrics", http::Access::OperatorOrLoopback, 0,
           [&context](const http::Request&) { return scrape(context); }}};
}

}  // namespace sealpost
