// SPDX-License-Identifier: Apache-2.0
// Implements owed_receipts.h. Keys and fields: docs/redis.md, "Pickup".
#include "notify/owed_receipts.h"

#include "base/encoding.h"
#include "base/redis/number.h"
#include "notify/pickup_keys.h"

namespace sealpost {
namespace {

/// Seconds that an address's owed receipts are kept after the last was noted.
constexpr auto kept = "7776000";

}  // namespace

std::string OwedReceipts::key(const std::string& address) const {
  return pickup_address_key(wrapper_, address, "owed");
}

std::string OwedReceipts::mac(const std::string& address, const std::string& fingerprint,
                              const std::string& time) const {
  return wrapper_.mac(Purpose::PickupLink, "owed " + address + '\0' + fingerprint + '\0' + time);
}

Status OwedReceipts::add(const std::string& address, const std::string& fingerprint, Time destroyed) {
  const std::string time = std::to_string(to_milliseconds(destroyed));
  auto done = redis_.pipeline({{"HSET", key(address), fingerprint, time + " " + mac(address, fingerprint, time)},
                               {"EXPIRE", key(address), kept}});
  return done ? Status() : Status(done.error());
}

Result<std::optional<Time>> OwedReceipts::find(const std::string& address, const std::string& fingerprint) {
  auto row = redis_.command({"HGET", key(address), fingerprint});
  if (!row) return row.error();
  if (row->is_nil()) return std::optional<Time>();
  const std::string_view text = row->text();
  const auto blank = text.find(' ');
  if (blank == std::string_view::npos) return std::optional<Time>();
  const std::string time(text.substr(0, blank));
  if (!equal_in_constant_time(mac(address, fingerprint, time), text.substr(blank + 1))) return std::optional<Time>();
  return std::optional(from_milliseconds(redis::to_number(time)));
}

Result<std::vector<std::string>> OwedReceipts::all(const std::string& address) {
  auto fields = redis_.command({"HKEYS", key(address)});
  if (!fields) return fields.error();
  std::vector<std::string> fingerprints;
  for (std::size_t i = 0; i < fields->size(); ++i) fingerprints.emplace_back((*fields)[i].text());
  return fingerprints;
}

Status OwedReceipts::settle(const std::string& address, const std::string& fingerprint) {
  auto done = redis_.command({"HDEL", key(address), fingerprint});
  return done ? Status() : Status(done.error());
}

}  // namespace sealpost
