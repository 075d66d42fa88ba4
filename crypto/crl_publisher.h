// SPDX-License-Identifier: Apache-2.0
// The certificate revocation list as everybody may fetch it: made anew when it is asked for and a minute old, since
// anybody may ask and each signature costs milliseconds. One caller makes it and may wait for the store; nobody waits
// with it who can have the last one.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
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

  /// After the store failed it is left alone for so long.
  static constexpr std::chrono::seconds pause{5};

  /// DER. While the store is away, or another caller makes the next one: the last one, as long as there is one of this
  /// day.
  Result<std::string> list();

 private:
  /// One that is made at this moment.
  class Making;
  [[nodiscard]] bool is_younger(Duration limit) const;
  [[nodiscard]] bool may_ask() const;
  [[nodiscard]] Result<std::string> last() const;
  Result<std::string> make();
  Result<std::string> sign_anew();

  redis::Client& redis_;
  Wrapper& wrapper_;
  const CertificateAuthority& authority_;
  const Clock& clock_;
  Log& log_;
  std::mutex mutex_;  ///< never held while the store is asked
  std::condition_variable ended_;
  bool making_ = false;
  std::string der_;
  Time made_{};
  std::optional<Error> failed_;  ///< why there is no newer one
  Time failed_at_{};
};

}  // namespace sealpost
