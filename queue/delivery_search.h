// SPDX-License-Identifier: Apache-2.0
// Finds the deliveries that a filter means, however many others there are: walks the smallest of the indexes that the
// filter names, looks the others up, and reads the records of what is left.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/redis/client.h"
#include "base/result.h"
#include "queue/delivery_filter.h"
#include "queue/index_walk.h"

namespace sealpost {

/// Candidates that one page or one count looks at: where a filter's parts are all common, and together rare, it ends
/// early.
inline constexpr std::size_t max_candidates = 20'000;

struct FoundDelivery {
  IndexPosition position;
  DeliveryRecord record;
};

class DeliverySearch final {
 public:
  /// `now`: what ages are measured from.
  static Result<DeliverySearch> begin(redis::Client& redis, const DeliveryFilter& filter, Time now,
                                      const std::optional<IndexPosition>& behind);

  /// Looks at the next few candidates and returns those that match, which may be none; `ended` says when there are no
  /// more candidates.
  Result<std::vector<FoundDelivery>> next();
  [[nodiscard]] bool ended() const { return ended_; }
  /// Candidates looked at so far, and where the latest one stands.
  [[nodiscard]] std::size_t seen() const { return seen_; }
  [[nodiscard]] const std::optional<IndexPosition>& last() const { return last_; }

 private:
  /// One of the filter's wishes: the sets of a shard, of which a match stands in one.
  using Family = std::function<std::vector<std::string>(unsigned shard)>;
  DeliverySearch(redis::Client& redis, DeliveryFilter filter, Time now, const Family& walked,
                 std::vector<Family> looked_up, const WalkRange& range);
  static Result<std::vector<Family>> families_of(redis::Client& redis, const DeliveryFilter& filter);
  /// Puts the smallest first.
  static Status sort_by_size(redis::Client& redis, std::vector<Family>& families, const WalkRange& range);
  Status keep_those_in(const Family& family, std::vector<IndexEntry>& entries);

  redis::Client* redis_;
  DeliveryFilter filter_;
  Time now_;
  IndexWalk walk_;
  std::vector<Family> looked_up_;
  bool ended_ = false;
  std::size_t seen_ = 0;
  std::optional<IndexPosition> last_;
};

}  // namespace sealpost
