// SPDX-License-Identifier: Apache-2.0
// Implements new_address_rate.h with one counter per account and period, which expires by itself.
#include "relay/new_address_rate.h"

#include <charconv>

namespace sealpost {
namespace {

const redis::Script& take_script() {
  static const redis::Script script("rate_take", R"(
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if used + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return 0 end
redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1)");
  return script;
}

}  // namespace

std::string NewAddressRate::key(const std::string& account) const {
  const auto window = to_milliseconds(clock_.now()) / limit_.period.count();
  return "account:{0}:new:" + account + ":" + std::to_string(window);
}

Result<bool> NewAddressRate::allows(const std::string& account) {
  auto reply = redis_.command({"GET", key(account)});
  if (!reply) return reply.error();
  std::size_t used = 0;
  const auto text = reply->text();
  std::from_chars(text.data(), text.data() + text.size(), used);
  return used < limit_.count;
}

Result<bool> NewAddressRate::take(const std::string& account, std::size_t addresses) {
  auto reply =
      redis_.run(take_script(), {key(account)},
                 {std::to_string(addresses), std::to_string(limit_.count), std::to_string(limit_.period.count())});
  if (!reply) return reply.error();
  return reply->integer() == 1;
}

}  // namespace sealpost
