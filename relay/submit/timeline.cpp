// SPDX-License-Identifier: Apache-2.0
// Implements timeline.h.
#include "relay/submit/timeline.h"

#include <Poco/JSON/Array.h>

#include <algorithm>
#include <array>
#include <utility>

#include "queue/delivery_json.h"

namespace sealpost::submit {
namespace {

using Poco::JSON::Object;

/// How a text of the queue's history begins (docs/redis.md), and the event that it means.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> events = {{{"deferred", "deferred"},
                                                                                   {"delivered", "delivered"},
                                                                                   {"bounced", "bounced"},
                                                                                   {"held", "held"},
                                                                                   {"operator: retry", "retried"},
                                                                                   {"operator: hold", "held"},
                                                                                   {"operator: release", "released"},
                                                                                   {"operator: drop", "dropped"},
                                                                                   {"delay warning sent", "warned"},
                                                                                   {"taken back", "taken_back"}}};

TimelineEvent to_event(const HistoryEvent& entry, const std::string& recipient) {
  for (const auto& [begin, type] : events) {
    if (!entry.text.starts_with(begin)) continue;
    const auto colon = entry.text.find(": ", begin.size());
    std::string detail = colon == begin.size() ? entry.text.substr(colon + 2) : std::string();
    if (detail.empty() && begin.starts_with("operator")) detail = "by the operator";
    return {entry.time, std::string(type), recipient, std::move(detail)};
  }
  return {entry.time, "noted", recipient, entry.text};
}

TimelineEvent sealed(const DeliveryRecord& record) {
  if (record.fingerprint.empty()) return {record.created, "passed_through", record.recipient, {}};
  return {record.created, "sealed", record.recipient, "to the " + record.key_state + " key " + record.fingerprint};
}

Object to_json(const DeliveryRecord& record) {
  Object row(Poco::JSON_PRESERVE_KEY_ORDER);
  row.set("address", record.recipient);
  row.set("delivery", record.id.text());
  row.set("status", std::string(to_text(record.state)));
  row.set("attempts", record.attempts);
  row.set("last_response", text_or_null(record.last_response));
  row.set("next_attempt", time_or_null(record.next_attempt));
  row.set("key", key_or_null(record.fingerprint, record.key_state));
  return row;
}

Object to_json(const TimelineEvent& event) {
  Object row(Poco::JSON_PRESERVE_KEY_ORDER);
  row.set("time", to_rfc3339(event.time));
  row.set("type", event.type);
  row.set("recipient", text_or_null(event.recipient));
  row.set("detail", text_or_null(event.detail));
  return row;
}

}  // namespace

std::vector<TimelineEvent> timeline(const std::vector<DeliveryRecord>& deliveries,
                                    const std::vector<KeyProgress>& keys) {
  std::vector<TimelineEvent> all;
  if (!deliveries.empty()) all.push_back({deliveries.front().created, "accepted", {}, {}});
  for (const auto& record : deliveries) {
    if (!record.notice) all.push_back(sealed(record));
  }
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    const DeliveryRecord& record = deliveries[i];
    for (const auto& entry : record.history) {
      if (entry.text != "queued") all.push_back(to_event(entry, record.recipient));
    }
    if (keys[i].notified) all.push_back({*keys[i].notified, "notified", record.recipient, {}});
    if (keys[i].picked_up) all.push_back({*keys[i].picked_up, "picked_up", record.recipient, {}});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const TimelineEvent& a, const TimelineEvent& b) { return a.time < b.time; });
  return all;
}

Object message_to_json(const std::vector<DeliveryRecord>& deliveries) {
  Object message(Poco::JSON_PRESERVE_KEY_ORDER);
  const DeliveryRecord& first = deliveries.front();
  message.set("id", first.id.message().text());
  message.set("from", first.mail_from);
  message.set("created", to_rfc3339(first.created));
  Poco::JSON::Array recipients;
  for (const auto& record : deliveries) recipients.add(to_json(record));
  message.set("recipients", recipients);
  return message;
}

Object message_to_json(const std::vector<DeliveryRecord>& deliveries, const std::vector<KeyProgress>& keys) {
  Object message = message_to_json(deliveries);
  Poco::JSON::Array rows;
  for (const auto& event : timeline(deliveries, keys)) rows.add(to_json(event));
  message.set("events", rows);
  return message;
}

}  // namespace sealpost::submit
