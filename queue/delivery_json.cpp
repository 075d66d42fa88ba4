// SPDX-License-Identifier: Apache-2.0
// Implements delivery_json.h.
#include "queue/delivery_json.h"

#include <Poco/JSON/Array.h>

#include <cmath>

namespace sealpost {
namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

Var age_or_null(const std::optional<Time>& since, Time now) {
  if (!since) return {};
  return std::chrono::duration_cast<std::chrono::seconds>(now - *since).count();
}

double to_hundredths(double value) { return std::round(value * 100) / 100; }

Object to_json(const QueueRates& rates) {
  Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("accepted", to_hundredths(rates.accepted));
  object.set("delivered", to_hundredths(rates.delivered));
  object.set("deferred", to_hundredths(rates.deferred));
  object.set("bounced", to_hundredths(rates.bounced));
  return object;
}

Var to_json(const std::optional<PoolStatus>& pool) {
  if (!pool) return {};
  Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("ready", pool->ready);
  object.set("wanted", pool->wanted);
  return object;
}

Object to_json(const DestinationSummary& row, Time now) {
  Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("domain", row.domain);
  object.set("queued", row.queued);
  object.set("sending", row.sending);
  object.set("deferred", row.deferred);
  object.set("held", row.held);
  object.set("oldest", age_or_null(row.oldest, now));
  Object ages(Poco::JSON_PRESERVE_KEY_ORDER);
  for (const auto& [age, count] : row.ages) ages.set(age, count);
  object.set("ages", ages);
  object.set("concurrency", row.sending);
  object.set("last_error", text_or_null(row.last_error));
  object.set("next_attempt", time_or_null(row.next_attempt));
  return object;
}

}  // namespace

Var time_or_null(const std::optional<Time>& time) { return time ? Var(to_rfc3339(*time)) : Var(); }
Var text_or_null(const std::string& text) { return text.empty() ? Var() : Var(text); }

Var key_or_null(const std::string& fingerprint, const std::string& state) {
  if (fingerprint.empty()) return {};
  Object key(Poco::JSON_PRESERVE_KEY_ORDER);
  key.set("fingerprint", fingerprint);
  key.set("state", state);
  return key;
}

Object to_json(const DeliveryRecord& record, bool with_history) {
  Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("id", record.id.text());
  object.set("message", record.id.message().text());
  object.set("account", text_or_null(record.account));
  object.set("from", record.mail_from);
  object.set("recipient", record.recipient);
  object.set("domain", record.domain);
  object.set("state", std::string(to_text(record.state)));
  object.set("attempts", record.attempts);
  object.set("created", to_rfc3339(record.created));
  object.set("next_attempt", time_or_null(record.next_attempt));
  object.set("last_response", text_or_null(record.last_response));
  object.set("size", record.size);
  object.set("key", key_or_null(record.fingerprint, record.key_state));
  if (!with_history) return object;
  Array history;
  for (const auto& event : record.history) {
    Object entry(Poco::JSON_PRESERVE_KEY_ORDER);
    entry.set("time", to_rfc3339(event.time));
    entry.set("text", event.text);
    history.add(entry);
  }
  object.set("history", history);
  return object;
}

Object to_json(const QueueSummary& summary, Time now) {
  Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  Object states(Poco::JSON_PRESERVE_KEY_ORDER);
  for (const auto& [state, count] : summary.states) states.set(std::string(to_text(state)), count);
  object.set("states", states);
  object.set("oldest", age_or_null(summary.oldest, now));
  object.set("rates", to_json(summary.rates));
  object.set("pool", to_json(summary.pool));
  Array destinations;
  for (const auto& row : summary.destinations) destinations.add(to_json(row, now));
  object.set("destinations", destinations);
  return object;
}

}  // namespace sealpost
