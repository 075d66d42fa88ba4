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

Object to_json(const PoolStatus& pool) {
  Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("ready", pool.ready);
  object.set("wanted", pool.wanted);
  return object;
}

Object to_json(const PickupStatus& pickups, Time now) {
  Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("waiting", pickups.waiting);
  object.set("oldest", age_or_null(pickups.oldest, now));
  return object;
}

Object to_json(const CertificateStatus& certificates) {
  Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("ended", certificates.ended);
  object.set("ending", certificates.ending);
  Array soonest;
  for (const auto& one : certificates.soonest) {
    Object row(Poco::JSON_PRESERVE_KEY_ORDER);
    row.set("of", one.of);
    row.set("address", text_or_null(one.address));
    row.set("ends", to_rfc3339(one.ends));
    soonest.add(row);
  }
  object.set("soonest", soonest);
  return object;
}

Object to_json(const AgeCounts& counts) {
  Object ages(Poco::JSON_PRESERVE_KEY_ORDER);
  for (std::size_t i = 0; i < counts.size(); ++i) ages.set(age_names.at(i), counts.at(i));
  return ages;
}

Object to_json(const AccountSummary& row) {
  Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("account", row.account);
  object.set("waiting", row.waiting);
  object.set("accepted_per_minute", to_hundredths(row.accepted_per_minute));
  return object;
}

Object to_json(const ErrorSummary& row) {
  Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("error", row.error);
  object.set("count", row.count);
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
  object.set("ages", to_json(row.ages));
  object.set("concurrency", row.concurrency);
  object.set("delivered_per_minute", to_hundredths(row.delivered_per_minute));
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
  object.set("ages", to_json(summary.ages));
  object.set("rates", to_json(summary.rates));
  object.set("pool", summary.keys ? Var(to_json(summary.keys->pool)) : Var());
  object.set("pickups", summary.keys ? Var(to_json(summary.keys->pickups, now)) : Var());
  object.set("certificates", summary.keys ? Var(to_json(summary.keys->certificates)) : Var());
  Array destinations;
  for (const auto& row : summary.destinations) destinations.add(to_json(row, now));
  object.set("destinations", destinations);
  object.set("more_destinations", summary.more_destinations);
  Array accounts;
  for (const auto& row : summary.accounts) accounts.add(to_json(row));
  object.set("accounts", accounts);
  Array errors;
  for (const auto& row : summary.errors) errors.add(to_json(row));
  object.set("errors", errors);
  return object;
}

Object to_json(const DeliveryPage& page, bool with_history) {
  Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  Array deliveries;
  for (const auto& record : page.deliveries) deliveries.add(to_json(record, with_history));
  object.set("deliveries", deliveries);
  object.set("cursor", text_or_null(page.cursor));
  return object;
}

Object to_json(const Why& why) {
  Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("subject", why.subject);
  object.set("text", why.text);
  object.set("until", time_or_null(why.until));
  Array remedies;
  for (const auto& remedy : why.remedies) remedies.add(remedy);
  object.set("remedies", remedies);
  return object;
}

Object to_json(const ActionResult& result) {
  Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("matched", result.matched);
  object.set("changed", result.changed);
  object.set("cursor", text_or_null(result.cursor));
  if (result.unreached.empty()) return object;
  Array unreached;
  for (const auto& [id, why] : result.unreached) {
    Object one(Poco::JSON_PRESERVE_KEY_ORDER);
    one.set("id", id.text());
    one.set("why", why);
    unreached.add(one);
  }
  object.set("unreached", unreached);
  return object;
}

}  // namespace sealpost
