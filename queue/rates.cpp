// SPDX-License-Identifier: Apache-2.0
// Implements rates.h.
#include "queue/rates.h"

#include <array>
#include <string>
#include <vector>

#include "base/message_id.h"
#include "base/redis/number.h"
#include "queue/keys.h"

namespace sealpost {
namespace {

constexpr std::int64_t window = 5;  ///< minutes
constexpr std::int64_t minute_ms = 60'000;

double count_of(const redis::ReplyView& field) { return static_cast<double>(redis::to_number(field.text())); }

}  // namespace

/// The minute that runs counts whole, the one that leaves the window by the part of it that is still inside.
Result<QueueRates> read_rates(redis::Client& redis, Time now) {
  const std::int64_t minute = to_milliseconds(now) / minute_ms;
  const double inside = 1 - static_cast<double>(to_milliseconds(now) % minute_ms) / minute_ms;
  std::vector<redis::Command> commands;
  for (std::int64_t back = 0; back <= window; ++back) {
    for (unsigned shard = 0; shard < shard_count; ++shard) {
      commands.push_back(
          {"HMGET", queue_keys::rates(shard, minute - back), "accepted", "delivered", "deferred", "bounced"});
    }
  }
  auto replies = redis.pipeline(commands);
  if (!replies) return replies.error();
  QueueRates rates;
  const std::array<double*, 4> fields = {&rates.accepted, &rates.delivered, &rates.deferred, &rates.bounced};
  for (std::size_t i = 0; i < replies->size(); ++i) {
    const double weight = i / shard_count == window ? inside : 1;
    for (std::size_t field = 0; field < fields.size(); ++field) {
      *fields[field] += weight * count_of((*replies)[i][field]) / window;
    }
  }
  return rates;
}

}  // namespace sealpost
