// SPDX-License-Identifier: Apache-2.0
// When the next attempt is due: pure arithmetic on delivery.retry.
#pragma once

#include <algorithm>
#include <chrono>
#include <span>

#include "base/clock.h"

namespace sealpost {

/// The pause after so many attempts (1 or more): the schedule's steps in turn, the last one for ever.
inline std::chrono::milliseconds retry_pause(std::span<const std::chrono::milliseconds> schedule,
                                             std::size_t attempts) {
  if (schedule.empty()) return std::chrono::hours(1);
  return schedule[std::min(attempts == 0 ? 0 : attempts - 1, schedule.size() - 1)];
}

}  // namespace sealpost
