// SPDX-License-Identifier: Apache-2.0
// What `sealpostctl top` shows, as lines of text.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "queue/queue_summary.h"

namespace sealpost::ctl {

/// As many rows and columns as a terminal has; longer lines are cut.
struct ScreenSize {
  std::size_t rows = 24;
  std::size_t columns = 80;
};

/// Rates, states, ages, and the destinations for which the most waits.
std::vector<std::string> top_screen(const QueueSummary& summary, Time now, ScreenSize size);

}  // namespace sealpost::ctl
