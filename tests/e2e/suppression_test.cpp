// SPDX-License-Identifier: Apache-2.0
// An address that bounces again and again, on a running relay: refused at RCPT with the reason, listed and cleared by
// command and by HTTP, and never in the way of the relay's own mail.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/eventually.h"
#include "tests/support/mail_sink.h"

namespace sealpost::test {
namespace {

class Suppression : public ::testing::Test {
 protected:
  Suppression()
      : relay({{"delivery.route", "smtp://127.0.0.1:" + std::to_string(sink.port())},
               {"delivery.suppress_after", "2"},
               {"delivery.suppress_for", "1h"}}) {
    relay.read_mail_from(sink.folder());
    EXPECT_EQ(relay
                  .ctl({"account", "add", "boss", "--send-as", "@example.com", "--admin", "--password-stdin"},
                       "correct-horse\n")
                  .status,
              0);
  }
  std::string submit(const std::string& to) {
    auto sender = Submitter::logged_in(relay);
    return sender.submit("alice@example.com", {to}, message("x", "y"));
  }
  /// Submits, and waits until it has bounced; the first one's notification bounces beside it.
  void bounce(std::size_t so_far) {
    ASSERT_TRUE(submit("refused@example.net").starts_with("250"));
    ASSERT_TRUE(eventually([&] { return relay.deliveries("refused@example.net", "bounced") >= so_far + 2; }))
        << relay.log();
  }
  HttpAnswer http(const std::string& method, const std::string& path, const std::string& name = "boss") const {
    return relay.http(method, path, {}, {{"Authorization", "Basic " + to_base64(name + ":correct-horse")}});
  }

  MailSink sink{{"smtp"}};
  RelayFixture relay;
};

TEST_F(Suppression, BeginsAfterBouncesInARowAndEndsByTheOperatorsWord) {
  bounce(0);
  bounce(1);
  const std::string refused = submit("REFUSED@example.net");
  EXPECT_TRUE(refused.starts_with("550 5.1.1 refused@example.net bounced 2 times in a row, last on ")) << refused;
  EXPECT_NE(refused.find("(550 5.1.1 there is no such user); mail to it is refused until "), std::string::npos);
  EXPECT_TRUE(submit("bob@example.net").starts_with("250")) << "others are not concerned";

  const auto listed = relay.ctl({"suppression", "list"});
  EXPECT_EQ(listed.status, 0) << listed.err;
  EXPECT_NE(listed.out.find("\nrefused@example.net  2 "), std::string::npos) << listed.out;
  EXPECT_EQ(relay.ctl({"suppression", "clear", "refused@example.net"}).status, 0);
  EXPECT_TRUE(submit("refused@example.net").starts_with("250")) << "at once";
}

TEST_F(Suppression, IsSeenAndClearedOverHttp) {
  bounce(0);
  bounce(1);
  ASSERT_TRUE(submit("refused@example.net").starts_with("550 5.1.1"));
  EXPECT_EQ(http("GET", "/v1/suppressions", RelayFixture::account).status, 403) << "not the operator's account";
  const auto listed = http("GET", "/v1/suppressions");
  EXPECT_EQ(listed.status, 200);
  EXPECT_NE(listed.body.find("\"address\":\"refused@example.net\",\"bounces\":2"), std::string::npos) << listed.body;
  EXPECT_EQ(http("DELETE", "/v1/suppressions/refused%40example.net").status, 200);
  EXPECT_EQ(http("DELETE", "/v1/suppressions/refused%40example.net").status, 404);
  EXPECT_TRUE(submit("refused@example.net").starts_with("250"));
}

/// Bounces to a suppressed sender are tried all the same.
TEST_F(Suppression, KeepsNoReportBack) {
  bounce(0);
  bounce(1);
  ASSERT_TRUE(submit("refused@example.net").starts_with("550 5.1.1"));
  ASSERT_EQ(
      relay.ctl({"account", "add", "other", "--send-as", "@example.net", "--password-stdin"}, "correct-horse\n").status,
      0);
  Submitter sender(relay, "smtps");
  sender.reply();
  sender.say("EHLO client.example");
  ASSERT_TRUE(sender.log_in("other", "correct-horse").starts_with("235"));
  const std::size_t before = relay.deliveries("refused@example.net", "bounced");
  ASSERT_TRUE(sender.submit("refused@example.net", {"rejected@example.net"}, message("x", "y", "refused@example.net"))
                  .starts_with("250"));
  EXPECT_TRUE(eventually([&] { return relay.deliveries("refused@example.net", "bounced") > before; }))
      << "the report was attempted: " << relay.log();
}

}  // namespace
}  // namespace sealpost::test
