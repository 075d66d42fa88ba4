// SPDX-License-Identifier: Apache-2.0
// Implements key_summary.h.
#include "crypto/key_summary.h"

#include <algorithm>
#include <tuple>

#include "base/message_id.h"
#include "base/redis/number.h"
#include "crypto/pair_scripts.h"

namespace sealpost {
namespace {

const std::string indexed_mark = "keys:indexed";
constexpr const char* scanned_at_once = "1000";

std::string set_key(unsigned shard, const char* set) { return "keys:{" + std::to_string(shard) + "}:" + set; }

void keep_earliest(std::optional<Time>& earliest, const redis::ReplyView& first) {
  if (first.size() != 2) return;
  const Time time = from_milliseconds(redis::to_number(first[1].text()));
  if (!earliest || time < *earliest) earliest = time;
}

}  // namespace

Result<KeySummary> read_key_summary(redis::Client& redis, Time now, std::size_t rows) {
  const std::string begin = std::to_string(to_milliseconds(now));
  const std::string end = std::to_string(to_milliseconds(now + ends_soon));
  std::vector<redis::Command> commands;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    const std::string waiting = set_key(shard, "not_picked_up");
    const std::string own = set_key(shard, "own_ends");
    commands.insert(commands.end(),
                    {{"ZCARD", waiting},
                     {"ZRANGE", waiting, "0", "0", "WITHSCORES"},
                     {"ZCOUNT", own, "-inf", begin},
                     {"ZCOUNT", own, "(" + begin, end},
                     {"ZRANGEBYSCORE", own, "-inf", end, "WITHSCORES", "LIMIT", "0", std::to_string(rows)}});
  }
  auto replies = redis.pipeline(commands);
  if (!replies) return replies.error();
  KeySummary summary;
  for (auto reply = replies->begin(); reply != replies->end(); reply += 5) {
    summary.not_picked_up += static_cast<std::size_t>(reply[0].integer());
    keep_earliest(summary.oldest_not_picked_up, reply[1]);
    summary.ended += static_cast<std::size_t>(reply[2].integer());
    summary.ending += static_cast<std::size_t>(reply[3].integer());
    for (std::size_t i = 0; i + 1 < reply[4].size(); i += 2) {
      summary.soonest.push_back(
          {std::string(reply[4][i].text()), from_milliseconds(redis::to_number(reply[4][i + 1].text()))});
    }
  }
  std::sort(summary.soonest.begin(), summary.soonest.end(),
            [](const auto& a, const auto& b) { return std::tie(a.ends, a.address) < std::tie(b.ends, b.address); });
  if (summary.soonest.size() > rows) summary.soonest.resize(rows);
  return summary;
}

Status index_earlier_pairs(redis::Client& redis) {
  auto done = redis.command({"EXISTS", indexed_mark});
  if (!done) return done.error();
  if (done->integer() == 1) return {};
  std::string cursor = "0";
  do {
    auto page = redis.command({"SCAN", cursor, "MATCH", "keys:{*}:address:*", "COUNT", scanned_at_once});
    if (!page) return page.error();
    cursor = (*page)[0].text();
    std::vector<redis::Client::Call> calls;
    for (std::size_t i = 0; i < (*page)[1].size(); ++i) calls.push_back({{std::string((*page)[1][i].text())}, {}});
    if (calls.empty()) continue;
    if (auto indexed = redis.run_all(pair_scripts::index(), calls); !indexed) return indexed.error();
  } while (cursor != "0");
  auto marked = redis.command({"SET", indexed_mark, "1"});
  return marked ? Status() : Status(marked.error());
}

}  // namespace sealpost
