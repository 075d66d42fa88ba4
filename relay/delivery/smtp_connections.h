// SPDX-License-Identifier: Apache-2.0
// Connections to SMTP and LMTP servers that are kept and used for one delivery after the other.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "base/net/tls_counts.h"
#include "conf/settings.h"
#include "relay/delivery/next_hop.h"
#include "relay/delivery/smtp_client.h"

namespace sealpost {

/// notify.tls: whether a delivery may go over a connection of this kind.
bool may_travel(const DeliveryRecord& delivery, NotifyTls policy, Route::Kind route, bool secure, bool loopback);

struct SmtpConnectionsOptions {
  /// Notifications carry a code and travel over TLS only, unless the server is loopback or LMTP.
  NotifyTls notify_tls = NotifyTls::Required;
  std::size_t max_kept = 128;  ///< of all servers together; beyond, the longest idle is closed
  std::chrono::milliseconds max_idle = std::chrono::seconds(30);
  net::TlsCounts tls = {};  ///< of connections that a server let us in by
};

class SmtpConnections final {
 public:
  /// Raising `stop` ends the attempts that run.
  SmtpConnections(SmtpConnectionsOptions options, const PollableFlag& stop) : options_(options), stop_(stop) {}

  /// Over a kept connection to the same host, port and TLS policy, else over a new one. `reached` tells whether the
  /// server let us in, or another one should be tried.
  Attempt attempt(const std::shared_ptr<const SmtpTarget>& target, const Claim& claim, DeliveryBody& body);
  /// Closes connections that were idle for too long, or are too many.
  void tidy();

 private:
  struct Kept {
    std::shared_ptr<const SmtpTarget> target;  ///< which the client refers to
    std::unique_ptr<SmtpClient> client;
    std::chrono::steady_clock::time_point since;
  };
  using KeptList = std::deque<Kept>;

  std::unique_ptr<Kept> take(const SmtpTarget& target);
  void keep(Kept kept);

  SmtpConnectionsOptions options_;
  const PollableFlag& stop_;
  std::mutex mutex_;
  KeptList kept_;  ///< the longest idle first
};

}  // namespace sealpost
