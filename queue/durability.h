// SPDX-License-Identifier: Apache-2.0
// Whether a Redis keeps what it is given: its settings, checked at start and by /readyz, and how full store and disk are.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "base/redis/client.h"
#include "base/result.h"

namespace sealpost {

/// What is wrong, as sentences that name the setting to change; empty when nothing is. Temporary: Redis is away.
Result<std::vector<std::string>> check_durability(redis::Client& redis);

/// Says in time that mail should be refused: at 80 % of maxmemory, or when the disk behind an embedded Redis is nearly full (a short
/// write to its append-only file would end it). Asks Redis at most every 500 ms.
class StoreWatermark final {
 public:
  /// `disk_folder`: where the embedded Redis writes; empty for an outside one.
  StoreWatermark(redis::Client& redis, std::string disk_folder) : redis_(redis), disk_folder_(std::move(disk_folder)) {}
  bool full();

 private:
  bool look();
  redis::Client& redis_;
  std::string disk_folder_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point looked_{};
  bool full_ = false;
};

}  // namespace sealpost
