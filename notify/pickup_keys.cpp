// SPDX-License-Identifier: Apache-2.0
// Implements pickup_keys.h.
#include "notify/pickup_keys.h"

#include "base/encoding.h"
#include "pickup_scripts.h"

namespace sealpost {

std::string pickup_shard_tag(std::string_view hex) {
  return "{" + std::to_string(hex.front() <= '9' ? hex.front() - '0' : hex.front() - 'a' + 10) + "}";
}

std::string pickup_address_key(Wrapper& wrapper, const std::string& address, std::string_view kind) {
  const std::string hex = to_hex(wrapper.mac(Purpose::PickupToken, address).substr(0, 1));
  return "pickup:" + pickup_shard_tag(hex) + ":" + std::string(kind) + ":" + address;
}

const redis::Script& pickup_attempt_script() {
  static const redis::Script script("pickup_attempt", std::string(scripts::attempt_lua));
  return script;
}

}  // namespace sealpost
