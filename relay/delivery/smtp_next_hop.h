// SPDX-License-Identifier: Apache-2.0
// A fixed SMTP or LMTP next hop: keeps connections and uses them for one delivery after the other.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>

#include "conf/settings.h"
#include "relay/delivery/next_hop.h"
#include "relay/delivery/smtp_client.h"

namespace sealpost {

/// notify.tls: whether a delivery may go over a connection of this kind.
bool may_travel(const DeliveryRecord& delivery, NotifyTls policy, Route::Kind route, bool secure, bool loopback);

class SmtpNextHop final : public NextHop {
 public:
  /// `notify_tls`: notifications carry a code and travel over TLS only, unless the next hop is loopback or LMTP.
  /// Raising `stop` ends the attempts that run. A kept connection is closed when it was not used for `max_idle`.
  SmtpNextHop(SmtpTarget target, NotifyTls notify_tls, const PollableFlag& stop,
              std::chrono::milliseconds max_idle = std::chrono::seconds(30))
      : target_(std::move(target)), notify_tls_(notify_tls), stop_(stop), max_idle_(max_idle) {}

  Attempt attempt(const Claim& claim, DeliveryBody& body) override;

 private:
  struct Kept {
    std::unique_ptr<SmtpClient> client;
    unsigned transactions = 0;
    std::chrono::steady_clock::time_point since;
  };
  [[nodiscard]] bool is_fresh(const Kept& kept) const;
  std::unique_ptr<Kept> take_kept();
  void keep(std::unique_ptr<Kept> kept);

  SmtpTarget target_;
  NotifyTls notify_tls_;
  const PollableFlag& stop_;
  std::chrono::milliseconds max_idle_;
  std::mutex mutex_;
  std::deque<std::unique_ptr<Kept>> kept_;  ///< the longest idle first
};

}  // namespace sealpost
