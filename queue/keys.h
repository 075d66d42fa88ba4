// SPDX-License-Identifier: Apache-2.0
// Names of the queue's keys in Redis; their meaning stands in docs/redis.md. The scripts build the same names from a
// shard's base.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/message_id.h"
#include "queue/delivery.h"

namespace sealpost::queue_keys {

/// "queue:{S}:", the beginning of every key of a shard.
inline std::string base(unsigned shard) { return "queue:{" + std::to_string(shard) + "}:"; }
inline std::string message(const MessageId& id) { return base(id.shard()) + "message:" + id.text(); }
inline std::string delivery(const DeliveryId& id) { return base(id.message().shard()) + "delivery:" + id.text(); }
inline std::string chunk(const MessageId& id, std::size_t number) {
  return base(id.shard()) + "body:" + id.text() + ":" + std::to_string(number);
}
inline std::string once(unsigned shard, std::string_view hex_mac) {
  return base(shard) + "once:" + std::string(hex_mac);
}
inline std::string destinations(unsigned shard, Schedule schedule) {
  return base(shard) + (schedule == Schedule::Mail ? "destinations" : "destinations:webhooks");
}
inline std::string due(unsigned shard, std::string_view destination) {
  return base(shard) + "due:" + std::string(destination);
}
inline std::string counts(unsigned shard) { return base(shard) + "counts"; }
inline std::string rates(unsigned shard, std::int64_t minute) {
  return base(shard) + "rates:" + std::to_string(minute);
}
inline std::string finished(unsigned shard) { return base(shard) + "finished"; }
inline std::string state(unsigned shard, DeliveryState state) {
  return base(shard) + "state:" + std::to_string(static_cast<unsigned>(state));
}
inline std::string domain(unsigned shard, std::string_view domain, DeliveryState state) {
  return base(shard) + "domain:" + std::string(domain) + ":" + std::to_string(static_cast<unsigned>(state));
}
inline std::string account(unsigned shard, std::string_view name) {
  return base(shard) + "account:" + std::string(name);
}
/// `address` in lower case, "<>" for none.
inline std::string sender(unsigned shard, std::string_view address) {
  return base(shard) + "sender:" + std::string(address);
}
inline std::string recipient(unsigned shard, std::string_view address) {
  return base(shard) + "recipient:" + std::string(address);
}
inline std::string errors(unsigned shard) { return base(shard) + "errors"; }
inline std::string error(unsigned shard, std::string_view error_class) {
  return base(shard) + "error:" + std::string(error_class);
}
inline std::string domains(unsigned shard) { return base(shard) + "domains"; }
inline std::string accounts(unsigned shard) { return base(shard) + "accounts"; }
inline std::string last_errors(unsigned shard) { return base(shard) + "last_errors"; }
/// In the slot of its own name, since it belongs to no message.
inline std::string permits(std::string_view destination) { return "queue:permits:{" + std::string(destination) + "}"; }
inline std::string rest(std::string_view destination) { return "queue:rest:{" + std::string(destination) + "}"; }

}  // namespace sealpost::queue_keys
