// SPDX-License-Identifier: Apache-2.0
// Redis away and back under a session, and a canary that must be nowhere at rest. Crashes in the middle of traffic: ledger_test.cpp.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "base/encoding.h"
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

void expect_absent(const std::string& haystack, const std::string& needle, const std::string& where) {
  EXPECT_EQ(haystack.find(needle), std::string::npos) << where;
  EXPECT_EQ(haystack.find(to_base64(needle).substr(0, needle.size() / 3 * 4)), std::string::npos)
      << where << " (base64)";
}

TEST(Durability, CanariesAreNowhereAtRest) {
  RelayFixture relay(RelayFixture::Settings{{"log.level", "debug"}, {"delivery.route", "smtp://127.0.0.1:9"}});
  auto sender = Submitter::logged_in(relay);
  const std::string subject = "CANARY-SUBJECT-81724";
  const std::string body = "CANARY-BODY-55120-plaintext";
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message(subject, body)).starts_with("250"));
  relay.ctl({"key", "assign", "carol@example.net"});
  ASSERT_EQ(relay.stop(), 0);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(relay.directory().path())) {
    if (!entry.is_regular_file()) continue;
    const std::string content = read_file(entry.path());
    expect_absent(content, subject, entry.path());
    expect_absent(content, body, entry.path());
    expect_absent(content, RelayFixture::password, entry.path());
    EXPECT_EQ(content.find("Authentication code:"), std::string::npos) << entry.path();
    if (entry.path().filename() != "tls.key") {
      EXPECT_EQ(content.find("PRIVATE KEY"), std::string::npos) << entry.path();
    }
  }
  const std::string log = relay.log();
  for (const auto& secret : {subject, body, std::string(RelayFixture::password), std::string("/pickup/")}) {
    expect_absent(log, secret, "log");
  }
}

}  // namespace
}  // namespace sealpost::test
