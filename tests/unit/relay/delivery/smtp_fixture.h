// SPDX-License-Identifier: Apache-2.0
// Attempts of an SmtpClient at a scripted server.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "relay/delivery/smtp_client.h"
#include "tests/support/smtp_server.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/relay/delivery/delivery_fixture.h"

namespace sealpost::test {

class SmtpTest : public ::testing::Test {
 protected:
  SmtpTest() {
    target.host = "127.0.0.1";
    target.helo = "relay.example.org";
    const std::chrono::seconds generous(60);
    target.timeouts = {generous, generous, generous, generous, generous, generous, generous, 4096};
  }

  /// The test ends when the server does not let us in.
  std::unique_ptr<SmtpClient> open(const SmtpServer& server) {
    target.port = server.port();
    auto client = SmtpClient::open(target, stop);
    if (!client) throw std::runtime_error("not let in: " + response_of(client.error()));
    return std::move(*client);
  }

  Outcome attempt(const SmtpServer& server, const Claim& claim, PiecesBody& body, const PollableFlag& flag) {
    target.port = server.port();
    auto client = SmtpClient::open(target, flag);
    if (!client) return std::move(client).error();
    trace = (*client)->trace();
    return (*client)->send(claim, body);
  }
  Outcome attempt(const SmtpServer& server, const Claim& claim, PiecesBody& body) {
    return attempt(server, claim, body, stop);
  }
  Outcome attempt(const SmtpServer& server, const Claim& claim = make_claim()) {
    PiecesBody body;
    return attempt(server, claim, body);
  }
  Outcome attempt_with(const SmtpServer& server, const PollableFlag& flag) {
    PiecesBody body;
    return attempt(server, make_claim(), body, flag);
  }

  SmtpTarget target;
  PollableFlag stop;
  AttemptTrace trace;  ///< of the last attempt that was let in
};

}  // namespace sealpost::test
