// SPDX-License-Identifier: Apache-2.0
// What becomes of a delivery when a server answers well, badly, strangely or not at all at each stage of a transaction.
#include "relay/delivery/smtp_client.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/unit/relay/delivery/smtp_fixture.h"

namespace sealpost {
namespace {

using test::Answer;
using test::code_of;
using test::enhanced_of;
using test::kind_of;
using test::make_claim;
using test::PiecesBody;
using test::SmtpServer;

struct StageCase {
  const char* name;
  const char* stage;
  Answer answer;
  const char* kind;
  const char* enhanced;
  int code;
  const char* text;  ///< is in the response
};
void PrintTo(const StageCase& c, std::ostream* out) { *out << c.name; }

class Stages : public test::SmtpTest, public ::testing::WithParamInterface<std::tuple<StageCase, bool>> {};

TEST_P(Stages, EndTheAttemptAsTheyShould) {
  const auto& [c, pipelining] = GetParam();
  SmtpServer::Options options;
  if (!pipelining) options.extensions = {"ENHANCEDSTATUSCODES"};
  SmtpServer server(options);
  server.answer(c.stage, {c.answer});
  const Outcome outcome = attempt(server);
  EXPECT_EQ(kind_of(outcome), c.kind) << response_of(outcome);
  EXPECT_EQ(enhanced_of(outcome), c.enhanced);
  EXPECT_EQ(code_of(outcome), c.code) << "0 when the words are our own";
  EXPECT_NE(response_of(outcome).find(c.text), std::string::npos) << response_of(outcome);
  EXPECT_EQ(server.connections(), 1U);
}

constexpr auto closed = "closed the connection";
constexpr auto unclear = "cannot be understood";

INSTANTIATE_TEST_SUITE_P(
    Connect, Stages,
    ::testing::Combine(
        ::testing::Values(StageCase{"Connect4xx", "CONNECT", "450 4.3.2 busy", "deferred", "4.3.2", 450, "busy"},
                          StageCase{"Connect5xxIsAboutUs", "CONNECT", "554 5.7.1 go away", "deferred", "4.7.1", 554,
                                    "go away"},
                          StageCase{"Connect421", "CONNECT", "421 4.3.2 later", "deferred", "4.3.2", 421, "later"},
                          StageCase{"ConnectClose", "CONNECT", Answer::close(), "deferred", "4.4.2", 0, closed},
                          StageCase{"ConnectGarbage", "CONNECT", "SSH-2.0-x", "deferred", "4.4.2", 0, unclear},
                          StageCase{"Ehlo4xx", "EHLO", "450 4.3.2 busy", "deferred", "4.3.2", 450, "busy"},
                          StageCase{"Ehlo5xxIsFollowedByHelo", "EHLO", "502 5.5.1 what", "delivered", "", 0, "250"},
                          StageCase{"EhloClose", "EHLO", Answer::close(), "deferred", "4.4.2", 0, closed},
                          StageCase{"EhloGarbage", "EHLO", "hello", "deferred", "4.4.2", 0, unclear}),
        ::testing::Values(true)),
    [](const auto& info) { return std::get<0>(info.param).name; });

INSTANTIATE_TEST_SUITE_P(
    Transaction, Stages,
    ::testing::Combine(
        ::testing::Values(StageCase{"Mail4xx", "MAIL", "450 4.1.8 wait", "deferred", "4.1.8", 450, "wait"},
                          StageCase{"Mail5xx", "MAIL", "550 5.1.8 no", "failed", "5.1.8", 550, "550 5.1.8 no"},
                          StageCase{"Mail421", "MAIL", "421 4.3.2 bye", "deferred", "4.3.2", 421, "bye"},
                          StageCase{"MailWantsALogin", "MAIL", "530 5.7.0 log in", "deferred", "4.7.0", 530, "log in"},
                          StageCase{"MailStrange", "MAIL", "354 go on", "deferred", "4.5.0", 354, "354"},
                          StageCase{"MailClose", "MAIL", Answer::close(), "deferred", "4.4.2", 0, closed},
                          StageCase{"MailGarbage", "MAIL", "hello", "deferred", "4.4.2", 0, unclear},
                          StageCase{"Rcpt4xx", "RCPT", "451 4.7.1 greylisted", "deferred", "4.7.1", 451, "greylisted"},
                          StageCase{"Rcpt5xx", "RCPT", "550 5.1.1 no", "failed", "5.1.1", 550, "550 5.1.1 no"},
                          StageCase{"Rcpt5xxWithoutCode", "RCPT", "550 no", "failed", "5.0.0", 550, "550 no"},
                          StageCase{"Rcpt421", "RCPT", "421 4.3.2 bye", "deferred", "4.3.2", 421, "bye"},
                          StageCase{"RcptClose", "RCPT", Answer::close(), "deferred", "4.4.2", 0, closed},
                          StageCase{"RcptGarbage", "RCPT", "hello", "deferred", "4.4.2", 0, unclear},
                          StageCase{"Data4xx", "DATA", "451 4.3.0 wait", "deferred", "4.3.0", 451, "wait"},
                          StageCase{"Data5xx", "DATA", "554 5.7.1 no", "failed", "5.7.1", 554, "no"},
                          StageCase{"Data421", "DATA", "421 4.3.2 bye", "deferred", "4.3.2", 421, "bye"},
                          StageCase{"DataStrange", "DATA", "250 ok", "deferred", "4.5.0", 250, "250"},
                          StageCase{"DataClose", "DATA", Answer::close(), "deferred", "4.4.2", 0, closed},
                          StageCase{"DataGarbage", "DATA", "hello", "deferred", "4.4.2", 0, unclear},
                          StageCase{"Dot2xx", ".", "250 2.0.0 queued as 42", "delivered", "", 0,
                                    "250 2.0.0 queued as 42"},
                          StageCase{"Dot2xxAndRubbish", ".", "250-\xff\x01\n250 \x1b[2J", "delivered", "", 0, "250"},
                          StageCase{"Dot4xx", ".", "452 4.2.2 full", "deferred", "4.2.2", 452, "full"},
                          StageCase{"Dot5xx", ".", "554 5.6.0 no", "failed", "5.6.0", 554, "no"},
                          StageCase{"Dot421", ".", "421 4.3.2 bye", "deferred", "4.3.2", 421, "bye"},
                          StageCase{"DotStrange", ".", "354 more", "deferred", "4.5.0", 354, "354"},
                          StageCase{"DotClose", ".", Answer::close(), "deferred", "4.4.2", 0, "outcome unknown"},
                          StageCase{"DotGarbage", ".", "hello", "deferred", "4.4.2", 0, "outcome unknown"}),
        ::testing::Bool()),
    [](const auto& info) {
      return std::string(std::get<0>(info.param).name) + (std::get<1>(info.param) ? "Pipelined" : "OneByOne");
    });

class SmtpTransactions : public test::SmtpTest {};

TEST_F(SmtpTransactions, CarryEnvelopeAndContent) {
  SmtpServer server;
  PiecesBody body({"Subject: x\r\n\r\n", ".one\r", "\n.\r\ntwo"});
  ASSERT_EQ(kind_of(attempt(server, make_claim(), body)), "delivered");
  EXPECT_EQ(server.lines(), (std::vector<std::string>{"EHLO relay.example.org", "MAIL FROM:<alice@example.com>",
                                                      "RCPT TO:<bob@example.net>", "DATA", "."}));
  EXPECT_EQ(server.messages(), std::vector<std::string>{"Subject: x\r\n\r\n.one\r\n.\r\ntwo\r\n"});
}

TEST_F(SmtpTransactions, EhloAndHeloRefusedDefer) {
  SmtpServer server;
  server.answer("EHLO", {"502 5.5.1 what"});
  server.answer("HELO", {"554 5.7.1 no access"});
  const Outcome outcome = attempt(server);
  EXPECT_EQ(kind_of(outcome), "deferred");
  EXPECT_EQ(enhanced_of(outcome), "4.7.1");
}

TEST_F(SmtpTransactions, AHundredThousandOctetsOfEhloDefer) {
  SmtpServer server;
  std::string hello = "250-x";
  for (int i = 0; i < 10'000; ++i) hello += "\n250-EXTENSION" + std::to_string(i);
  server.answer("EHLO", {hello + "\n250 HELP"});
  const Outcome outcome = attempt(server);
  EXPECT_EQ(kind_of(outcome), "deferred");
  EXPECT_NE(response_of(outcome).find(unclear), std::string::npos);
}

TEST_F(SmtpTransactions, ARefusalTellsWhatWasRefused) {
  const std::vector<std::pair<const char*, Refused>> stages = {
      {"MAIL", Refused::Sender}, {"RCPT", Refused::Recipient}, {"DATA", Refused::Message}, {".", Refused::Message}};
  for (const auto& [stage, refused] : stages) {
    for (const char* extension : {"PIPELINING", "SIZE"}) {
      SmtpServer::Options options;
      options.extensions = {extension};
      SmtpServer server(options);
      server.answer(stage, {"550 no"});
      const Outcome outcome = attempt(server);
      ASSERT_EQ(kind_of(outcome), "failed") << stage;
      EXPECT_EQ(std::get<Failed>(outcome).refused, refused) << stage << " " << extension;
    }
  }
}

TEST_F(SmtpTransactions, SilenceEndsAtTheStagesTimeout) {
  for (const char* stage : {"CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."}) {
    SmtpServer server;
    server.answer(stage, {Answer::silence()});
    target.timeouts.greeting = target.timeouts.mail = target.timeouts.rcpt = target.timeouts.data =
        target.timeouts.final = std::chrono::milliseconds(200);
    const Outcome outcome = attempt(server);
    EXPECT_EQ(kind_of(outcome), "deferred") << stage;
    EXPECT_NE(response_of(outcome).find("timed out"), std::string::npos) << stage << ": " << response_of(outcome);
    EXPECT_EQ(response_of(outcome).find("outcome unknown") != std::string::npos, std::string(stage) == ".") << stage;
  }
}

/// Each block is taken in time, and the whole would take for ever.
TEST_F(SmtpTransactions, WhoTakesTheContentTooSlowlyIsLeft) {
  SmtpServer::Options slow;
  slow.pause = std::chrono::milliseconds(20);
  SmtpServer server(slow);
  Claim claim = make_claim();
  claim.delivery.size = std::size_t{256} * 65536;
  PiecesBody body(std::vector<std::string>(256, std::string(65534, 'x') + "\r\n"));
  target.timeouts.block = std::chrono::seconds(1);
  target.timeouts.least_rate = 1'000'000'000;
  const Outcome outcome = attempt(server, claim, body);
  EXPECT_EQ(kind_of(outcome), "deferred") << response_of(outcome);
  EXPECT_LT(body.given(), 256U);
}

TEST_F(SmtpTransactions, ARefusedRecipientWhoseDataIsWantedGetsAnEmptyMessage) {
  SmtpServer server;
  server.answer("RCPT", {"550 5.1.1 no", "250 ok"});
  auto client = open(server);
  PiecesBody body;
  EXPECT_EQ(kind_of(client->send(make_claim(), body)), "failed");
  EXPECT_EQ(body.given(), 0U) << "not an octet of the message";
  EXPECT_EQ(server.messages(), std::vector<std::string>{""});
  ASSERT_TRUE(client->usable());
  EXPECT_EQ(kind_of(client->send(make_claim(), body)), "delivered") << "the connection serves the next one";
}

TEST_F(SmtpTransactions, ARefusalIsFollowedByAReset) {
  SmtpServer server({SmtpServer::Options::Tls::None, {}, "127.0.0.1", {}});
  server.answer("RCPT", {"450 4.2.1 wait", "250 ok"});
  auto client = open(server);
  PiecesBody body;
  EXPECT_EQ(kind_of(client->send(make_claim(), body)), "deferred");
  EXPECT_EQ(server.lines().back(), "RSET");
  EXPECT_EQ(kind_of(client->send(make_claim(), body)), "delivered");
}

TEST_F(SmtpTransactions, AnUnreadableBodyIsNeverEndedByADot) {
  SmtpServer server;
  auto client = open(server);
  PiecesBody body({"Subject: x\r\n", "half"}, true);
  const Outcome outcome = client->send(make_claim(), body);
  EXPECT_EQ(kind_of(outcome), "deferred");
  EXPECT_EQ(enhanced_of(outcome), "4.3.0");
  EXPECT_FALSE(client->usable());
  client.reset();
  EXPECT_TRUE(server.messages().empty());
}

TEST_F(SmtpTransactions, TheRelayStopsBeforeTheDot) {
  for (const char* stage : {"CONNECT", "EHLO", "MAIL", "RCPT", "DATA"}) {
    SmtpServer server;
    server.answer(stage, {Answer::silence()});
    PollableFlag flag;
    auto running = std::async(std::launch::async, [&] { return attempt_with(server, flag); });
    const std::string verb = stage;
    if (verb != "CONNECT") {
      EXPECT_TRUE(server.wait_for(verb)) << verb;
    }
    flag.raise();
    const Outcome outcome = running.get();
    EXPECT_EQ(kind_of(outcome), "abandoned") << stage << ": " << response_of(outcome);
  }
}

TEST_F(SmtpTransactions, TheRelayStopsAfterTheDot) {
  SmtpServer server;
  server.answer(".", {Answer::silence()});
  PollableFlag flag;
  auto running = std::async(std::launch::async, [&] { return attempt_with(server, flag); });
  EXPECT_TRUE(server.wait_for("."));
  flag.raise();
  const Outcome outcome = running.get();
  EXPECT_EQ(kind_of(outcome), "deferred");
  EXPECT_NE(response_of(outcome).find("outcome unknown"), std::string::npos) << response_of(outcome);
}

}  // namespace
}  // namespace sealpost
