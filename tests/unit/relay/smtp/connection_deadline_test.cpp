// SPDX-License-Identifier: Apache-2.0
// When a connection's time is over: what gives it more, and what does not.
#include <gtest/gtest.h>

#include <string>

#include "base/encoding.h"
#include "relay/smtp/connection.h"
#include "tests/unit/relay/relay_parts.h"

namespace sealpost::smtp {
namespace {

using std::chrono::minutes;
using std::chrono::steady_clock;
using Time = steady_clock::time_point;

class TakesAll final : public MessageSink {
 public:
  Result<Admission, IntakeError> admit(const Account&, const EmailAddress&, std::size_t) override {
    return Admission{};
  }
  Result<std::optional<Accepted>, IntakeError> answered_before(const Submission&) override {
    return std::optional<Accepted>();
  }
  Result<Accepted, IntakeError> accept(Submission) override {
    return Accepted{MessageId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").value(), "", {}};
  }
};

class ConnectionDeadline : public testing::Test {
 protected:
  ConnectionDeadline() { EXPECT_TRUE(accounts.add({"crm", {"@example.com"}, false, {}}, Secret::copy_of("secret"))); }

  void open(std::chrono::milliseconds idle_timeout) {
    context.idle_timeout = idle_timeout;
    connection = make_connection(context);
    static_cast<void>(connection->opened({"192.0.2.1", "192.0.2.1", false, true}));
  }
  void log_in() {
    say("EHLO c\r\n");
    ASSERT_EQ(say("AUTH PLAIN " + to_base64(std::string("\0crm\0secret", 11)) + "\r\n").substr(0, 3), "235");
  }
  void begin_content(const std::string& verb) {
    ASSERT_EQ(say("MAIL FROM:<a@example.com>\r\n").substr(0, 3), "250");
    ASSERT_EQ(say("RCPT TO:<b@example.net>\r\n").substr(0, 3), "250");
    say(verb);
  }
  /// The replies, those to actions included.
  std::string say(std::string_view octets) {
    net::Step step = connection->received(octets);
    std::string replies(view(step.output));
    while (step.job) {
      step = step.job()();
      replies += view(step.output);
    }
    return replies;
  }
  bool renewed_by(std::string_view octets) {
    const Time before = connection->deadline();
    say(octets);
    return connection->deadline() > before;
  }

  test::RelayParts parts;
  Accounts accounts{parts.redis, parts.master, parts.clock, parts.random, parts.log};
  TakesAll sink;
  GuessThrottle throttle{parts.clock};
  MemoryBudget budget{64UL << 20U};
  ConnectionContext context{
      {"relay.example.org", 10UL << 20U, 5}, minutes(5), accounts, sink, throttle, budget, parts.random, parts.log, [] {
        return false;
      }};
  std::unique_ptr<net::Conversation> connection;
};

TEST_F(ConnectionDeadline, BeforeALoginNothingGivesMoreTime) {
  open(minutes(5));
  EXPECT_LE(connection->deadline(), steady_clock::now() + minutes(5));
  for (const char* octets : {"E", "HLO c\r\n", "NOOP\r\n", "AUTH PLAIN AGNybQB4\r\n"}) {
    EXPECT_FALSE(renewed_by(octets)) << octets;
  }
}

TEST_F(ConnectionDeadline, ALoginTakesFiveMinutesAtMost) {
  open(minutes(60));
  EXPECT_LE(connection->deadline(), steady_clock::now() + minutes(5));
  log_in();
  EXPECT_GT(connection->deadline(), steady_clock::now() + minutes(59));
}

TEST_F(ConnectionDeadline, CommandsGiveMoreTimeWhenTheyAreComplete) {
  open(minutes(5));
  log_in();
  EXPECT_FALSE(renewed_by("N"));
  EXPECT_FALSE(renewed_by("OOP"));
  EXPECT_FALSE(renewed_by("\r"));
  EXPECT_TRUE(renewed_by("\n"));
  EXPECT_FALSE(renewed_by(std::string(100'000, 'x'))) << "a line without an end";
}

TEST_F(ConnectionDeadline, ContentGivesMoreTimeByItsAmount) {
  open(minutes(5));
  log_in();
  begin_content("DATA\r\n");
  EXPECT_FALSE(renewed_by("x"));
  EXPECT_FALSE(renewed_by("\r\n"));
  EXPECT_TRUE(renewed_by(std::string(64UL * 1024, 'x')));
  EXPECT_FALSE(renewed_by(std::string(60'000, 'x')));
  EXPECT_TRUE(renewed_by("\r\n.\r\n")) << "complete";
}

TEST_F(ConnectionDeadline, SoDoChunks) {
  open(minutes(5));
  log_in();
  begin_content("BDAT 131072 LAST\r\n");
  EXPECT_FALSE(renewed_by("x"));
  EXPECT_TRUE(renewed_by(std::string(64UL * 1024, 'x')));
  EXPECT_TRUE(renewed_by(std::string(64UL * 1024 - 1, 'x'))) << "complete";
}

}  // namespace
}  // namespace sealpost::smtp
