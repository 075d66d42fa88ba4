// SPDX-License-Identifier: Apache-2.0
// How the pairs of an address stand in Redis: one hash, with "current" the entry of its current pair,
// "pair:FINGERPRINT" that of a retired one, "key:FINGERPRINT" a wrapped private key. Reads them; writing is the
// scripts'.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/wrapper.h"
#include "crypto/key_record.h"

namespace sealpost {

inline constexpr std::string_view current_field = "current";
inline constexpr std::string_view pair_field = "pair:";
inline constexpr std::string_view key_field = "key:";

/// One pair, and its entry as a compare-and-set must see it.
struct StoredPair {
  KeyRecord record;
  std::string field;  ///< of the hash
  std::string entry;
  std::string wrapped_key;  ///< empty when the server has none (any more)

  [[nodiscard]] bool is_current() const { return field == current_field; }
};

/// Someone else changed the entry between look and write; more often than this is no coincidence.
inline constexpr int max_change_attempts = 5;

class AddressEntries final {
 public:
  AddressEntries(redis::Client& redis, Wrapper& wrapper, Log& log) : redis_(redis), wrapper_(wrapper), log_(log) {}

  static std::string hash_key(const std::string& address_key);

  /// Permanent, and logged, when the entry fails its MAC.
  Result<KeyRecord> decode(const std::string& address_key, std::string_view entry);
  /// All pairs of the address that are remembered: the current one, then the others, newest first.
  Result<std::vector<StoredPair>> all(const std::string& address_key);
  /// The one of this fingerprint, the current one for none; NotFound when there is no such pair.
  Result<StoredPair> find(const std::string& address_key, std::string_view fingerprint);

 private:
  redis::Client& redis_;
  Wrapper& wrapper_;
  Log& log_;
};

}  // namespace sealpost
