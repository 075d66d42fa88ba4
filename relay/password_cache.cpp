// SPDX-License-Identifier: Apache-2.0
// Implements password_cache.h.
#include "relay/password_cache.h"

#include "base/hmac.h"

namespace sealpost {
namespace {

constexpr std::chrono::minutes lifetime{5};
constexpr std::size_t max_entries = 10'000;

}  // namespace

std::string PasswordCache::digest(const std::string& name, const ScramVerifier& verifier,
                                  const Secret& password) const {
  WipedBuffer input;
  append(input, name);
  input.push_back('\0');
  append(input, verifier.stored_key);  // of fixed length: nothing can be shifted between the parts
  append(input, password.reveal());
  return hmac_sha256(key_.reveal(), view(input));
}

bool PasswordCache::knows(const std::string& name, const ScramVerifier& verifier, const Secret& password) {
  const std::string key = digest(name, verifier, password);
  const std::lock_guard lock(mutex_);
  const auto found = until_.find(key);
  return found != until_.end() && clock_.now() < found->second;
}

void PasswordCache::remember(const std::string& name, const ScramVerifier& verifier, const Secret& password) {
  const Time now = clock_.now();
  const std::lock_guard lock(mutex_);
  if (until_.size() >= max_entries) std::erase_if(until_, [&](const auto& entry) { return entry.second <= now; });
  if (until_.size() >= max_entries) until_.clear();
  until_[digest(name, verifier, password)] = now + lifetime;
}

}  // namespace sealpost
