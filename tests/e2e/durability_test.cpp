// SPDX-License-Identifier: Apache-2.0
// Redis away and back under a session. Crashes in the middle of traffic: ledger_test.cpp.
#include <gtest/gtest.h>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/eventually.h"
#include "tests/support/redis_server.h"

namespace sealpost::test {
namespace {

TEST(Durability, RedisAwayIs451AndComesBackWithoutARestart) {
  RedisServer redis;
  RelayFixture relay(RelayFixture::Settings{{"redis.url", redis.url()}});
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("1", "x")).starts_with("250"));
  // All that was sent is over: a claim whose answer is lost with Redis comes back after a minute only.
  ASSERT_TRUE(eventually([&] { return relay.deliveries("bob@example.net", "delivered") == 2; })) << relay.log();
  EXPECT_TRUE(sender.say("MAIL FROM:<alice@example.com>").starts_with("250"));
  redis.kill();
  EXPECT_EQ(sender.say("RCPT TO:<bob@example.net>").substr(0, 9), "451 4.3.0");
  Submitter other(relay, "smtps");
  other.reply();
  other.say("EHLO c");
  EXPECT_EQ(other.log_in(RelayFixture::account, RelayFixture::password).substr(0, 9), "454 4.7.0");
  redis.start();
  EXPECT_TRUE(eventually([&] { return sender.say("RCPT TO:<bob@example.net>").starts_with("250"); }));
  sender.say("RSET");
  EXPECT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("2", "x")).starts_with("250"));
  EXPECT_EQ(relay.sealed_mail("bob@example.net", 2).size(), 2U);
  EXPECT_EQ(other.log_in(RelayFixture::account, RelayFixture::password).substr(0, 3), "235");
}

}  // namespace
}  // namespace sealpost::test
