// SPDX-License-Identifier: Apache-2.0
// Mail that waits for a next hop: delivery.warn_after tells its sender once, and queue.history forgets what is over,
// never what waits.
#include <gtest/gtest.h>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/eventually.h"
#include "tests/support/mail_parser.h"
#include "tests/support/mail_sink.h"

namespace sealpost::test {
namespace {

TEST(Patience, TheSenderIsWarnedOnceAndWhatIsOverIsForgotten) {
  MailSink sink({"smtp"});
  RelayFixture relay({{"delivery.route", "smtp://127.0.0.1:" + std::to_string(sink.port())},
                      {"delivery.retry", "1s"},
                      {"delivery.warn_after", "1s"},
                      {"queue.history", "2s"}});
  relay.read_mail_from(sink.folder());
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"never@example.net"}, message("x", "y")).starts_with("250"));
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("x", "y")).starts_with("250"));
  EXPECT_EQ(relay.deliveries("bob@example.net"), 2U) << "the mail and its notification";
  ASSERT_EQ(relay.mail("bob@example.net", 2).size(), 2U) << relay.log();

  const auto warnings = relay.mail("alice@example.com", 1);
  ASSERT_EQ(warnings.size(), 1U) << relay.log();
  const auto warning = parse_mail(read_file(warnings[0]));
  EXPECT_TRUE(warning.defects.empty());
  EXPECT_EQ(warning.field("return-path"), "<>");
  ASSERT_EQ(warning.status.size(), 2U);
  EXPECT_EQ(warning.status[1].at("action"), "delayed");
  EXPECT_EQ(warning.status[1].at("final-recipient"), "rfc822; never@example.net");
  EXPECT_NE(warning.status[1].at("diagnostic-code").find("450 4.2.1 not now"), std::string::npos);

  EXPECT_TRUE(eventually([&] { return relay.deliveries("bob@example.net") == 0; })) << "2 s after it was over";
  EXPECT_TRUE(eventually([&] { return relay.deliveries("never@example.net", "deferred") == 2; }))
      << "what waits is kept, however old; now and then one of the two is being tried";
  // By now there were more attempts than one; the report of a second warning would have gone the way of the first.
  ASSERT_EQ(relay.stop(), 0);
  EXPECT_EQ(relay.mail("alice@example.com", 1).size(), 1U);
}

}  // namespace
}  // namespace sealpost::test
