// SPDX-License-Identifier: Apache-2.0
// Implements password_cache.h.
#include "relay/password_cache.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdlib>

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
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
           reinterpret_cast<const unsigned char*>(input.data()), input.size(), out.data(), &size) == nullptr) {
    std::abort();
  }
  return {reinterpret_cast<const char*>(out.data()), size};
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
