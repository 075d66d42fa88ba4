// SPDX-License-Identifier: Apache-2.0
// Whether a Redis keeps what it is given: its settings, checked at start and by /readyz, and how full store and disk
// are.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/redis/client.h"
#include "base/result.h"

namespace sealpost {

/// What is wrong, as sentences that name the setting to change; empty when nothing is. Temporary: Redis is away.
Result<std::vector<std::string>> check_durability(redis::Client& redis);

struct StoreMemory {
  std::uint64_t used = 0;
  std::uint64_t limit = 0;  ///< maxmemory; 0 for none

  /// True while `octets` more stay below 80 % of maxmemory.
  [[nodiscard]] bool admits(std::uint64_t octets) const { return limit == 0 || used + octets < limit / 10 * 8; }
};
Result<StoreMemory> read_memory(redis::Client& redis);

/// Says in time that mail should be refused: at 80 % of maxmemory, or when the disk behind an embedded Redis is nearly
/// full (a short write to its append-only file would end it). Asks Redis at most every 500 ms.
class StoreWatermark final {
 public:
  /// `disk_folder`: where the embedded Redis writes; empty for an outside one.
  StoreWatermark(redis::Client& redis, std::string disk_folder) : redis_(redis), disk_folder_(std::move(disk_folder)) {}
  bool full() { return !reason().empty(); }
  /// Why mail is refused, for /readyz and logs; empty when it is not.
  std::string reason();

 private:
  [[nodiscard]] std::string look() const;
  redis::Client& redis_;
  std::string disk_folder_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point looked_{};
  std::string reason_;
};

}  // namespace sealpost
