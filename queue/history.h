// SPDX-License-Identifier: Apache-2.0
// Forgets finished deliveries: those past their time, and the oldest while Redis is more than half full. Unfinished
// ones are never touched.
#pragma once

#include "base/clock.h"
#include "base/redis/client.h"
#include "base/result.h"

namespace sealpost {

/// Forgets what finished at `before` or earlier, then, above 50 % of maxmemory, the oldest of all shards until it is
/// below. Goes in steps that no client waits for, and ends after some of them: call again soon. Returns how many
/// records went.
Result<std::size_t> trim_finished(redis::Client& redis, Time before);

}  // namespace sealpost
