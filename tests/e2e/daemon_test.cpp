// SPDX-License-Identifier: Apache-2.0
// sealpostd as an operator meets it: signals, the lock on state_dir, certificates that change, a Redis that survived.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/build.h"
#include "tests/support/smtp_server.h"
#include "tests/support/test_certificates.h"

namespace sealpost::test {
namespace {

/// Who the server on this port says it is.
std::string served_subject(int port) {
  const auto shown = run({"openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(port)}, "QUIT\n");
  const auto at = shown.out.find("subject=");
  return at == std::string::npos ? shown.err : shown.out.substr(at, shown.out.find('\n', at) - at);
}

TEST(Daemon, SighupServesANewCertificateAndABrokenFileKeepsTheOld) {
  const auto& certificates = TestCertificates::get();
  const TempDir dir;
  const std::string file = dir.write("tls.pem", read_file(certificates.good()));
  RelayFixture relay({{"tls.certificate", file}, {"tls.private_key", file}});
  const int port = relay.port("smtps");
  EXPECT_EQ(served_subject(port), "subject=CN = localhost");
  static_cast<void>(dir.write("tls.pem", read_file(certificates.foreign())));
  ::kill(relay.pid(), SIGHUP);
  ASSERT_TRUE(relay.wait_for_log("tls.reloaded"));
  EXPECT_EQ(served_subject(port), "subject=CN = another.example");
  static_cast<void>(dir.write("tls.pem", "no certificate"));
  ::kill(relay.pid(), SIGHUP);
  ASSERT_TRUE(relay.wait_for_log("tls.reload_failed"));
  EXPECT_EQ(served_subject(port), "subject=CN = another.example");
  EXPECT_EQ(relay.stop(), 0);
}

TEST(Daemon, ASecondOneOnTheSameStateDirIsRefused) {
  RelayFixture relay;
  const auto second = run({program("sealpostd"), "--config", relay.config()});
  EXPECT_EQ(second.status, 78) << second.err;
  EXPECT_NE(second.err.find(relay.state_dir()), std::string::npos) << second.err;
  auto sender = Submitter::logged_in(relay);
  EXPECT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("x", "y")).starts_with("250"))
      << "the first one goes on";
}

TEST(Daemon, ARedisServerThatSurvivedIsAdopted) {
  RelayFixture relay;
  relay.kill();
  relay.start();
  EXPECT_NE(relay.log().find("redis.adopted"), std::string::npos) << relay.log();
  auto sender = Submitter::logged_in(relay);
  EXPECT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("x", "y")).starts_with("250"));
  EXPECT_EQ(relay.sealed_mail("bob@example.net", 1).size(), 1U);
  EXPECT_EQ(relay.stop(), 0);
}

TEST(Daemon, SigtermLetsWhatIsBeingSentComeToItsEnd) {
  SmtpServerOptions slow;
  slow.pause = std::chrono::milliseconds(400);  // several of them for a message
  SmtpServer server(slow);
  RelayFixture relay({{"delivery.route", "smtp://127.0.0.1:" + std::to_string(server.port())}});
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("x", "y")).starts_with("250"));
  ASSERT_TRUE(server.wait_for("MAIL", 2)) << "the message and its notification are under way";
  ASSERT_EQ(relay.stop(), 0) << relay.log();
  EXPECT_EQ(relay.log().find("outcome=deferred"), std::string::npos) << relay.log();
  EXPECT_EQ(server.messages().size(), 2U);
  relay.start();
  EXPECT_EQ(relay.deliveries("bob@example.net", "delivered"), 2U);
}

TEST(Daemon, SigtermWaitsForTheDrainTimeoutAndNotForTheNextHop) {
  SmtpServer server;
  server.answer("MAIL", {"250 ok", Answer::silence()});
  server.answer(".", {Answer::silence()});
  RelayFixture relay(
      {{"delivery.route", "smtp://127.0.0.1:" + std::to_string(server.port())}, {"relay.drain_timeout", "2s"}});
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("x", "y")).starts_with("250"));
  ASSERT_TRUE(server.wait_for(".")) << "one waits for the reply to its content";
  ASSERT_TRUE(server.wait_for("MAIL", 2)) << "the other has sent nothing yet";
  // RelayFixture::stop gives up after a minute; the next hop would be waited for for five and ten.
  EXPECT_EQ(relay.stop(), 0) << relay.log();
  EXPECT_NE(relay.log().find("outcome=abandoned"), std::string::npos) << relay.log();
  EXPECT_NE(relay.log().find("outcome unknown"), std::string::npos);
  relay.start();
  EXPECT_TRUE(server.wait_for("MAIL", 3))
      << "what was abandoned is due at once: no lease is left behind for the reaper";
}

}  // namespace
}  // namespace sealpost::test
