// SPDX-License-Identifier: Apache-2.0
// Delivery to real mail servers: STARTTLS, TLS and LMTP next hops with verified certificates and a login.
#include <gtest/gtest.h>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/mail_sink.h"
#include "tests/support/smtp_server.h"
#include "tests/support/test_certificates.h"

namespace sealpost::test {
namespace {

struct NextHopCase {
  const char* name;
  const char* mode;
  bool tls;
};
void PrintTo(const NextHopCase& c, std::ostream* out) { *out << c.name; }

class NextHops : public ::testing::TestWithParam<NextHopCase> {};

TEST_P(NextHops, FirstMailAndItsNotificationArriveAndTheMailDecrypts) {
  const NextHopCase& c = GetParam();
  // Before the relay starts: it inherits the trust in this CA, as it would have the system's.
  const std::string certificate = TestCertificates::get().good();
  const TempDir secrets;
  std::vector<std::string> arguments = {c.mode};
  if (c.tls) arguments.insert(arguments.end(), {certificate, "relay", "s3cret-password"});
  MailSink sink(arguments);
  RelayFixture::Settings settings = {
      {"delivery.route", std::string(c.mode) + "://localhost:" + std::to_string(sink.port())}};
  if (c.tls) {
    settings.insert({{"delivery.tls", "verify"},
                     {"delivery.username", "relay"},
                     {"delivery.password_file", secrets.write("password", "s3cret-password\n")}});
  }
  RelayFixture relay(settings);
  relay.read_mail_from(sink.folder());
  auto sender = Submitter::logged_in(relay);
  const std::string mail = message("Numbers", "..dots\r\n.\r\nand a last line");
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, mail).starts_with("250 2.6.0"));
  const auto sealed = relay.sealed_mail("bob@example.net", 1);
  const auto notified = relay.notifications("bob@example.net", 1);
  ASSERT_EQ(sealed.size(), 1U) << relay.log();
  ASSERT_EQ(notified.size(), 1U) << relay.log();
  EXPECT_TRUE(read_file(notified[0]).starts_with("Return-Path: <>\r\n"));
  EXPECT_EQ(relay.decrypt(sealed[0], relay.pick_up(notified[0])), "Content-Type: text/plain\r\n\r\n" + body_of(mail));
  const std::string taken = std::string("taken from=<alice@example.com> to=<bob@example.net> tls=") +
                            (c.tls ? "True login=relay" : "False login=");
  EXPECT_NE(sink.wait_for(taken), "") << sink.wait_for("taken");
}

INSTANTIATE_TEST_SUITE_P(All, NextHops,
                         ::testing::Values(NextHopCase{"Smtp", "smtp", true}, NextHopCase{"Smtps", "smtps", true},
                                           NextHopCase{"Lmtp", "lmtp", false},
                                           NextHopCase{"SmtpInClear", "smtp", false}),
                         [](const auto& info) { return info.param.name; });

TEST(NextHop, DsnParametersReachANextHopThatOffersDsn) {
  SmtpServer::Options options;
  options.extensions = {"DSN", "PIPELINING"};
  SmtpServer server(options);
  RelayFixture relay({{"delivery.route", "smtp://127.0.0.1:" + std::to_string(server.port())}});
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.say("MAIL FROM:<alice@example.com> RET=FULL ENVID=QQ314159").starts_with("250"));
  ASSERT_TRUE(
      sender.say("RCPT TO:<bob@example.net> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;robert@example.net").starts_with("250"));
  ASSERT_TRUE(sender.say("DATA").starts_with("354"));
  ASSERT_TRUE(sender.say("From: <alice@example.com>\r\n\r\nx\r\n.").starts_with("250"));
  // Its content is header fields only anyway, and never more comes back.
  EXPECT_TRUE(server.wait_for("MAIL FROM:<alice@example.com> RET=HDRS ENVID=QQ314159"));
  EXPECT_TRUE(server.wait_for("RCPT TO:<bob@example.net> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;robert@example.net"));
  EXPECT_TRUE(server.wait_for("MAIL FROM:<> RET=HDRS"));
  EXPECT_TRUE(server.wait_for("RCPT TO:<bob@example.net> NOTIFY=NEVER")) << "the notification";
}

}  // namespace
}  // namespace sealpost::test
