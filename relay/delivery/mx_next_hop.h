// SPDX-License-Identifier: Apache-2.0
// delivery.route = mx: each recipient's domain is a destination, whose hosts DNS names; they are tried in turn until
// one lets us in.
#pragma once

#include <Poco/Net/SocketAddress.h>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/random.h"
#include "conf/settings.h"
#include "relay/delivery/mail_hosts.h"
#include "relay/delivery/next_hop.h"
#include "relay/delivery/own_addresses.h"
#include "relay/delivery/resolver.h"
#include "relay/delivery/smtp_connections.h"

namespace sealpost {

/// What MX delivery goes by.
struct MxPolicy {
  std::string own_name;                         ///< relay.hostname
  std::uint16_t port = 25;                      ///< delivery.port
  TlsPolicy tls = TlsPolicy::Opportunistic;     ///< delivery.tls
  std::map<std::string, TlsPolicy> domain_tls;  ///< [delivery.domain.…], by A-label domain
  bool allow_private = false;                   ///< delivery.allow_private
  SmtpTimeouts timeouts;
  std::chrono::milliseconds search{std::chrono::seconds(120)};  ///< when it is over, no further host is tried
};

/// An address of a host that takes the domain's mail.
struct MxCandidate {
  MxRecord host;
  Poco::Net::SocketAddress address;
};

class MxNextHop final : public NextHop {
 public:
  /// The resolver is the next hop's own; random and flag must outlive it.
  MxNextHop(MxPolicy policy, OwnAddresses own, SmtpConnectionsOptions connections, std::unique_ptr<Resolver> resolver,
            Random& random, const PollableFlag& stop)
      : policy_(std::move(policy)),
        own_(std::move(own)),
        resolver_(std::move(resolver)),
        random_(random),
        stop_(stop),
        connections_(connections, stop) {}

  Attempt attempt(const Claim& claim, DeliveryBody& body) override;
  void tidy() override;

 private:
  using Candidates = std::vector<MxCandidate>;
  Result<Candidates, Outcome> candidates(const std::string& domain, Deadline deadline);
  /// Those that took no connection lately come last; so many are tried at most.
  void put_in_order(Candidates& candidates);
  [[nodiscard]] std::shared_ptr<const SmtpTarget> target(const std::string& domain, const MxCandidate& candidate) const;
  void note_dead(const Poco::Net::SocketAddress& address);

  MxPolicy policy_;
  OwnAddresses own_;
  std::unique_ptr<Resolver> resolver_;
  Random& random_;
  const PollableFlag& stop_;
  SmtpConnections connections_;
  std::mutex mutex_;
  std::map<std::string, std::chrono::steady_clock::time_point> dead_;  ///< by address and port: since when
};

}  // namespace sealpost
