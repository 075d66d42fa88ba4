// SPDX-License-Identifier: Apache-2.0
// Implements crl_publisher.h.
#include "crypto/crl_publisher.h"

#include "crypto/revoked_certificates.h"

namespace sealpost {

Result<std::string> CrlPublisher::list() {
  const std::lock_guard lock(mutex_);
  const Time now = clock_.now();
  const Duration age = now - made_;
  const bool backwards = age < Duration(0);  // the clock was set back
  if (!der_.empty() && !backwards && age < lifetime) return der_;
  auto revoked = revoked_certificates(redis_, wrapper_, log_);
  if (!revoked) {
    const bool of_today = !der_.empty() && !backwards && age < std::chrono::hours(24);
    return of_today ? Result<std::string>(der_) : Result<std::string>(revoked.error());
  }
  auto der = authority_.revocation_list(*revoked);
  if (!der) return der;
  der_ = *der;
  made_ = now;
  return der;
}

}  // namespace sealpost
