// SPDX-License-Identifier: Apache-2.0
// Implements rates.h.
#include "queue/rates.h"

#include <string>
#include <vector>

#include "base/message_id.h"
#include "base/redis/number.h"
#include "queue/keys.h"

namespace sealpost {
namespace {

constexpr std::int64_t window = 5;  ///< minutes
constexpr std::int64_t minute_ms = 60'000;

/// Means of some fields over the window, of one hash for each shard and minute. The minute that runs counts whole, the
/// one that leaves the window by the part of it that is still inside.
template <class KeyOf>
Result<std::vector<double>> read_means(redis::Client& redis, Time now, const std::vector<std::string>& fields,
                                       KeyOf key_of) {
  std::vector<double> means(fields.size(), 0);
  if (fields.empty()) return means;
  const std::int64_t minute = to_milliseconds(now) / minute_ms;
  const double inside = 1 - static_cast<double>(to_milliseconds(now) % minute_ms) / minute_ms;
  std::vector<redis::Command> commands;
  for (std::int64_t back = 0; back <= window; ++back) {
    for (unsigned shard = 0; shard < shard_count; ++shard) {
      redis::Command command = {"HMGET", key_of(shard, minute - back)};
      command.insert(command.end(), fields.begin(), fields.end());
      commands.push_back(std::move(command));
    }
  }
  auto replies = redis.pipeline(commands);
  if (!replies) return replies.error();
  for (std::size_t i = 0; i < replies->size(); ++i) {
    const double weight = i / shard_count == window ? inside : 1;
    for (std::size_t field = 0; field < fields.size(); ++field) {
      means[field] += weight * static_cast<double>(redis::to_number((*replies)[i][field].text())) / window;
    }
  }
  return means;
}

}  // namespace

Result<QueueRates> read_rates(redis::Client& redis, Time now) {
  auto means = read_means(redis, now, {"accepted", "delivered", "deferred", "bounced"}, queue_keys::rates);
  if (!means) return means.error();
  return QueueRates{(*means)[0], (*means)[1], (*means)[2], (*means)[3]};
}

Result<std::vector<double>> read_rates_of(redis::Client& redis, RateOf what, const std::vector<std::string>& names,
                                          Time now) {
  const std::string kind = what == RateOf::Domains ? ":domains" : ":accounts";
  return read_means(redis, now, names,
                    [&](unsigned shard, std::int64_t minute) { return queue_keys::rates(shard, minute) + kind; });
}

}  // namespace sealpost
