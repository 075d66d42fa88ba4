// SPDX-License-Identifier: Apache-2.0
// Logging in to the running relay (SCRAM, guessing), and its limits: connections, idle time, memory, new recipients.
#include <gtest/gtest.h>

#include <chrono>
#include <deque>

#include "base/encoding.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/raw_client.h"
#include "tests/support/scram_client.h"

namespace sealpost::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr const char* elsewhere = "127.0.0.2";

std::string plain(const std::string& name, const std::string& password) {
  return "AUTH PLAIN " + to_base64(std::string(1, '\0') + name + std::string(1, '\0') + password);
}

/// Several sources on loopback, so that one relay sees several client networks.
std::unique_ptr<RawClient> greeted(const RelayFixture& relay, const char* source) {
  auto client =
      std::make_unique<RawClient>(static_cast<std::uint16_t>(relay.port("smtps")), 0, std::chrono::seconds(60), source);
  EXPECT_TRUE(client->start_tls());
  EXPECT_EQ(client->read_line().substr(0, 3), "220");
  EXPECT_TRUE(client->send("EHLO c\r\n"));
  client->read_until("250 LIMITS RCPTMAX=1000\r\n");
  return client;
}

class SmtpLogin : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    relay_ = new RelayFixture(RelayFixture::Settings{{"relay.memory_limit", "8m"},
                                                     {"notify.max_new_per_account", "12/h"},
                                                     {"crypto.key_type", "p256"},
                                                     {"keys.pool_size", "0"}});
  }
  static void TearDownTestSuite() {
    delete relay_;
    relay_ = nullptr;
  }
  static RelayFixture& relay() { return *relay_; }
  /// An account of a test's own.
  static void add(const std::string& name) {
    const auto added =
        relay().ctl({"account", "add", name, "--send-as", "@example.com", "--password-stdin"}, "secret\n");
    ASSERT_EQ(added.status, 0) << added.err;
  }
  static Submitter logged_in(const std::string& name) {
    Submitter client(relay(), "smtps");
    client.reply();
    client.say("EHLO c");
    EXPECT_EQ(client.log_in(name, "secret").substr(0, 3), "235");
    return client;
  }
  static RelayFixture* relay_;
};
RelayFixture* SmtpLogin::relay_ = nullptr;

std::string decoded(const std::string& challenge) {
  EXPECT_EQ(challenge.substr(0, 4), "334 ") << challenge;
  return from_base64(challenge.substr(4)).value_or("");
}

TEST_F(SmtpLogin, ScramProvesBothSides) {
  Submitter client(relay(), "smtps");
  client.reply();
  client.say("EHLO c");
  ScramClient scram(RelayFixture::account, RelayFixture::password, "client-nonce");
  const std::string challenge = decoded(client.say("AUTH SCRAM-SHA-256 " + to_base64(scram.first())));
  const std::string signature = decoded(client.say(to_base64(scram.final(challenge))));
  EXPECT_EQ(signature, scram.expected_signature()) << "the server knows the verifier";
  EXPECT_EQ(client.say(""), "235 2.7.0 authentication succeeded");
  EXPECT_EQ(client.say("MAIL FROM:<alice@example.com>"), "250 2.1.0 sender ok");
}

TEST_F(SmtpLogin, ScramRefusesAWrongPasswordAndAnUnknownAccountAlike) {
  for (const auto& [name, password] :
       {std::pair(RelayFixture::account, "wrong"), std::pair("nobody", RelayFixture::password)}) {
    Submitter client(relay(), "smtps");
    client.reply();
    client.say("EHLO c");
    ScramClient scram(name, password, "client-nonce");
    const std::string challenge = decoded(client.say("AUTH SCRAM-SHA-256 " + to_base64(scram.first())));
    EXPECT_EQ(client.say(to_base64(scram.final(challenge))), "535 5.7.8 authentication failed") << name;
  }
}

TEST_F(SmtpLogin, GuessesOverSeveralConnectionsWaitForEachOtherAndTheRealSenderDoesNot) {
  add("victim");
  logged_in("victim");
  auto first = greeted(relay(), elsewhere);
  const auto start = steady_clock::now();
  ASSERT_TRUE(first->send(plain("victim", "guess") + "\r\n"));
  EXPECT_EQ(first->read_line(), "535 5.7.8 authentication failed");
  std::deque<std::unique_ptr<RawClient>> guessers;
  for (int i = 0; i < 3; ++i) guessers.push_back(greeted(relay(), elsewhere));
  for (auto& guesser : guessers) ASSERT_TRUE(guesser->send(plain("victim", "guess") + "\r\n"));
  logged_in("victim");
  for (auto& guesser : guessers) EXPECT_EQ(guesser->read_line(), "535 5.7.8 authentication failed");
  const auto last_failure = steady_clock::now();
  EXPECT_GT(last_failure - start, milliseconds(1700)) << "250, 500 and 1000 ms";
  logged_in("victim");
  EXPECT_LT(steady_clock::now() - last_failure, milliseconds(1500)) << "who guesses would wait for 2 s now";
}

TEST_F(SmtpLogin, AGuessThatHangsUpIsCounted) {
  add("hasty");
  auto stays = greeted(relay(), "127.0.0.3");
  auto hangs_up = greeted(relay(), "127.0.0.3");
  const auto start = steady_clock::now();
  ASSERT_TRUE(hangs_up->send(plain("hasty", "guess") + "\r\n"));
  hangs_up.reset();
  ASSERT_TRUE(relay().wait_for_log("smtp.auth_failed account=hasty"));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(stays->send(plain("hasty", "guess") + "\r\n"));
    EXPECT_EQ(stays->read_line(), "535 5.7.8 authentication failed");
  }
  EXPECT_GT(steady_clock::now() - start, milliseconds(700)) << "250 and 500 ms; 250 ms alone if it were not counted";
}

TEST_F(SmtpLogin, OverHttpAGuessThatComesTooEarlyIsRefusedUnseen) {
  add("web");
  HttpAnswer answer;
  for (int i = 0; i < 20 && answer.status != 429; ++i) {
    answer =
        relay().http("GET", "/v1/keys/bob@example.net", {}, {{"Authorization", "Basic " + to_base64("web:guess")}});
    EXPECT_TRUE(answer.status == 401 || answer.status == 429) << answer.status;
  }
  EXPECT_EQ(answer.status, 429);
  EXPECT_GE(std::stoi(answer.fields["retry-after"]), 1);
  EXPECT_NE(answer.body.find("\"status\":429"), std::string::npos) << answer.body;
}

TEST_F(SmtpLogin, ContentBeyondTheMemoryLimitIsRefusedForNow) {
  add("large");
  auto client = logged_in("large");
  const std::string text = message("x", std::string(9'000'000, 'x'));
  EXPECT_EQ(client.submit("a@example.com", {"known@example.net"}, text), "452 4.3.1 insufficient system storage");
  EXPECT_EQ(client.submit("a@example.com", {"known@example.net"}, message("x", "small")).substr(0, 9), "250 2.6.0");
}

TEST_F(SmtpLogin, NewRecipientsBeyondThePoolAndEightAreRefusedForNow) {
  add("many");
  auto client = logged_in("many");
  client.say("MAIL FROM:<a@example.com>");
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(client.say("RCPT TO:<many" + std::to_string(i) + "@example.net>"), "250 2.1.5 recipient ok");
  }
  EXPECT_EQ(client.say("RCPT TO:<many8@example.net>").substr(0, 9), "452 4.5.3");
  EXPECT_EQ(client.say("RCPT TO:<many7@example.net>"), "250 2.1.5 recipient ok") << "a recipient of this message";
}

TEST_F(SmtpLogin, NewRecipientsBeyondTheAccountsRateAreRefusedForNow) {
  add("rated");
  auto client = logged_in("rated");
  for (int half = 0; half < 2; ++half) {
    std::vector<std::string> recipients;
    for (int i = 0; i < 6; ++i) recipients.push_back("rated" + std::to_string(half * 6 + i) + "@example.net");
    ASSERT_EQ(client.submit("a@example.com", recipients, message("x", "text")).substr(0, 9), "250 2.6.0");
  }
  client.say("MAIL FROM:<a@example.com>");
  EXPECT_EQ(client.say("RCPT TO:<rated12@example.net>").substr(0, 9), "452 4.7.1");
  EXPECT_EQ(client.say("RCPT TO:<rated0@example.net>"), "250 2.1.5 recipient ok") << "a known one costs nothing";
}

class SmtpConnections : public testing::Test {
 protected:
  RelayFixture relay{RelayFixture::Settings{{"smtp.max_connections", "3"}, {"smtp.max_connections_per_client", "2"}}};
  std::unique_ptr<RawClient> connect(const char* service, const char* source) {
    return std::make_unique<RawClient>(static_cast<std::uint16_t>(relay.port(service)), 0, std::chrono::seconds(60),
                                       source);
  }
  void expect_refused(const char* source) {
    EXPECT_EQ(connect("smtp", source)->read_to_end().substr(0, 9), "421 4.7.0");
    auto tls = connect("smtps", source);
    EXPECT_EQ(tls->read_to_end(), "") << "closed without a word";
  }
};

TEST_F(SmtpConnections, AreLimitedPerClientAndInAll) {
  auto first = connect("smtp", "127.0.0.1");
  auto second = connect("smtps", "127.0.0.1");
  EXPECT_EQ(first->read_line().substr(0, 3), "220");
  ASSERT_TRUE(second->start_tls());
  EXPECT_EQ(second->read_line().substr(0, 3), "220");
  expect_refused("127.0.0.1");
  auto third = connect("smtp", elsewhere);
  EXPECT_EQ(third->read_line().substr(0, 3), "220") << "another client has a place of its own";
  expect_refused("127.0.0.3");
  ASSERT_TRUE(first->send("QUIT\r\n"));
  EXPECT_EQ(first->read_line().substr(0, 3), "221");
  first.reset();
  std::string greeting;
  for (int i = 0; i < 1000 && !greeting.starts_with("220"); ++i) greeting = connect("smtp", "127.0.0.3")->read_line();
  EXPECT_EQ(greeting.substr(0, 3), "220") << "there is room again";
}

TEST(SmtpTimes, AnIdleClientIsToldAndClosedAndAListenerMayBeOff) {
  RelayFixture relay{RelayFixture::Settings{{"smtp.listen", "off"}, {"smtp.idle_timeout", "1s"}}};
  EXPECT_EQ(relay.log().find("service=smtp "), std::string::npos);
  Submitter client(relay, "smtps");
  EXPECT_EQ(client.reply().substr(0, 3), "220");
  EXPECT_EQ(client.reply(), "421 4.4.2 relay.example.org idle for too long, closing");
  EXPECT_EQ(client.reply(), "closed");
}

}  // namespace
}  // namespace sealpost::test
