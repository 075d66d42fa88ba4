// SPDX-License-Identifier: Apache-2.0
// Implements rates.h.
#include "queue/rates.h"

#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "base/message_id.h"
#include "base/redis/number.h"
#include "queue/keys.h"

namespace sealpost {
namespace {

constexpr std::int64_t window = 5;  ///< minutes
constexpr std::int64_t minute_ms = 60'000;

/// In milliseconds, as in queue/scripts/common.lua.
constexpr std::array<std::int64_t, 12> latency_bounds = {100,    250,    500,    1'000,   2'500,     5'000,
                                                         10'000, 30'000, 60'000, 300'000, 1'800'000, 7'200'000};

/// Of how many deliveries lie below each bound, and behind the last one: the time, in seconds, that the part took no
/// longer than.
double quantile(const std::vector<double>& counts, double part) {
  const double wanted = part * std::accumulate(counts.begin(), counts.end(), 0.0);
  double before = 0;
  for (std::size_t i = 0; i < latency_bounds.size(); ++i) {
    const double low = i == 0 ? 0 : static_cast<double>(latency_bounds.at(i - 1));
    const double width = static_cast<double>(latency_bounds.at(i)) - low;
    if (counts[i] > 0 && before + counts[i] >= wanted) return (low + width * (wanted - before) / counts[i]) / 1000;
    before += counts[i];
  }
  return static_cast<double>(latency_bounds.back()) / 1000;
}

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

Result<std::optional<DeliveryLatency>> read_latency(redis::Client& redis, Time now) {
  std::vector<std::string> fields;
  fields.reserve(latency_bounds.size() + 1);
  for (const auto bound : latency_bounds) fields.push_back("within:" + std::to_string(bound));
  fields.emplace_back("within:more");
  auto counts = read_means(redis, now, fields, queue_keys::rates);
  if (!counts) return counts.error();
  if (std::accumulate(counts->begin(), counts->end(), 0.0) <= 0) return std::optional<DeliveryLatency>();
  return std::optional(DeliveryLatency{quantile(*counts, 0.5), quantile(*counts, 0.95), quantile(*counts, 0.99)});
}

Result<std::vector<double>> read_rates_of(redis::Client& redis, RateOf what, const std::vector<std::string>& names,
                                          Time now) {
  const std::string kind = what == RateOf::Domains ? ":domains" : ":accounts";
  return read_means(redis, now, names,
                    [&](unsigned shard, std::int64_t minute) { return queue_keys::rates(shard, minute) + kind; });
}

}  // namespace sealpost
