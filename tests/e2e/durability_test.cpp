// SPDX-License-Identifier: Apache-2.0
// Redis away and back under a session. Crashes in the middle of traffic: ledger_test.cpp.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"

namespace sealpost::test {
namespace {

TEST(Durability, RedisAwayIs451AndComesBackWithoutARestart) {
  RelayFixture relay;
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("1", "x")).starts_with("250"));
  // All is said beforehand that can be: the supervisor brings Redis back within a second or so.
  Submitter other(relay, "smtps");
  other.reply();
  other.say("EHLO c");
  EXPECT_TRUE(sender.say("MAIL FROM:<alice@example.com>").starts_with("250"));
  const int pid = relay.redis_pid();
  ASSERT_GT(pid, 1);
  ::kill(pid, SIGKILL);
  EXPECT_EQ(sender.say("RCPT TO:<bob@example.net>").substr(0, 9), "451 4.3.0");
  EXPECT_EQ(other.log_in(RelayFixture::account, RelayFixture::password).substr(0, 9), "454 4.7.0");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  std::string answer;
  while (!answer.starts_with("250") && std::chrono::steady_clock::now() < deadline) {
    answer = sender.say("RCPT TO:<bob@example.net>");
  }
  EXPECT_TRUE(answer.starts_with("250")) << answer;
  sender.say("RSET");
  EXPECT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("2", "x")).starts_with("250"));
  EXPECT_EQ(relay.sealed_mail("bob@example.net", 2).size(), 2U);
}

}  // namespace
}  // namespace sealpost::test
