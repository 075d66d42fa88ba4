// SPDX-License-Identifier: Apache-2.0
// The certificate revocation list as everybody may fetch it: made anew when it is asked for and a minute old, since
// anybody may ask and each signature costs milliseconds.
#pragma once

#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/wrapper.h"
#include "crypto/certificate_authority.h"

namespace sealpost {

class CrlPublisher final {
 public:
  static constexpr std::chrono::minutes lifetime{1};

  CrlPublisher(redis::Client& redis, Wrapper& wrapper, const CertificateAuthority& authority, const Clock& clock,
               Log& log)
      : redis_(redis), wrapper_(wrapper), authority_(authority), clock_(clock), log_(log) {}

  /// DER. While the store is away: the last one, as long as there is one of this day.
  Result<std::string> list();

 private:
  redis::Client& redis_;
  Wrapper& wrapper_;
  const CertificateAuthority& authority_;
  const Clock& clock_;
  Log& log_;
  std::mutex mutex_;
  std::string der_;
  Time made_{};
};

}  // namespace sealpost
