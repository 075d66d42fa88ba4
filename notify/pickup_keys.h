// SPDX-License-Identifier: Apache-2.0
// What the keys of pickup in Redis are called (docs/redis.md, "Pickup"), and the script that counts attempts at a code.
#pragma once

#include <string>
#include <string_view>

#include "base/redis/client.h"
#include "base/wrapper.h"

namespace sealpost {

/// "{S}" of a key that is named by a hex MAC: its first digit.
std::string pickup_shard_tag(std::string_view hex);
/// "pickup:{S}:KIND:ADDRESS". All keys of an address share a slot.
std::string pickup_address_key(Wrapper& wrapper, const std::string& address, std::string_view kind);
/// Counts an attempt at the code in a hash before anybody compares it.
const redis::Script& pickup_attempt_script();

}  // namespace sealpost
