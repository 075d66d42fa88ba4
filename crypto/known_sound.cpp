// SPDX-License-Identifier: Apache-2.0
// Implements known_sound.h.
#include "crypto/known_sound.h"

namespace sealpost {

std::optional<UsableCertificate> KnownSound::find(std::string_view der) {
  const std::lock_guard lock(mutex_);
  const auto found = parsed_.find(std::string(der));
  if (found == parsed_.end() || X509_up_ref(found->second.certificate.get()) != 1) return std::nullopt;
  return UsableCertificate{X509Ptr(found->second.certificate.get()), found->second.kind};
}

bool KnownSound::was_checked(const std::string& fingerprint) {
  const std::lock_guard lock(mutex_);
  return checked_.contains(fingerprint);
}

void KnownSound::add(std::string_view der, const std::string& fingerprint, const UsableCertificate& usable) {
  const std::lock_guard lock(mutex_);
  if (checked_.size() >= max_checked) checked_.erase(checked_.begin());
  checked_.insert(fingerprint);
  std::string key(der);
  if (der.size() > max_octets || parsed_.contains(key)) return;
  make_room(der.size());
  if (X509_up_ref(usable.certificate.get()) != 1) return;
  parsed_.emplace(std::move(key), UsableCertificate{X509Ptr(usable.certificate.get()), usable.kind});
  octets_ += der.size();
}

std::size_t KnownSound::octets() {
  const std::lock_guard lock(mutex_);
  return octets_;
}

/// As few go as must, whichever: with all of them gone, the next mail to many would pay for each again.
void KnownSound::make_room(std::size_t octets) {
  while (octets_ + octets > max_octets) {
    octets_ -= parsed_.begin()->first.size();
    parsed_.erase(parsed_.begin());
  }
}

}  // namespace sealpost
