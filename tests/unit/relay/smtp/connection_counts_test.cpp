// SPDX-License-Identifier: Apache-2.0
// What an SMTP connection counts: messages taken, the codes of refusals, wrong passwords and proofs.
#include <gmock/gmock.h>

#include <string>

#include "base/encoding.h"
#include "relay/smtp/connection.h"
#include "tests/unit/relay/relay_parts.h"
#include "tests/unit/relay/submission_counts_fixture.h"

namespace sealpost::smtp {
namespace {

/// Knows nobody at "unknown…", and answers as it is told.
class ToldSink final : public MessageSink {
 public:
  Result<Admission, IntakeError> admit(const Account&, const EmailAddress& to, std::size_t) override {
    if (to.text().starts_with("unknown")) return IntakeError{Refusal::Suppressed, "it bounced", {}};
    return Admission{};
  }
  Result<std::optional<Accepted>, IntakeError> answered_before(const Submission&) override {
    return std::optional<Accepted>();
  }
  Result<Accepted, IntakeError> accept(Submission) override {
    if (refusal) return IntakeError{*refusal, "refused", {}};
    Accepted taken{MessageId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").value(), "", {}};
    if (repeated) taken.first_answer = "{}";
    return taken;
  }
  std::optional<Refusal> refusal;
  bool repeated = false;
};

class ConnectionCounts : public testing::Test {
 protected:
  ConnectionCounts() {
    EXPECT_TRUE(accounts.add({"crm", {"@example.com"}, false, {}}, Secret::copy_of("secret")));
    static_cast<void>(connection->opened({"192.0.2.1", "192.0.2.1", false, true}));
    say("EHLO c\r\n");
  }
  void log_in() { ASSERT_TRUE(say(plain("secret")).starts_with("235")); }
  static std::string plain(const std::string& password) {
    return "AUTH PLAIN " + to_base64(std::string("\0crm\0", 5) + password) + "\r\n";
  }
  /// The replies, those to actions included; a step that is held back is not waited for.
  std::string say(std::string_view octets) {
    net::Step step = connection->received(octets);
    std::string replies(view(step.output));
    while (step.job) {
      step = step.job()();
      if (step.delay.count() > 0) return replies + "held back";
      replies += view(step.output);
    }
    return replies;
  }
  /// The replies to all of it.
  std::string submit() {
    const std::string begun = say("MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n");
    return begun + say("From: a@example.com\r\n\r\ntext\r\n.\r\n");
  }

  test::RelayParts parts;
  Accounts accounts{parts.redis, parts.master, parts.clock, parts.random, parts.log};
  ToldSink sink;
  GuessThrottle throttle{parts.clock};
  MemoryBudget budget{64UL << 20U};
  test::CountedSubmissions counted;
  ConnectionContext context{{"relay.example.org", 1000, 2},
                            std::chrono::minutes(5),
                            accounts,
                            sink,
                            throttle,
                            budget,
                            parts.random,
                            parts.log,
                            [this] { return full; },
                            counted.counts,
                            counted.registry.counter("failures_total", "Failures.")};
  bool full = false;
  std::unique_ptr<net::Conversation> connection = make_connection(context);
};

TEST_F(ConnectionCounts, MessagesThatWereTakenWithTheirTime) {
  log_in();
  ASSERT_THAT(submit(), testing::HasSubstr("250 2.6.0"));
  ASSERT_THAT(submit(), testing::HasSubstr("250 2.6.0"));
  EXPECT_EQ(counted.accepted(), 2);
  EXPECT_EQ(counted.timed(), 2);
  EXPECT_GT(counted.seconds(), 0);
  EXPECT_LT(counted.seconds(), 60);
}

TEST_F(ConnectionCounts, ARepetitionIsNoFurtherMessage) {
  log_in();
  sink.repeated = true;
  ASSERT_THAT(submit(), testing::HasSubstr("250 2.6.0"));
  EXPECT_EQ(counted.accepted(), 0);
  EXPECT_EQ(counted.timed(), 0);
}

struct ConnectionCountsRefusalCase {
  const char* name;
  std::optional<Refusal> refusal;
  std::string octets;
  const char* code;
};
class ConnectionRefusals : public ConnectionCounts, public testing::WithParamInterface<ConnectionCountsRefusalCase> {};

const std::string envelope = "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\n";

TEST_P(ConnectionRefusals, CountByTheCodeOnce) {
  log_in();
  sink.refusal = GetParam().refusal;
  full = GetParam().name == std::string("NoRoom");
  say(GetParam().octets);
  double all = counted.refused("other");
  for (const char* code : {"422", "403", "409", "451", "550", "552", "553"}) all += counted.refused(code);
  EXPECT_EQ(counted.refused(GetParam().code), 1);
  EXPECT_EQ(all, 1);
  EXPECT_EQ(counted.accepted(), 0);
}
INSTANTIATE_TEST_SUITE_P(
    Cases, ConnectionRefusals,
    testing::Values(
        ConnectionCountsRefusalCase{"Malformed", Refusal::Malformed, envelope + "DATA\r\nx\r\n.\r\n", "550"},
        ConnectionCountsRefusalCase{"StoreAway", Refusal::StoreAway, envelope + "DATA\r\nx\r\n.\r\n", "451"},
        ConnectionCountsRefusalCase{"NotAmongThem", Refusal::StoreFull, envelope + "DATA\r\nx\r\n.\r\n", "other"},
        ConnectionCountsRefusalCase{"BareLineFeed", {}, envelope + "DATA\r\nx\ny\r\n.\r\n", "550"},
        ConnectionCountsRefusalCase{
            "TooLargeAsItTurnsOut", {}, envelope + "DATA\r\n" + std::string(2000, 'x') + "\r\n.\r\n", "552"},
        ConnectionCountsRefusalCase{"TooLargeAsAnnounced", {}, "MAIL FROM:<a@example.com> SIZE=2000\r\n", "552"},
        ConnectionCountsRefusalCase{
            "TooLargeInChunks", {}, envelope + "BDAT 2000\r\n" + std::string(2000, 'x') + "BDAT 0 LAST\r\n", "552"},
        ConnectionCountsRefusalCase{"SenderNotAllowed", {}, "MAIL FROM:<a@example.org>\r\n", "553"},
        ConnectionCountsRefusalCase{
            "ARecipient", {}, "MAIL FROM:<a@example.com>\r\nRCPT TO:<unknown@example.net>\r\n", "550"},
        ConnectionCountsRefusalCase{"NoRoom", {}, "MAIL FROM:<a@example.com>\r\n", "other"},
        ConnectionCountsRefusalCase{
            "TooManyRecipients", {}, envelope + "RCPT TO:<c@example.net>\r\nRCPT TO:<d@example.net>\r\n", "other"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(ConnectionCounts, WhatIsNoMessageIsNoRefusal) {
  say("MAIL FROM:<a@example.com>\r\n");
  log_in();
  for (const char* line : {"NONSENSE\r\n", "RCPT TO:<b@example.net>\r\n", "MAIL FROM:<a@example.com> X=1\r\n"})
    say(line);
  EXPECT_EQ(counted.refused("other") + counted.refused("550") + counted.refused("553"), 0);
}

TEST_F(ConnectionCounts, WrongPasswordsThatWereLookedAt) {
  const auto failures = [this] { return test::sample(counted.registry.text({}), "failures_total"); };
  log_in();
  EXPECT_EQ(failures(), 0);
  connection = make_connection(context);
  static_cast<void>(connection->opened({"198.51.100.1", "198.51.100.1", false, true}));
  say("EHLO c\r\n");
  ASSERT_TRUE(say(plain("wrong")).starts_with("535"));
  EXPECT_EQ(failures(), 1);
  ASSERT_EQ(say(plain("wrong")), "held back");
  EXPECT_EQ(failures(), 1);
}

}  // namespace
}  // namespace sealpost::smtp
