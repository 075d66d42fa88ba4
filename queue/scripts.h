// SPDX-License-Identifier: Apache-2.0
// The queue's atomic operations as named Redis scripts (queue/scripts/*.lua).
#pragma once

#include "base/redis/client.h"

namespace sealpost::queue_scripts {

const redis::Script& put();
/// The same for the relay's own mail: a bounce must be possible in a full Redis, else nothing that fails could be
/// drained.
const redis::Script& put_notice();
const redis::Script& claim();
const redis::Script& settle();
const redis::Script& heartbeat();
const redis::Script& reap();
const redis::Script& act();
const redis::Script& trim();
const redis::Script& verify();
/// Read-only: what waits for some domains.
const redis::Script& destinations();
/// Read-only: the next entries of some indexes of a shard, all at one moment.
const redis::Script& walk();
/// These work on one address or one destination, not on a shard of the queue.
const redis::Script& suppress_count();
const redis::Script& suppress_clear();
const redis::Script& permits();

}  // namespace sealpost::queue_scripts
