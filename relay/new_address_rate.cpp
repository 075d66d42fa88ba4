// SPDX-License-Identifier: Apache-2.0
// Implements new_address_rate.h with one set of addresses per account and period, which expires by itself.
#include "relay/new_address_rate.h"

namespace sealpost {
namespace {

/// KEYS[1] the set. ARGV: how many it may hold, its lifetime in ms, then the addresses. All of them or none.
const redis::Script& take_script() {
  static const redis::Script script("rate_take", R"(
local fresh = {}
for i = 3, #ARGV do
  if redis.call('SISMEMBER', KEYS[1], ARGV[i]) == 0 then fresh[#fresh + 1] = ARGV[i] end
end
if #fresh == 0 then return 1 end
if redis.call('SCARD', KEYS[1]) + #fresh > tonumber(ARGV[1]) then return 0 end
for _, address in ipairs(fresh) do redis.call('SADD', KEYS[1], address) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1)");
  return script;
}

}  // namespace

std::string NewAddressRate::key(const std::string& account) const {
  const auto window = to_milliseconds(clock_.now()) / limit_.period.count();
  return "account:{0}:new:" + account + ":" + std::to_string(window);
}

Result<bool> NewAddressRate::allows(const std::string& account, const std::string& address_key) {
  auto replies = redis_.pipeline({{"SISMEMBER", key(account), address_key}, {"SCARD", key(account)}});
  if (!replies) return replies.error();
  return (*replies)[0].integer() == 1 || static_cast<std::size_t>((*replies)[1].integer()) < limit_.count;
}

Result<bool> NewAddressRate::take(const std::string& account, const std::vector<std::string>& address_keys) {
  std::vector<std::string> arguments = {std::to_string(limit_.count), std::to_string(limit_.period.count())};
  arguments.insert(arguments.end(), address_keys.begin(), address_keys.end());
  auto reply = redis_.run(take_script(), {key(account)}, arguments);
  if (!reply) return reply.error();
  return reply->integer() == 1;
}

}  // namespace sealpost
