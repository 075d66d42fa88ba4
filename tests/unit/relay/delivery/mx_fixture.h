// SPDX-License-Identifier: Apache-2.0
// MX delivery to scripted servers on several loopback addresses, which a real DNS server names.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "relay/delivery/mx_next_hop.h"
#include "relay/delivery/unbound_resolver.h"
#include "tests/support/nsd.h"
#include "tests/support/smtp_server.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/relay/delivery/delivery_fixture.h"

namespace sealpost::test {

/// Host number N is N.host.example.com at 127.0.0.N, where a server may listen or not.
class MxTest : public ::testing::Test {
 protected:
  MxTest() {
    TestCertificates::get();
    policy.own_name = "relay.example.org";
    policy.allow_private = true;
    const std::chrono::seconds generous(60);
    policy.timeouts = {generous, generous, generous, generous, generous, generous, generous};
  }

  /// A server at 127.0.0.N; all have the same port.
  SmtpServer& serve(int number, SmtpServerOptions options = {}) {
    options.address = "127.0.0." + std::to_string(number);
    options.port = policy.port == 25 ? 0 : policy.port;
    servers.push_back(std::make_unique<SmtpServer>(std::move(options)));
    policy.port = servers.back()->port();
    return *servers.back();
  }
  /// After the last server.
  void resolve(const std::string& records) {
    std::string hosts;
    for (int number = 2; number < 10; ++number) {
      hosts += std::to_string(number) + ".host A 127.0.0." + std::to_string(number) + "\n";
    }
    dns = std::make_unique<Nsd>("example.com", hosts + records);
    auto resolver = UnboundResolver::make(dns->place());
    ASSERT_TRUE(resolver) << resolver.error().internal_detail;
    hop = std::make_unique<MxNextHop>(policy, own, connections, *std::move(resolver), random, stop);
  }
  static Claim claim_for(const std::string& domain) {
    Claim claim = make_claim("bob@" + domain);
    claim.delivery.domain = domain;
    claim.delivery.destination = domain;
    return claim;
  }
  Attempt attempt(const std::string& domain) {
    PiecesBody body;
    return hop->attempt(claim_for(domain), body);
  }

  MxPolicy policy;
  OwnAddresses own;
  SmtpConnectionsOptions connections;
  SystemRandom random;
  PollableFlag stop;
  std::vector<std::unique_ptr<SmtpServer>> servers;
  std::unique_ptr<Nsd> dns;
  std::unique_ptr<MxNextHop> hop;
};

}  // namespace sealpost::test
