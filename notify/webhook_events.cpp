// SPDX-License-Identifier: Apache-2.0
// Implements webhook_events.h.
#include "notify/webhook_events.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <sstream>

#include "queue/delivery_json.h"

namespace sealpost {
namespace {

using Poco::JSON::Object;

constexpr std::chrono::seconds known_for{1};
/// An outcome that could not be recorded, or whose relay died, is there again after minutes.
constexpr std::chrono::hours event_once_lifetime{1};
/// Deliveries to an address that a pickup looks through for each account, and messages that its event names.
constexpr std::size_t looked_through = 20'000;
constexpr std::size_t max_named = 100;

std::string event_json(EventType type, Time time, const Object& data) {
  Object event(Poco::JSON_PRESERVE_KEY_ORDER);
  event.set("type", std::string(to_text(type)));
  event.set("timestamp", to_rfc3339(time));
  event.set("data", data);
  std::ostringstream out;
  event.stringify(out);
  return out.str();
}

Object to_data(const DeliveryEvent& event) {
  const DeliveryRecord& delivery = event.delivery;
  Object data(Poco::JSON_PRESERVE_KEY_ORDER);
  data.set("message", delivery.id.message().text());
  data.set("delivery", delivery.id.text());
  data.set("from", delivery.mail_from);
  data.set("recipient", delivery.recipient);
  data.set("attempts", delivery.attempts + 1);
  data.set("response", event.response);
  data.set("next_attempt", time_or_null(event.next_attempt));
  data.set("key", key_or_null(delivery.fingerprint, delivery.key_state));
  return data;
}

bool wants(const Webhook& webhook, const DeliveryEvent& event) {
  return webhook.account == event.delivery.account && webhook.events.contains(event.type) &&
         event.delivery.created >= webhook.since;
}

}  // namespace

std::string webhook_destination(const std::string& id) { return std::string(webhook_destinations) + id; }

std::string webhook_of_destination(std::string_view destination) {
  if (!destination.starts_with(webhook_destinations)) return {};
  return std::string(destination.substr(webhook_destinations.size()));
}

WebhookEvents::WebhookEvents(Webhooks& webhooks, MailQueue& queue, QueueView& view, Wrapper& wrapper,
                             const Clock& clock, Log& log, std::function<bool()> full, std::function<void()> queued)
    : webhooks_(webhooks),
      queue_(queue),
      view_(view),
      wrapper_(wrapper),
      clock_(clock),
      log_(log),
      full_(std::move(full)),
      queued_(std::move(queued)) {}

/// One caller asks Redis, and no other waits for it.
Result<WebhookEvents::Known> WebhookEvents::known() {
  {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (known_ && now - looked_ < known_for) return known_;
    looked_ = now;
  }
  auto all = webhooks_.list();
  if (!all) return all.error();
  const std::lock_guard lock(mutex_);
  known_ = std::make_shared<const std::vector<Webhook>>(std::move(*all));
  return known_;
}

Status WebhookEvents::ended(const DeliveryEvent& event) {
  const DeliveryRecord& delivery = event.delivery;
  if (delivery.notice || delivery.account.empty()) return {};
  auto all = known();
  if (!all) return all.error();
  std::string json;
  for (const auto& webhook : **all) {
    if (!wants(webhook, event)) continue;
    if (json.empty()) json = event_json(event.type, clock_.now(), to_data(event));
    // After a crash the same attempt may end otherwise.
    const std::string name =
        delivery.id.text() + ":" + std::to_string(delivery.attempts) + ":" + std::string(to_text(event.type));
    if (auto done = put(webhook, name, json); !done) return done;
  }
  return {};
}

Result<std::vector<std::string>> WebhookEvents::opened_by(const KeyRecord& key, const EmailAddress& recipient,
                                                          const Webhook& webhook) {
  SubmittedFilter filter;
  filter.to = recipient;
  filter.since = webhook.since;
  filter.look_at = looked_through;
  auto page = view_.submitted(webhook.account, filter, max_named, {});
  if (!page) return page.error();
  std::vector<std::string> messages;
  for (const auto& deliveries : page->messages) {
    if (deliveries.front().fingerprint == key.fingerprint) messages.push_back(deliveries.front().id.message().text());
  }
  return messages;
}

Status WebhookEvents::picked_up(const std::string& recipient, const KeyRecord& key) {
  auto all = known();
  if (!all) return all.error();
  auto address = EmailAddress::parse(recipient);
  if (!address) return address.error();
  for (const auto& webhook : **all) {
    if (!webhook.events.contains(EventType::PickedUp)) continue;
    auto messages = opened_by(key, *address, webhook);
    if (!messages) return messages.error();
    if (messages->empty()) continue;
    Poco::JSON::Array ids;
    for (const auto& id : *messages) ids.add(id);
    Object data(Poco::JSON_PRESERVE_KEY_ORDER);
    data.set("recipient", recipient);
    data.set("key", key_or_null(key.fingerprint, std::string(to_text(key.state))));
    data.set("messages", ids);
    if (auto done = put(webhook, key.fingerprint, event_json(EventType::PickedUp, clock_.now(), data)); !done) {
      return done;
    }
  }
  return {};
}

Status WebhookEvents::put(const Webhook& webhook, const std::string& name, const std::string& json) {
  if (full_()) {
    const std::lock_guard lock(mutex_);
    if (const auto count = dropped_.count(clock_.now())) log_.warning("webhook.events_dropped", {{"count", *count}});
    return {};
  }
  // The queue knows mail only; nobody can own this domain (RFC 6761).
  auto address = EmailAddress::parse(webhook.id + "@" + std::string(webhook_domain));
  if (!address) return address.error();
  const std::string once_name = "webhook:" + webhook.id + ":" + name;
  const Once once{wrapper_.mac(Purpose::IdempotencyKey, once_name), wrapper_.mac(Purpose::IdempotencyBody, once_name),
                  event_once_lifetime};
  WipedBuffer message;
  append(message, "Content-Type: application/json\r\n\r\n" + json);
  DsnRequest never;
  never.never = true;
  auto done = queue_.put(Notice(Notice::Kind::WebhookEvent, std::move(message)),
                         {queue_.new_id(once), {}, std::nullopt, {}, false, clock_.now()},
                         {*address, webhook_destination(webhook.id), {}, {}, never}, once);
  if (!done) return done.error();
  queued_();
  return {};
}

}  // namespace sealpost
