// SPDX-License-Identifier: Apache-2.0
// Implements address_entries.h.
#include "crypto/address_entries.h"

#include <algorithm>
#include <map>

#include "crypto/directory_entry.h"

namespace sealpost {

std::string AddressEntries::hash_key(const std::string& address_key) {
  return directory_prefix(address_key) + "address:" + address_key;
}

Result<KeyRecord> AddressEntries::decode(const std::string& address_key, std::string_view entry) {
  auto record = decode_entry(wrapper_, address_key, entry);
  if (!record) {
    log_.error("directory.entry_altered", {{"address", address_key}, {"reason", record.error().internal_detail}});
  }
  return record;
}

Result<std::vector<StoredPair>> AddressEntries::all(const std::string& address_key) {
  auto reply = redis_.command({"HGETALL", hash_key(address_key)});
  if (!reply) return reply.error();
  std::vector<StoredPair> pairs;
  std::map<std::string, std::string, std::less<>> keys;
  for (std::size_t i = 0; i + 1 < reply->size(); i += 2) {
    const auto field = (*reply)[i].text();
    const auto value = (*reply)[i + 1].text();
    if (field.starts_with(key_field)) keys.emplace(field.substr(key_field.size()), value);
    if (field != current_field && !field.starts_with(pair_field)) continue;
    auto record = decode(address_key, value);
    if (!record) return record.error();
    pairs.push_back({std::move(*record), std::string(field), std::string(value), {}});
  }
  for (auto& pair : pairs) {
    const auto key = keys.find(pair.record.fingerprint);
    // What stands there of a destroyed key was put back by somebody who had a copy.
    if (key == keys.end() || pair.record.destroyed) continue;
    pair.wrapped_key = key->second;
    pair.record.available = true;
  }
  // Which one is current no clock says: those of two nodes may differ, or be set back.
  std::stable_sort(pairs.begin(), pairs.end(), [](const StoredPair& a, const StoredPair& b) {
    if (a.is_current() != b.is_current()) return a.is_current();
    return a.record.assigned > b.record.assigned;
  });
  return pairs;
}

Result<StoredPair> AddressEntries::find(const std::string& address_key, std::string_view fingerprint) {
  auto pairs = all(address_key);
  if (!pairs) return pairs.error();
  const auto found = std::find_if(pairs->begin(), pairs->end(), [&](const StoredPair& pair) {
    return fingerprint.empty() ? pair.is_current() : pair.record.fingerprint == fingerprint;
  });
  if (found == pairs->end()) return Error::not_found("the address has no such pair");
  return std::move(*found);
}

}  // namespace sealpost
