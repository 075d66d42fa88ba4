// SPDX-License-Identifier: Apache-2.0
// Walks the queue's indexes of all shards, merged in the order in which deliveries were created. A place in that order
// is a place for good: what comes, goes or changes its state beside it moves nothing.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/message_id.h"
#include "base/redis/client.h"
#include "base/result.h"

namespace sealpost {

/// Where a delivery stands: by creation in milliseconds, then by the octets of its id, as Redis sorts equal scores.
struct IndexPosition {
  std::int64_t created = 0;
  std::string id;
  auto operator<=>(const IndexPosition&) const = default;  // NOLINT(modernize-use-nullptr): of clang-tidy 14
};

struct IndexEntry {
  IndexPosition position;
  DeliveryId id;
};

enum class WalkOrder { OldestFirst, NewestFirst };

struct WalkRange {
  WalkOrder order = WalkOrder::OldestFirst;
  std::optional<IndexPosition> behind;      ///< where an earlier walk ended
  std::optional<std::int64_t> from, until;  ///< created in this range, in milliseconds, both included
};

class IndexWalk final {
 public:
  /// `sets`: of each shard those that are walked, sorted sets whose members are delivery ids and whose scores are
  /// creations. They are read at one moment, so that a delivery that moves from one of them to another is met once,
  /// whenever it does so.
  IndexWalk(redis::Client& redis, std::vector<std::vector<std::string>> sets, const WalkRange& range);

  /// The next one; nothing at the end.
  Result<std::optional<IndexEntry>> next();
  /// The next few; empty at the end.
  Result<std::vector<IndexEntry>> next_few(std::size_t most);

 private:
  /// The sets of one shard, read from one of their ends.
  struct Shard {
    std::vector<std::string> sets;
    std::optional<IndexPosition> last{};  ///< up to which all of them were read
    bool ended = false;
    std::deque<IndexEntry> entries{};
  };
  Status fill();
  void take(Shard& shard, const redis::Reply& reply);
  [[nodiscard]] redis::Client::Call call_for(const Shard& shard) const;
  /// `a` comes before `b` in the order of this walk.
  [[nodiscard]] bool before(const IndexPosition& a, const IndexPosition& b) const;

  redis::Client& redis_;
  bool newest_first_;
  std::string first_score_, last_score_;  ///< the range, in the order of the walk
  std::vector<Shard> shards_;
  std::size_t batch_;  ///< of each set
};

}  // namespace sealpost
