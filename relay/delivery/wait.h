// SPDX-License-Identifier: Apache-2.0
// Waiting for a descriptor within an absolute deadline, unless the relay stops.
#pragma once

#include <chrono>

#include "base/result.h"
#include "relay/delivery/pollable_flag.h"

namespace sealpost {

using Deadline = std::chrono::steady_clock::time_point;

/// Waits until the descriptor is ready. Temporary at the deadline, even when the descriptor is always ready, and once
/// `stop` is raised.
Status wait_for(int descriptor, short events, Deadline deadline, const PollableFlag* stop);

}  // namespace sealpost
