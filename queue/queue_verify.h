// SPDX-License-Identifier: Apache-2.0
// Reconciles the queue's indexes with its records, in small steps beside a relay that runs: finds what is in no index,
// what an index has without a reason, and counts that are wrong.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/redis/client.h"
#include "base/result.h"

namespace sealpost {

struct QueueVerification {
  static constexpr std::size_t told_at_most = 100;
  std::size_t deliveries = 0;       ///< records that were looked at
  std::size_t entries = 0;          ///< entries of indexes
  std::size_t faults = 0;           ///< repaired, when that was wished
  std::vector<std::string> told{};  ///< the first of them, in words
};

/// `progress` is told of the keys seen so far, of about so many. A message that comes or goes meanwhile is no fault.
Result<QueueVerification> verify_queue(redis::Client& redis, const Clock& clock, bool repair,
                                       const std::function<void(std::size_t seen, std::size_t all)>& progress);

/// What earlier versions wrote has fewer indexes: true when the store holds such a queue.
Result<bool> has_earlier_layout(redis::Client& redis);
/// Makes the indexes of a queue that an earlier version wrote, and removes those that are no more. Before anything is
/// claimed; may be repeated.
Status move_to_layout(redis::Client& redis, const Clock& clock);

}  // namespace sealpost
