// SPDX-License-Identifier: Apache-2.0
// TLS policies against servers with good, bad and broken TLS; and what an attacker puts in front of the handshake.
#include <gtest/gtest.h>

#include <future>

#include "tests/unit/relay/delivery/smtp_fixture.h"

namespace sealpost {
namespace {

using test::Answer;
using test::enhanced_of;
using test::kind_of;
using test::SmtpServer;
using test::TestCertificates;
using Tls = SmtpServer::Options::Tls;
using Certificate = std::string (TestCertificates::*)() const;

struct SmtpTlsCase {
  const char* name;
  Route::Kind kind;
  TlsPolicy policy;
  Tls offered;
  Certificate certificate;
  const char* outcome;
  const char* enhanced;
  bool encrypted;
  const char* text;  ///< in the response of what is not delivered
};
void PrintTo(const SmtpTlsCase& c, std::ostream* out) { *out << c.name; }

class TlsPolicies : public test::SmtpTest, public ::testing::WithParamInterface<SmtpTlsCase> {};

TEST_P(TlsPolicies, DecideWhatMayBeSent) {
  const SmtpTlsCase& c = GetParam();
  SmtpServer::Options options;
  options.tls = c.offered;
  options.certificate = (TestCertificates::get().*c.certificate)();
  SmtpServer server(options);
  target.kind = c.kind;
  target.tls = c.policy;
  const Outcome outcome = attempt(server);
  EXPECT_EQ(kind_of(outcome), c.outcome) << response_of(outcome);
  EXPECT_EQ(enhanced_of(outcome), c.enhanced);
  EXPECT_EQ(server.messages().size(), kind_of(outcome) == "delivered" ? 1U : 0U);
  EXPECT_EQ(trace.tls.starts_with("TLSv1."), c.encrypted) << trace.tls;
  EXPECT_NE(response_of(outcome).find(c.text), std::string::npos) << response_of(outcome);
}

constexpr auto smtp = Route::Kind::Smtp;
constexpr auto smtps = Route::Kind::Smtps;
constexpr auto lmtp = Route::Kind::Lmtp;
constexpr auto opportunistic = TlsPolicy::Opportunistic;
constexpr auto required = TlsPolicy::Required;
constexpr auto verify = TlsPolicy::Verify;
constexpr Certificate good = &TestCertificates::good;
constexpr Certificate expired = &TestCertificates::expired;
constexpr Certificate foreign = &TestCertificates::foreign;
constexpr Certificate self_signed = &TestCertificates::self_signed;

INSTANTIATE_TEST_SUITE_P(
    StartTls, TlsPolicies,
    ::testing::Values(
        SmtpTlsCase{"OpportunisticGood", smtp, opportunistic, Tls::StartTls, good, "delivered", "", true, "250"},
        SmtpTlsCase{"OpportunisticExpired", smtp, opportunistic, Tls::StartTls, expired, "delivered", "", true, "250"},
        SmtpTlsCase{"OpportunisticForeign", smtp, opportunistic, Tls::StartTls, foreign, "delivered", "", true, "250"},
        SmtpTlsCase{"OpportunisticSelfSigned", smtp, opportunistic, Tls::StartTls, self_signed, "delivered", "", true,
                    "250"},
        SmtpTlsCase{"OpportunisticNone", smtp, opportunistic, Tls::None, good, "delivered", "", false, "250"},
        SmtpTlsCase{"RequiredGood", smtp, required, Tls::StartTls, good, "delivered", "", true, "250"},
        SmtpTlsCase{"RequiredSelfSigned", smtp, required, Tls::StartTls, self_signed, "delivered", "", true, "250"},
        SmtpTlsCase{"RequiredNone", smtp, required, Tls::None, good, "deferred", "4.7.10", false, "no STARTTLS"},
        SmtpTlsCase{"VerifyGood", smtp, verify, Tls::StartTls, good, "delivered", "", true, "250"},
        SmtpTlsCase{"VerifyExpired", smtp, verify, Tls::StartTls, expired, "deferred", "4.7.5", false, "expired"},
        SmtpTlsCase{"VerifyForeign", smtp, verify, Tls::StartTls, foreign, "deferred", "4.7.5", false, "another name"},
        SmtpTlsCase{"VerifySelfSigned", smtp, verify, Tls::StartTls, self_signed, "deferred", "4.7.5", false,
                    "self-signed"},
        SmtpTlsCase{"VerifyNone", smtp, verify, Tls::None, good, "deferred", "4.7.10", false, "no STARTTLS"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Implicit, TlsPolicies,
    ::testing::Values(
        SmtpTlsCase{"OpportunisticGood", smtps, opportunistic, Tls::Implicit, good, "delivered", "", true, "250"},
        SmtpTlsCase{"OpportunisticSelfSigned", smtps, opportunistic, Tls::Implicit, self_signed, "delivered", "", true,
                    "250"},
        SmtpTlsCase{"VerifyGood", smtps, verify, Tls::Implicit, good, "delivered", "", true, "250"},
        SmtpTlsCase{"VerifyExpired", smtps, verify, Tls::Implicit, expired, "deferred", "4.7.5", false, "expired"},
        SmtpTlsCase{"VerifyForeign", smtps, verify, Tls::Implicit, foreign, "deferred", "4.7.5", false, "another name"},
        SmtpTlsCase{"VerifySelfSigned", smtps, verify, Tls::Implicit, self_signed, "deferred", "4.7.5", false,
                    "self-signed"},
        SmtpTlsCase{"AServerThatSpeaksInClear", smtps, opportunistic, Tls::None, good, "deferred", "4.7.5", false,
                    "handshake"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Lmtp, TlsPolicies,
    ::testing::Values(
        SmtpTlsCase{"OpportunisticSelfSigned", lmtp, opportunistic, Tls::StartTls, self_signed, "delivered", "", true,
                    "250"},
        SmtpTlsCase{"OpportunisticNone", lmtp, opportunistic, Tls::None, good, "delivered", "", false, "250"},
        SmtpTlsCase{"RequiredNone", lmtp, required, Tls::None, good, "deferred", "4.7.10", false, "no STARTTLS"},
        SmtpTlsCase{"VerifyGood", lmtp, verify, Tls::StartTls, good, "delivered", "", true, "250"},
        SmtpTlsCase{"VerifySelfSigned", lmtp, verify, Tls::StartTls, self_signed, "deferred", "4.7.5", false,
                    "self-signed"},
        SmtpTlsCase{"VerifyNone", lmtp, verify, Tls::None, good, "deferred", "4.7.10", false, "no STARTTLS"}),
    [](const auto& info) { return info.param.name; });

struct BrokenCase {
  const char* name;
  const char* stage;  ///< STARTTLS or TLS
  Answer answer;
};
void PrintTo(const BrokenCase& c, std::ostream* out) { *out << c.name; }

class BrokenTls : public test::SmtpTest, public ::testing::WithParamInterface<BrokenCase> {
 protected:
  std::unique_ptr<SmtpServer> serve() {
    SmtpServer::Options options;
    options.tls = Tls::StartTls;
    options.extensions = {"AUTH PLAIN"};
    auto server = std::make_unique<SmtpServer>(options);
    server->answer(GetParam().stage, {GetParam().answer});
    target.timeouts.connect = std::chrono::milliseconds(500);  // also of the handshake
    return server;
  }
};

TEST_P(BrokenTls, FallsBackToClearOnlyWhenOpportunistic) {
  const auto server = serve();
  EXPECT_EQ(kind_of(attempt(*server)), "delivered");
  EXPECT_EQ(trace.tls, "");
  EXPECT_EQ(server->messages().size(), 1U);
}

TEST_P(BrokenTls, FallsBackToClearOverLmtp) {
  const auto server = serve();
  target.kind = lmtp;
  EXPECT_EQ(kind_of(attempt(*server)), "delivered");
  EXPECT_EQ(trace.tls, "");
}

TEST_P(BrokenTls, DefersWhenTlsIsRequired) {
  const auto server = serve();
  target.tls = required;
  const Outcome outcome = attempt(*server);
  EXPECT_EQ(kind_of(outcome), "deferred") << response_of(outcome);
  EXPECT_TRUE(enhanced_of(outcome).starts_with("4.7.")) << enhanced_of(outcome);
  EXPECT_TRUE(server->messages().empty());
  EXPECT_EQ(server->connections(), 1U);
}

INSTANTIATE_TEST_SUITE_P(All, BrokenTls,
                         ::testing::Values(BrokenCase{"Refused4xx", "STARTTLS", "454 4.7.0 not now"},
                                           BrokenCase{"Refused5xx", "STARTTLS", "554 5.7.3 never"},
                                           BrokenCase{"Closed", "TLS", Answer::close()},
                                           BrokenCase{"Silent", "TLS", Answer::silence()},
                                           BrokenCase{"Dripped", "TLS", Answer::drip()}),
                         [](const auto& info) { return info.param.name; });

class TlsDialogue : public test::SmtpTest {};

TEST_F(TlsDialogue, WhoInjectsBehindStarttlsGetsNothingInClearEither) {
  for (const auto kind : {Route::Kind::Smtp, lmtp}) {
    SmtpServer::Options options;
    options.tls = Tls::StartTls;
    SmtpServer server(options);
    server.answer("STARTTLS", {"220 2.0.0 go on\n250 injected by somebody"});
    target.kind = kind;
    const Outcome outcome = attempt(server);
    EXPECT_EQ(kind_of(outcome), "deferred");
    EXPECT_EQ(response_of(outcome), "octets in clear behind STARTTLS");
    EXPECT_EQ(server.connections(), 1U);
    EXPECT_TRUE(server.messages().empty());
  }
}

TEST_F(TlsDialogue, WhatWasOfferedInClearIsForgotten) {
  SmtpServer::Options options;
  options.tls = Tls::StartTls;
  SmtpServer server(options);
  server.answer("EHLO", {"250-server.example\n250-STARTTLS\n250-DSN\n250 SIZE 10", "250 server.example"});
  EXPECT_EQ(kind_of(attempt(server)), "delivered") << "neither SIZE nor DSN holds";
  EXPECT_EQ(server.line("MAIL"), "MAIL FROM:<alice@example.com>");
}

TEST_F(TlsDialogue, ARefusedEhloAfterTheHandshakeDefers) {
  SmtpServer::Options options;
  options.tls = Tls::StartTls;
  SmtpServer server(options);
  server.answer("EHLO", {"250-server.example\n250 STARTTLS", "554 5.7.1 no"});
  server.answer("HELO", {"554 5.7.1 no"});
  EXPECT_EQ(kind_of(attempt(server)), "deferred");
}

TEST_F(TlsDialogue, AHandshakeThatTheRelayStopsIsNoAttempt) {
  for (const auto& [kind, policy] : {std::pair(smtps, opportunistic), {smtp, opportunistic}, {smtp, verify}}) {
    SmtpServer::Options options;
    options.tls = kind == smtps ? Tls::Implicit : Tls::StartTls;
    SmtpServer server(options);
    server.answer("TLS", {Answer::silence()});
    target.kind = kind;
    target.tls = policy;
    PollableFlag flag;
    auto running = std::async(std::launch::async, [&] { return attempt_with(server, flag); });
    EXPECT_TRUE(server.wait_for("TLS"));
    flag.raise();
    const Outcome outcome = running.get();
    EXPECT_EQ(kind_of(outcome), "abandoned") << response_of(outcome);
    EXPECT_EQ(server.connections(), 1U);
  }
}

TEST_F(TlsDialogue, AHostIsVerifiedByItsName) {
  SmtpServer::Options options;
  options.tls = Tls::StartTls;
  SmtpServer server(options);
  target.host = "localhost";
  target.tls = verify;
  EXPECT_EQ(kind_of(attempt(server)), "delivered");
}

}  // namespace
}  // namespace sealpost
