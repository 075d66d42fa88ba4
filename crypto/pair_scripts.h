// SPDX-License-Identifier: Apache-2.0
// The scripts that change an address's current pair; each leaves it where an operator's counts find it
// (scripts/pair_index.lua, key_summary.h).
#pragma once

#include "base/redis/client.h"

namespace sealpost::pair_scripts {

const redis::Script& assign();
/// Runs in a full Redis, too: a key can always be forgotten or revoked.
const redis::Script& change();
/// For pairs that an earlier version left.
const redis::Script& index();

}  // namespace sealpost::pair_scripts
