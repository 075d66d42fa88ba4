// SPDX-License-Identifier: Apache-2.0
// Implements delivery_records.h.
#include "queue/delivery_records.h"

#include <algorithm>

#include "queue/keys.h"
#include "queue/records.h"

namespace sealpost {
namespace {

/// What an operator sees of a record that somebody altered, or that another version wrote: claiming sets it aside.
DeliveryRecord unreadable(const DeliveryId& id, const Error& why) {
  DeliveryRecord record(id);
  record.state = DeliveryState::Held;
  record.last_response = "its records in the store cannot be read (" + why.internal_detail + ")";
  return record;
}

}  // namespace

Result<std::vector<DeliveryRecord>> read_delivery_records(redis::Client& redis, const std::vector<DeliveryId>& ids) {
  std::vector<redis::Command> commands;
  for (const auto& id : ids) {
    commands.push_back({"GET", queue_keys::delivery(id)});
    commands.push_back({"GET", queue_keys::message(id.message())});
  }
  std::vector<DeliveryRecord> records;
  if (ids.empty()) return records;
  auto replies = redis.pipeline(commands);
  if (!replies) return replies.error();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto& delivery = (*replies)[2 * i];
    const auto& message = (*replies)[2 * i + 1];
    if (delivery.is_nil() || message.is_nil()) continue;  // trimmed meanwhile
    auto shared = decode_message(message.text());
    auto stored = shared ? decode_delivery(ids[i], delivery.text(), *shared) : shared.error();
    records.push_back(stored ? std::move(stored->record) : unreadable(ids[i], stored.error()));
  }
  return records;
}

Result<DeliveryRecord> read_delivery_record(redis::Client& redis, const DeliveryId& id) {
  auto records = read_delivery_records(redis, {id});
  if (!records) return records.error();
  if (records->empty()) return Error::not_found("there is no delivery " + id.text());
  return std::move(records->front());
}

Result<std::vector<DeliveryRecord>> read_deliveries_of(redis::Client& redis, const MessageId& message) {
  auto stored = redis.command({"GET", queue_keys::message(message)});
  if (!stored) return stored.error();
  if (stored->is_nil()) return std::vector<DeliveryRecord>();
  auto record = decode_message(stored->text());
  if (!record) return record.error();
  // Finished ones are forgotten one by one, which leaves gaps in the numbers; but all stand in an index by the time at
  // which the message was accepted.
  const std::string when = std::to_string(record->accepted);
  std::vector<redis::Command> commands;
  commands.reserve(all_delivery_states.size());
  for (const auto state : all_delivery_states) {
    commands.push_back({"ZRANGEBYSCORE", queue_keys::state(message.shard(), state), when, when});
  }
  auto sets = redis.pipeline(commands);
  if (!sets) return sets.error();
  std::vector<DeliveryId> ids;
  for (const auto& members : *sets) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      auto id = DeliveryId::parse(members[i].text());
      if (id && id->message() == message) ids.push_back(std::move(*id));
    }
  }
  std::sort(ids.begin(), ids.end(), [](const DeliveryId& a, const DeliveryId& b) { return a.number() < b.number(); });
  return read_delivery_records(redis, ids);
}

}  // namespace sealpost
