// SPDX-License-Identifier: Apache-2.0
// Keeps what strangers can cause from flooding the log: counts events, and gives the count out once a minute at most.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "base/clock.h"

namespace sealpost {

class MinuteTally final {
 public:
  /// Counts one event. The number since the last line when it is time for one, else nothing.
  std::optional<std::size_t> count(Time now) {
    ++events_;
    // A clock that was set back must not silence the log.
    if (told_ && now >= *told_ && now < *told_ + std::chrono::minutes(1)) return std::nullopt;
    told_ = now;
    return std::exchange(events_, 0);
  }

 private:
  std::size_t events_ = 0;
  std::optional<Time> told_;
};

}  // namespace sealpost
