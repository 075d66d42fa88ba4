// SPDX-License-Identifier: Apache-2.0
// A sender's program: speaks SMTP line by line over a real connection, and lets a test say anything, wrong things
// included.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "relay/delivery/client_stream.h"
#include "tests/e2e/relay_fixture.h"

namespace sealpost::test {

class Submitter final {
 public:
  /// Connects to smtp (STARTTLS not yet spoken) or smtps.
  Submitter(const RelayFixture& relay, const std::string& service);
  Submitter(int port, bool tls);
  /// Connected over TLS, greeted and logged in as the fixture's account.
  static Submitter logged_in(const RelayFixture& relay);
  static Submitter logged_in(int smtps_port);

  void send(std::string_view octets);
  /// A whole reply, lines joined by '\n'; "closed" when the server hung up, "timeout" after 30 s.
  std::string reply();
  std::string say(const std::string& command);
  void start_tls();
  std::string log_in(const std::string& name, const std::string& password);
  /// MAIL, RCPTs, DATA; the reply to the final dot, or the first refusal. `message` is dot-stuffed here.
  std::string submit(const std::string& from, const std::vector<std::string>& to, const std::string& message,
                     const std::string& mail_parameters = {});

 private:
  std::unique_ptr<ClientStream> stream_;
};

/// A small message with these header fields and text, CRLF line ends.
std::string message(const std::string& subject, const std::string& text, const std::string& from = "alice@example.com");

}  // namespace sealpost::test
