// SPDX-License-Identifier: Apache-2.0
// What `sealpostctl top` shows, as lines of text.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "queue/queue_summary.h"
#include "relay/ctl/output.h"

namespace sealpost::ctl {

/// States, rates, ages, keys, and the destinations in the order of the summary: as many lines as fit above the
/// terminal's last one. Numbers are never cut, as errors are.
std::vector<std::string> top_screen(const QueueSummary& summary, Time now, ScreenSize size);

}  // namespace sealpost::ctl
