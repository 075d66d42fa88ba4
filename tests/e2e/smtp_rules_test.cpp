// SPDX-License-Identifier: Apache-2.0
// The SMTP part of the contract against the running relay: what is offered, what is refused and how, and that nothing
// refused is queued.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/raw_client.h"

namespace sealpost::test {
namespace {

/// One relay for all cases: each opens connections of its own and leaves nothing in the queue.
class SmtpRules : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    relay_ = new RelayFixture(RelayFixture::Settings{
        {"smtp.max_recipients", "3"}, {"smtp.max_message_size", "100000"}, {"keys.pool_size", "0"}});
  }
  static void TearDownTestSuite() {
    delete relay_;
    relay_ = nullptr;
  }
  void TearDown() override {
    EXPECT_TRUE(relay_->ctl({"queue", "list"}).out.ends_with("LAST RESPONSE\n")) << "nothing may be queued";
  }
  static RelayFixture& relay() { return *relay_; }
  static RelayFixture* relay_;
};
RelayFixture* SmtpRules::relay_ = nullptr;

TEST_F(SmtpRules, EhloBeforeAndAfterTls) {
  Submitter client(relay(), "smtp");
  EXPECT_EQ(client.reply(), "220 relay.example.org ESMTP Sealpost");
  EXPECT_EQ(client.say("EHLO c"),
            "250-relay.example.org\n250-PIPELINING\n250-SIZE 100000\n250-STARTTLS\n250-8BITMIME\n250-SMTPUTF8\n"
            "250-CHUNKING\n250-ENHANCEDSTATUSCODES\n250-DSN\n250 LIMITS RCPTMAX=3");
  EXPECT_EQ(client.say("AUTH PLAIN AGEAYg=="), "530 5.7.0 must issue STARTTLS first");
  EXPECT_EQ(client.say("MAIL FROM:<a@example.com>"), "530 5.7.0 must issue STARTTLS first");
  EXPECT_EQ(client.say("STARTTLS"), "220 2.0.0 ready to start TLS");
  client.start_tls();
  EXPECT_EQ(client.say("MAIL FROM:<a@example.com>"), "530 5.7.0 authentication required");
  const std::string answer = client.say("EHLO c");
  EXPECT_NE(answer.find("\n250-AUTH PLAIN LOGIN SCRAM-SHA-256\n"), std::string::npos);
  EXPECT_EQ(answer.find("STARTTLS"), std::string::npos);
}

TEST_F(SmtpRules, OctetsBehindStartTlsCloseTheConnection) {
  Submitter client(relay(), "smtp");
  client.reply();
  client.say("EHLO c");
  client.send("STARTTLS\r\nNOOP\r\n");
  EXPECT_EQ(client.reply(), "closed");
}

TEST_F(SmtpRules, WrongLoginIsRefusedAndTheConnectionStaysUsable) {
  Submitter client(relay(), "smtps");
  client.reply();
  client.say("EHLO c");
  EXPECT_EQ(client.log_in("app", "wrong"), "535 5.7.8 authentication failed");
  EXPECT_EQ(client.log_in("nobody", "wrong"), "535 5.7.8 authentication failed");
  EXPECT_EQ(client.say("MAIL FROM:<alice@example.com>"), "530 5.7.0 authentication required");
  EXPECT_EQ(client.log_in(RelayFixture::account, RelayFixture::password), "235 2.7.0 authentication succeeded");
}

TEST_F(SmtpRules, AuthLoginWorks) {
  Submitter client(relay(), "smtps");
  client.reply();
  client.say("EHLO c");
  EXPECT_EQ(client.say("AUTH LOGIN"), "334 VXNlcm5hbWU6");
  EXPECT_EQ(client.say("YXBw"), "334 UGFzc3dvcmQ6");
  EXPECT_EQ(client.say("Y29ycmVjdC1ob3JzZQ=="), "235 2.7.0 authentication succeeded");
}

TEST_F(SmtpRules, AuthCanBeCancelled) {
  Submitter client(relay(), "smtps");
  client.reply();
  client.say("EHLO c");
  EXPECT_EQ(client.say("AUTH PLAIN"), "334 ");
  EXPECT_EQ(client.say("*"), "501 5.7.0 authentication cancelled");
  EXPECT_EQ(client.say("AUTH PLAIN !!!"), "501 5.5.2 not base64");
  EXPECT_EQ(client.say("AUTH GSSAPI"), "504 5.5.4 mechanism not offered");
}

struct Refused {
  const char* name;
  std::vector<std::string> commands;
  std::string reply;  ///< to the last one, from its beginning
};
void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.name; }

class SmtpRefusals : public SmtpRules, public testing::WithParamInterface<Refused> {};

TEST_P(SmtpRefusals, AreAnsweredAsTheContractSays) {
  auto client = Submitter::logged_in(relay());
  std::string answer;
  for (const auto& command : GetParam().commands) answer = client.say(command);
  EXPECT_EQ(answer.substr(0, GetParam().reply.size()), GetParam().reply) << answer;
  EXPECT_EQ(client.say("NOOP"), "250 2.0.0 ok") << "the connection stays usable";
}

const std::string from = "MAIL FROM:<alice@example.com>";

INSTANTIATE_TEST_SUITE_P(
    All, SmtpRefusals,
    testing::Values(
        Refused{"ForeignSender", {"MAIL FROM:<alice@other.example>"}, "553 5.7.1"},
        Refused{"SizeBeyondLimit", {from + " SIZE=100001"}, "552 5.3.4"},
        Refused{"SizeBeyondNumbers", {from + " SIZE=99999999999999999999999"}, "552 5.3.4"},
        Refused{"MalformedSize", {from + " SIZE=x"}, "501 5.5.4"},
        Refused{"UnknownMailParameter", {from + " FUTURE=1"}, "555 5.5.4"},
        Refused{"DoubledParameter", {from + " SIZE=1 SIZE=2"}, "501 5.5.4"},
        Refused{"BadBody", {from + " BODY=9BIT"}, "501 5.5.4"}, Refused{"BadRet", {from + " RET=ALL"}, "501 5.5.4"},
        Refused{"BadEnvid", {from + " ENVID=a+b"}, "501 5.5.4"},
        Refused{"MailWithoutBrackets", {"MAIL FROM:alice@example.com"}, "501 5.5.4"},
        Refused{"MailWithoutFrom", {"MAIL alice"}, "501 5.5.4"}, Refused{"NestedMail", {from, from}, "503 5.5.1"},
        Refused{"RcptFirst", {"RCPT TO:<bob@example.net>"}, "503 5.5.1"}, Refused{"DataFirst", {"DATA"}, "503 5.5.1"},
        Refused{"DataWithoutRecipients", {from, "DATA"}, "503 5.5.1"},
        Refused{"UnknownRcptParameter", {from, "RCPT TO:<bob@example.net> X=1"}, "555 5.5.4"},
        Refused{"BadNotify", {from, "RCPT TO:<bob@example.net> NOTIFY=NEVER,DELAY"}, "501 5.5.4"},
        Refused{"BadOrcpt", {from, "RCPT TO:<bob@example.net> ORCPT=bob"}, "501 5.5.4"},
        Refused{"AddressLiteral", {from, "RCPT TO:<bob@[127.0.0.1]>"}, "553 5.1.2"},
        Refused{"NoDomain", {from, "RCPT TO:<bob>"}, "553 5.1.3"},
        Refused{"DoubleDot", {from, "RCPT TO:<a..b@example.net>"}, "553 5.1.3"},
        Refused{"LocalPartTooLong", {from, "RCPT TO:<" + std::string(65, 'a') + "@example.net>"}, "553 5.1.3"},
        Refused{"CannotStandInACertificate", {from, "RCPT TO:<\"a b\"@example.net>"}, "553 5.1.3"},
        Refused{"Utf8WithoutSmtputf8", {from, "RCPT TO:<jürgen@example.net>"}, "553 5.6.7"},
        Refused{"TooManyRecipients",
                {from, "RCPT TO:<a@example.net>", "RCPT TO:<b@example.net>", "RCPT TO:<c@example.net>",
                 "RCPT TO:<d@example.net>"},
                "452 4.5.3"},
        Refused{"SecondStartTls", {"STARTTLS"}, "503 5.5.1"}, Refused{"UnknownCommand", {"FETCH 1"}, "500 5.5.1"},
        Refused{"OverlongLine", {"NOOP " + std::string(600, 'x')}, "500 5.5.2"},
        Refused{"EightBitCommand", {"NOOP \xc3\xa9"}, "501 5.5.4"}, Refused{"BrokenUtf8", {"NOOP \xff"}, "500 5.5.2"},
        Refused{"NulInCommand", {std::string("NO\0OP", 5)}, "500 5.5.2"},
        Refused{"BareCrInCommand", {"NO\rOP"}, "500 5.5.2"}, Refused{"AuthTwice", {"AUTH PLAIN"}, "503 5.5.1"},
        Refused{"Expn", {"EXPN list"}, "502 5.5.1"}),
    [](const auto& info) { return info.param.name; });

struct BadMessage {
  const char* name;
  std::string octets;  ///< what follows 354, without the end
  std::string reply;
};
void PrintTo(const BadMessage& bad, std::ostream* out) { *out << bad.name; }

class BadMessages : public SmtpRules, public testing::WithParamInterface<BadMessage> {};

/// Whatever is wrong in the content: one reply, no octet of it executed, the connection usable.
TEST_P(BadMessages, AreRefusedAndNeverReadAsCommands) {
  auto client = Submitter::logged_in(relay());
  client.say(from);
  ASSERT_TRUE(client.say("RCPT TO:<bob@example.net>").starts_with("250"));
  ASSERT_TRUE(client.say("DATA").starts_with("354"));
  client.send(GetParam().octets + "\r\n.\r\nNOOP\r\n");
  const std::string answer = client.reply();
  EXPECT_EQ(answer.substr(0, GetParam().reply.size()), GetParam().reply) << answer;
  EXPECT_EQ(client.reply(), "250 2.0.0 ok") << "the command behind the end of data";
}

const std::string head = "From: alice@example.com\r\n\r\n";
const std::string smuggled = "MAIL FROM:<x@example.com>\r\nRCPT TO:<y@example.net>\r\nDATA\r\nbody";

INSTANTIATE_TEST_SUITE_P(
    All, BadMessages,
    testing::Values(
        BadMessage{"LfDotLf", head + "a\n.\n" + smuggled, "550 5.6.0"},
        BadMessage{"LfDotCrlf", head + "a\n.\r\n" + smuggled, "550 5.6.0"},
        BadMessage{"CrDotCr", head + "a\r.\r" + smuggled, "550 5.6.0"},
        BadMessage{"CrlfDotLf", head + "a\r\n.\n" + smuggled, "550 5.6.0"},
        BadMessage{"CrlfDotCr", head + "a\r\n.\r" + smuggled, "550 5.6.0"},
        BadMessage{"Nul", head + std::string("a\0b", 3), "550 5.6.0"}, BadMessage{"BareLf", head + "a\nb", "550 5.6.0"},
        BadMessage{"BareCr", head + "a\rb", "550 5.6.0"},
        BadMessage{"TooLarge", head + std::string(100000, 'a'), "552 5.3.4"},
        BadMessage{"NoEmptyLine", "From: alice@example.com\r\nSubject: x", "550 5.6.0"},
        BadMessage{"NeitherFieldNorFold", "From: alice@example.com\r\nnonsense\r\n\r\nbody", "550 5.6.0"},
        BadMessage{"NoFrom", "Subject: x\r\n\r\nbody", "550 5.7.1"},
        BadMessage{"TwoFrom", "From: alice@example.com\r\nFrom: alice@example.com\r\n\r\nbody", "550 5.7.1"},
        BadMessage{"ForeignFrom", "From: ceo@other.example\r\n\r\nbody", "550 5.7.1"},
        BadMessage{"ForeignSecondMailbox",
                   "From: alice@example.com, ceo@other.example\r\nSender: alice@example.com\r\n\r\nbody", "550 5.7.1"},
        BadMessage{"ForeignSenderField", "From: alice@example.com\r\nSender: x@other.example\r\n\r\nbody", "550 5.7.1"},
        BadMessage{"ForeignResentFrom", "From: alice@example.com\r\nResent-From: x@other.example\r\n\r\nbody",
                   "550 5.7.1"},
        BadMessage{"UnreadableFrom", "From: alice@example.com <ceo@other.example\r\n\r\nbody", "550 5.7.1"},
        BadMessage{"HeaderLineCannotBeFolded",
                   "From: alice@example.com\r\nX: " + std::string(1200, 'x') + "\r\n\r\nbody", "550 5.6.0"}),
    [](const auto& info) { return info.param.name; });

TEST_F(SmtpRules, FailedBdatConsumesItsOctets) {
  auto client = Submitter::logged_in(relay());
  client.send("BDAT 6\r\nNOOP\r\nNOOP\r\n");
  EXPECT_EQ(client.reply().substr(0, 3), "503");
  EXPECT_EQ(client.reply(), "250 2.0.0 ok");
  client.say("RSET");
  client.say(from);
  client.say("RCPT TO:<bob@example.net>");
  client.send("BDAT 3\r\na\nbBDAT 6 LAST\r\nNOOP\r\nNOOP\r\n");
  EXPECT_EQ(client.reply().substr(0, 9), "550 5.6.0");
  EXPECT_EQ(client.reply().substr(0, 3), "503");
  EXPECT_EQ(client.reply(), "250 2.0.0 ok");
}

TEST_F(SmtpRules, BdatBeforeLoginIsNeverReadAsCommands) {
  Submitter client(relay(), "smtps");
  client.reply();
  client.say("EHLO c");
  client.send("BDAT 6\r\nNOOP\r\n");
  EXPECT_EQ(client.reply().substr(0, 9), "530 5.7.0");
  EXPECT_EQ(client.reply(), "closed");
}

TEST_F(SmtpRules, EndOfFileInDataQueuesNothing) {
  const std::string login =
      "AUTH PLAIN " + to_base64(std::string(1, '\0') + RelayFixture::account + '\0' + RelayFixture::password);
  for (const std::string& content : {"DATA\r\n" + head + "half a mess", "BDAT 1000\r\n" + head + "half a mess"}) {
    RawClient client(static_cast<std::uint16_t>(relay().port("smtps")), 0, std::chrono::seconds(60));
    ASSERT_TRUE(client.start_tls());
    ASSERT_TRUE(client.send("EHLO c\r\n" + login + "\r\n" + from + "\r\nRCPT TO:<bob@example.net>\r\n"));
    EXPECT_NE(client.read_until("250 2.1.5 recipient ok\r\n").find("\r\n235 2.7.0"), std::string::npos);
    ASSERT_TRUE(client.send(content));
    client.half_close();
    const std::string said = client.read_to_end();
    EXPECT_EQ(said.find("250 "), std::string::npos) << said;
    EXPECT_TRUE(client.closed_within(std::chrono::milliseconds(0)));
  }
}

TEST_F(SmtpRules, TooManyErrorsEndTheSession) {
  auto client = Submitter::logged_in(relay());
  std::string answer;
  for (int i = 0; i < 19; ++i) answer = client.say("NONSENSE");
  EXPECT_EQ(answer.substr(0, 3), "500");
  client.send("NONSENSE\r\n");
  EXPECT_EQ(client.reply().substr(0, 3), "500");
  EXPECT_EQ(client.reply().substr(0, 9), "421 4.7.0");
  EXPECT_EQ(client.reply(), "closed");
}

TEST(SmtpTransactions, PipelinedAndChunkedMessagesArrive) {
  RelayFixture relay;
  auto client = Submitter::logged_in(relay);
  // Mistakes beside good mail end no session: they are counted anew after each message.
  for (int i = 0; i < 19; ++i) EXPECT_EQ(client.say("NONSENSE").substr(0, 3), "500");
  ASSERT_TRUE(client.submit("alice@example.com", {"carol@example.net"}, message("0", "zero")).starts_with("250"));
  for (int i = 0; i < 19; ++i) EXPECT_EQ(client.say("NONSENSE").substr(0, 3), "500");
  client.send(from + "\r\nRCPT TO:<bob@example.net>\r\nRCPT TO:<BOB@example.net>\r\nDATA\r\n");
  EXPECT_EQ(client.reply().substr(0, 3), "250");
  EXPECT_EQ(client.reply().substr(0, 3), "250");
  EXPECT_EQ(client.reply().substr(0, 3), "250") << "the same address again collapses into one";
  EXPECT_EQ(client.reply().substr(0, 3), "354");
  client.send(message("1", "one") + ".\r\n" + from +
              "\r\nRCPT TO:<bob@example.net>\r\nBDAT 27\r\nFrom: alice@example.com\r\n\r\nBDAT 5 LAST\r\ntwo\r\n");
  EXPECT_EQ(client.reply().substr(0, 9), "250 2.6.0");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.reply().substr(0, 3), "250") << i;
  EXPECT_EQ(client.reply().substr(0, 9), "250 2.6.0");
  const auto key = relay.pick_up(relay.notifications("bob@example.net", 1).at(0));
  const auto sealed = relay.sealed_mail("bob@example.net", 2);
  ASSERT_EQ(sealed.size(), 2U);
  EXPECT_EQ(relay.decrypt(sealed[0], key), "Content-Type: text/plain\r\n\r\none\r\n");
  EXPECT_EQ(relay.decrypt(sealed[1], key), "Content-Type: text/plain\r\n\r\ntwo\r\n");
}

}  // namespace
}  // namespace sealpost::test
