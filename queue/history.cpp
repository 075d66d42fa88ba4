// SPDX-License-Identifier: Apache-2.0
// Implements history.h.
#include "queue/history.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/message_id.h"
#include "base/redis/number.h"
#include "queue/durability.h"
#include "queue/keys.h"
#include "queue/scripts.h"

namespace sealpost {
namespace {

/// Records that one run of the script forgets at most: about a millisecond of Redis' time.
constexpr std::int64_t step = 50;
/// One call begins no round after this, so that whoever makes it can keep its leases alive.
constexpr std::chrono::seconds longest_call{2};
/// Under pressure a round takes about this part of the history, and not less than so many: a small store must not lose
/// all of it at once.
constexpr std::int64_t part = 8;
constexpr std::int64_t least_step = 4;

/// How many records a round may take from each shard.
Result<std::int64_t> fair_step(redis::Client& redis) {
  std::vector<redis::Command> commands;
  for (unsigned shard = 0; shard < shard_count; ++shard) commands.push_back({"ZCARD", queue_keys::finished(shard)});
  auto replies = redis.pipeline(commands);
  if (!replies) return replies.error();
  std::int64_t total = 0;
  for (const auto& reply : *replies) total += reply.integer();
  return std::clamp<std::int64_t>(total / shard_count / part, least_step, step);
}

/// The latest time up to which every shard has no more than `count` records, so that none of them loses younger ones
/// than the others.
Result<std::int64_t> oldest_until(redis::Client& redis, std::int64_t count) {
  const std::string rank = std::to_string(count - 1);
  std::vector<redis::Command> commands;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    commands.push_back({"ZRANGE", queue_keys::finished(shard), rank, rank, "WITHSCORES"});
  }
  auto replies = redis.pipeline(commands);
  if (!replies) return replies.error();
  auto earliest = std::numeric_limits<std::int64_t>::max();
  for (const auto& reply : *replies) {
    if (reply.size() == 2) earliest = std::min(earliest, redis::to_number(reply[1].text()));
  }
  return earliest;
}

struct Round {
  std::size_t forgotten = 0;
  bool more = false;  ///< a shard had as many as one step takes
};

Result<Round> run_round(redis::Client& redis, std::int64_t before, std::int64_t count) {
  const std::vector<std::string> arguments = {std::to_string(before), std::to_string(count)};
  std::vector<redis::Client::Call> calls;
  for (unsigned shard = 0; shard < shard_count; ++shard) calls.push_back({{queue_keys::base(shard)}, arguments});
  auto replies = redis.run_all(queue_scripts::trim(), calls);
  if (!replies) return replies.error();
  Round round;
  for (const auto& reply : *replies) {
    round.forgotten += static_cast<std::size_t>(reply.integer());
    round.more = round.more || reply.integer() == count;
  }
  return round;
}

Result<bool> is_half_full(redis::Client& redis) {
  auto memory = read_memory(redis);
  if (!memory) return memory.error();
  return memory->limit > 0 && memory->used > memory->limit / 2;
}

/// One round under pressure; nothing forgotten when there is no pressure, or nothing finished.
Result<Round> relieve(redis::Client& redis) {
  auto pressed = is_half_full(redis);
  if (!pressed) return pressed.error();
  if (!*pressed) return Round{};
  auto count = fair_step(redis);
  if (!count) return count.error();
  auto until = oldest_until(redis, *count);
  if (!until) return until.error();
  auto round = run_round(redis, *until, *count);
  if (round) round->more = round->forgotten > 0;
  return round;
}

}  // namespace

Result<std::size_t> trim_finished(redis::Client& redis, Time before) {
  std::size_t forgotten = 0;
  bool aged = true;
  bool pressed = true;
  const auto end = std::chrono::steady_clock::now() + longest_call;
  while ((aged || pressed) && std::chrono::steady_clock::now() < end) {
    auto round = aged ? run_round(redis, to_milliseconds(before), step) : relieve(redis);
    if (!round) return round.error();
    forgotten += round->forgotten;
    (aged ? aged : pressed) = round->more;
  }
  return forgotten;
}

}  // namespace sealpost
