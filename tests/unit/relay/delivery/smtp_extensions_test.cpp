// SPDX-License-Identifier: Apache-2.0
// What the client does with what a server offers: SIZE, SMTPUTF8, DSN, AUTH, and LMTP instead of SMTP.
#include <gtest/gtest.h>

#include "base/encoding.h"
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

SmtpServer::Options offering(std::vector<std::string> extensions) {
  SmtpServer::Options options;
  options.extensions = std::move(extensions);
  return options;
}

class SmtpExtensions : public test::SmtpTest {};

struct SizeCase {
  const char* name;
  const char* offered;
  const char* kind;
};
void PrintTo(const SizeCase& c, std::ostream* out) { *out << c.name; }
class Sizes : public test::SmtpTest, public ::testing::WithParamInterface<SizeCase> {};

TEST_P(Sizes, AreComparedBeforeTheMessageIsSent) {
  SmtpServer server(offering({GetParam().offered}));
  const Outcome outcome = attempt(server);  // of 1000 octets
  EXPECT_EQ(kind_of(outcome), GetParam().kind);
  if (kind_of(outcome) == "delivered") {
    EXPECT_EQ(server.line("MAIL"), "MAIL FROM:<alice@example.com> SIZE=1000");
    return;
  }
  EXPECT_EQ(enhanced_of(outcome), "5.3.4");
  EXPECT_EQ(code_of(outcome), 0) << "it is our own finding";
  EXPECT_EQ(server.line("MAIL"), "");
}

INSTANTIATE_TEST_SUITE_P(
    All, Sizes,
    ::testing::Values(SizeCase{"Smaller", "SIZE 999", "failed"}, SizeCase{"Equal", "SIZE 1000", "delivered"},
                      SizeCase{"None", "SIZE", "delivered"}, SizeCase{"Zero", "SIZE 0", "delivered"},
                      SizeCase{"Garbage", "SIZE lots", "delivered"}, SizeCase{"Negative", "SIZE -1", "delivered"},
                      SizeCase{"Overflow", "SIZE 99999999999999999999", "delivered"}),
    [](const auto& info) { return info.param.name; });

struct Utf8Case {
  const char* name;
  bool offered;
  const char* recipient;
  bool flagged;  ///< the message was submitted with SMTPUTF8
  const char* rcpt;
  const char* mail;  ///< empty: fails
};
void PrintTo(const Utf8Case& c, std::ostream* out) { *out << c.name; }
class Utf8 : public test::SmtpTest, public ::testing::WithParamInterface<Utf8Case> {};

TEST_P(Utf8, AddressesGoAsTheServerCanTakeThem) {
  const Utf8Case& c = GetParam();
  SmtpServer server(offering(c.offered ? std::vector<std::string>{"SMTPUTF8"} : std::vector<std::string>{}));
  Claim claim = make_claim(c.recipient);
  claim.delivery.smtputf8 = c.flagged;
  const Outcome outcome = attempt(server, claim);
  if (std::string(c.mail).empty()) {
    EXPECT_EQ(kind_of(outcome), "failed");
    EXPECT_EQ(enhanced_of(outcome), "5.6.7");
    EXPECT_EQ(code_of(outcome), 0);
    EXPECT_EQ(server.line("MAIL"), "");
    return;
  }
  EXPECT_EQ(kind_of(outcome), "delivered");
  EXPECT_EQ(server.line("MAIL"), c.mail);
  EXPECT_EQ(server.line("RCPT"), c.rcpt);
}

INSTANTIATE_TEST_SUITE_P(
    All, Utf8,
    ::testing::Values(Utf8Case{"Ascii", true, "bob@example.net", false, "RCPT TO:<bob@example.net>",
                               "MAIL FROM:<alice@example.com>"},
                      Utf8Case{"Flagged", true, "bob@example.net", true, "RCPT TO:<bob@example.net>",
                               "MAIL FROM:<alice@example.com> SMTPUTF8"},
                      Utf8Case{"LocalPart", true, "b\xc3\xb6@example.net", true, "RCPT TO:<b\xc3\xb6@example.net>",
                               "MAIL FROM:<alice@example.com> SMTPUTF8"},
                      Utf8Case{"LocalPartNotOffered", false, "b\xc3\xb6@example.net", true, "", ""},
                      Utf8Case{"DomainNotOffered", false, "bob@b\xc3\xbc\x63her.example", true,
                               "RCPT TO:<bob@xn--bcher-kva.example>", "MAIL FROM:<alice@example.com>"}),
    [](const auto& info) { return info.param.name; });

struct Utf8HeaderCase {
  const char* name;
  bool offered;
  bool flagged;
  const char* header;
  const char* enhanced;  ///< empty: delivered
};
void PrintTo(const Utf8HeaderCase& c, std::ostream* out) { *out << c.name; }
class Utf8Header : public test::SmtpTest, public ::testing::WithParamInterface<Utf8HeaderCase> {};

TEST_P(Utf8Header, FieldsBeyondAsciiNeedAServerThatTakesThem) {
  const Utf8HeaderCase& c = GetParam();
  SmtpServer server(offering(c.offered ? std::vector<std::string>{"SMTPUTF8"} : std::vector<std::string>{}));
  Claim claim = make_claim();
  claim.delivery.smtputf8 = c.flagged;
  PiecesBody body;
  body.header = c.header;
  const Outcome outcome = attempt(server, claim, body);
  EXPECT_EQ(kind_of(outcome), *c.enhanced == '\0' ? "delivered" : "failed");
  EXPECT_EQ(enhanced_of(outcome), c.enhanced);
  EXPECT_EQ(server.messages().size(), *c.enhanced == '\0' ? 1U : 0U);
}

INSTANTIATE_TEST_SUITE_P(All, Utf8Header,
                         ::testing::Values(Utf8HeaderCase{"Offered", true, true, "Subject: \xc3\xb6\r\n", ""},
                                           Utf8HeaderCase{"NotOffered", false, true, "Subject: \xc3\xb6\r\n", "5.6.9"},
                                           Utf8HeaderCase{"AsciiAfterAll", false, true, "Subject: o\r\n", ""},
                                           Utf8HeaderCase{"EightBitOfOld", false, false, "Subject: \xf6\r\n", ""}),
                         [](const auto& info) { return info.param.name; });

struct FullCase {
  const char* name;
  const char* stage;
  const char* reply;
  const char* kind;
  const char* enhanced;
};
void PrintTo(const FullCase& c, std::ostream* out) { *out << c.name; }
class FullMailbox : public test::SmtpTest, public ::testing::WithParamInterface<FullCase> {};

TEST_P(FullMailbox, IsTriedAgainAndAMessageThatIsTooLargeIsNot) {
  const FullCase& c = GetParam();
  SmtpServer server;
  server.answer(c.stage, {c.reply});
  const Outcome outcome = attempt(server);
  EXPECT_EQ(kind_of(outcome), c.kind);
  EXPECT_EQ(enhanced_of(outcome), c.enhanced);
}

INSTANTIATE_TEST_SUITE_P(
    All, FullMailbox,
    ::testing::Values(FullCase{"Coded", "RCPT", "552 5.2.2 full", "deferred", "4.2.2"},
                      FullCase{"Bare", "RCPT", "552 mailbox full", "deferred", "4.2.2"},
                      FullCase{"ByAnotherCode", "RCPT", "550 5.2.2 over quota", "deferred", "4.2.2"},
                      FullCase{"AtTheEnd", ".", "552 5.2.2 full", "deferred", "4.2.2"},
                      FullCase{"TooLargeAtMail", "MAIL", "552 too large", "failed", "5.0.0"},
                      FullCase{"TooLargeAtTheEnd", ".", "552 5.3.4 too large", "failed", "5.3.4"},
                      FullCase{"TooLargeForTheMailbox", "RCPT", "552 5.2.3 too large", "failed", "5.2.3"}),
    [](const auto& info) { return info.param.name; });

struct DsnCase {
  const char* name;
  DsnRequest dsn;
  const char* envid;
  const char* mail;
  const char* rcpt;
};
void PrintTo(const DsnCase& c, std::ostream* out) { *out << c.name; }
class Dsn : public test::SmtpTest, public ::testing::WithParamInterface<DsnCase> {};

TEST_P(Dsn, ParametersReachAServerThatOffersIt) {
  SmtpServer server(offering({"DSN"}));
  Claim claim = make_claim();
  claim.delivery.dsn = GetParam().dsn;
  claim.delivery.envid = GetParam().envid;
  EXPECT_EQ(kind_of(attempt(server, claim)), "delivered");
  EXPECT_EQ(server.line("MAIL"), std::string("MAIL FROM:<alice@example.com>") + GetParam().mail);
  EXPECT_EQ(server.line("RCPT"), std::string("RCPT TO:<bob@example.net>") + GetParam().rcpt);
}

INSTANTIATE_TEST_SUITE_P(
    All, Dsn,
    ::testing::Values(
        DsnCase{"NothingSaid", {}, "", " RET=HDRS", ""},
        DsnCase{"TheDefaultSaid", {false, false, true, true, "", true}, "", " RET=HDRS", " NOTIFY=FAILURE,DELAY"},
        DsnCase{"Never", {true, false, false, false, ""}, "", " RET=HDRS", " NOTIFY=NEVER"},
        DsnCase{"All",
                {false, true, true, true, "rfc822;x@example.org"},
                "QQ314159",
                " RET=HDRS ENVID=QQ314159",
                " NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;x@example.org"},
        DsnCase{"Nothing", {false, false, false, false, ""}, "", " RET=HDRS", " NOTIFY=NEVER"}),
    [](const auto& info) { return info.param.name; });

struct CustodyCase {
  const char* name;
  Route::Kind kind;
  std::deque<Answer> hello;  ///< instead of the server's own
  std::vector<std::string> extensions;
  Custody custody;
};
void PrintTo(const CustodyCase& c, std::ostream* out) { *out << c.name; }
class Custodies : public test::SmtpTest, public ::testing::WithParamInterface<CustodyCase> {};

/// RFC 3461 section 5.2: whoever was given the sender's wish answers for it.
TEST_P(Custodies, IsTheServersThatTookTheParametersOver) {
  SmtpServer server(offering(GetParam().extensions));
  if (!GetParam().hello.empty()) server.answer("EHLO", GetParam().hello);
  server.answer(".", {"250 2.6.0 taken"});
  target.kind = GetParam().kind;
  const Outcome outcome = attempt(server);
  const auto* delivered = std::get_if<Delivered>(&outcome);
  ASSERT_NE(delivered, nullptr) << response_of(outcome);
  EXPECT_EQ(delivered->custody, GetParam().custody);
  EXPECT_EQ(delivered->enhanced, "2.6.0");
  EXPECT_EQ(delivered->code, 250);
}

INSTANTIATE_TEST_SUITE_P(
    All, Custodies,
    ::testing::Values(CustodyCase{"Smtp", Route::Kind::Smtp, {}, {"SIZE"}, Custody::Relay},
                      CustodyCase{"SmtpWithDsn", Route::Kind::Smtp, {}, {"DSN"}, Custody::DsnRelay},
                      CustodyCase{"OldSmtp", Route::Kind::Smtp, {"502 5.5.1 what"}, {"DSN"}, Custody::Relay},
                      CustodyCase{"Lmtp", Route::Kind::Lmtp, {}, {"SIZE"}, Custody::Mailbox},
                      CustodyCase{"LmtpWithDsn", Route::Kind::Lmtp, {}, {"DSN"}, Custody::DsnRelay}),
    [](const auto& info) { return info.param.name; });

TEST_F(SmtpExtensions, DsnParametersStayHereWhenNotOffered) {
  SmtpServer server(offering({}));
  Claim claim = make_claim();
  claim.delivery.envid = "QQ";
  claim.delivery.dsn.orcpt = "rfc822;x@example.org";
  EXPECT_EQ(kind_of(attempt(server, claim)), "delivered");
  EXPECT_EQ(server.line("MAIL"), "MAIL FROM:<alice@example.com>");
  EXPECT_EQ(server.line("RCPT"), "RCPT TO:<bob@example.net>");
}

TEST_F(SmtpExtensions, KeywordsInLowerCaseCount) {
  SmtpServer server(offering({"size 10"}));
  EXPECT_EQ(enhanced_of(attempt(server)), "5.3.4");
}

class SmtpLogin : public test::SmtpTest {
 protected:
  SmtpLogin() {
    target.username = "app";
    target.password = Secret::copy_of("pa55-word");
  }
};

TEST_F(SmtpLogin, PlainIsPreferred) {
  SmtpServer server(offering({"AUTH LOGIN PLAIN"}));
  EXPECT_EQ(kind_of(attempt(server)), "delivered");
  EXPECT_EQ(server.line("AUTH"), "AUTH PLAIN " + to_base64(std::string("\0app\0pa55-word", 14)));
}

TEST_F(SmtpLogin, LoginWhenPlainIsNotOffered) {
  SmtpServer server(offering({"AUTH CRAM-MD5 LOGIN"}));
  server.answer("AUTH", {"334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 2.7.0 welcome"});
  EXPECT_EQ(kind_of(attempt(server)), "delivered");
  const auto lines = server.lines();
  ASSERT_GE(lines.size(), 4U);
  EXPECT_EQ(lines[1], "AUTH LOGIN");
  EXPECT_EQ(lines[2], to_base64("app"));
  EXPECT_EQ(lines[3], to_base64("pa55-word"));
}

TEST_F(SmtpLogin, BothSpellingsOfTheKeywordCount) {
  SmtpServer server(offering({"AUTH PLAIN", "AUTH=LOGIN"}));
  EXPECT_EQ(kind_of(attempt(server)), "delivered");
  EXPECT_TRUE(server.line("AUTH").starts_with("AUTH PLAIN "));
}

struct SmtpExtensionsRefusalCase {
  const char* name;
  std::deque<Answer> answers;
};
void PrintTo(const SmtpExtensionsRefusalCase& c, std::ostream* out) { *out << c.name; }
class LoginRefusals : public SmtpLogin, public ::testing::WithParamInterface<SmtpExtensionsRefusalCase> {};

TEST_P(LoginRefusals, DeferAndNeverShowThePassword) {
  for (const char* mechanism : {"AUTH PLAIN", "AUTH LOGIN"}) {
    SmtpServer server(offering({mechanism}));
    auto answers = GetParam().answers;
    if (std::string(mechanism) == "AUTH LOGIN") answers.insert(answers.begin(), 2, "334 go on");
    server.answer("AUTH", answers);
    const Outcome outcome = attempt(server);
    EXPECT_EQ(kind_of(outcome), "deferred") << mechanism;
    const std::string response = response_of(outcome);
    for (const std::string& secret :
         {std::string("pa55"), to_base64("pa55-word"), to_base64(std::string("\0app\0pa55-word", 14))}) {
      EXPECT_EQ(response.find(secret), std::string::npos) << response;
    }
    EXPECT_EQ(server.line("MAIL"), "");
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, LoginRefusals,
    ::testing::Values(SmtpExtensionsRefusalCase{"WrongPassword", {"535 5.7.8 no"}},
                      SmtpExtensionsRefusalCase{"Later", {"454 4.7.0 later"}},
                      SmtpExtensionsRefusalCase{
                          "Echo", {"500 5.5.2 what is AUTH PLAIN AGFwcABwYTU1LXdvcmQ= or cGE1NS13b3Jk or pa55-word"}},
                      SmtpExtensionsRefusalCase{"Close", {Answer::close()}},
                      SmtpExtensionsRefusalCase{"Garbage", {"hello"}},
                      SmtpExtensionsRefusalCase{"AsksOnAndOn", {"334 more", "334 more"}},
                      SmtpExtensionsRefusalCase{"Strange", {"250 ok"}}),
    [](const auto& info) { return info.param.name; });

TEST_F(SmtpLogin, AServerThatOffersNoLoginDefers) {
  for (const auto& extensions : {std::vector<std::string>{}, std::vector<std::string>{"AUTH CRAM-MD5 PLAINER"}}) {
    SmtpServer server(offering(extensions));
    const Outcome outcome = attempt(server);
    EXPECT_EQ(kind_of(outcome), "deferred");
    EXPECT_EQ(enhanced_of(outcome), "4.7.0");
    EXPECT_EQ(server.line("MAIL"), "");
  }
}

class EightBit : public test::SmtpTest {
 protected:
  Claim claim(BodyKind kind) {
    Claim made = make_claim();
    made.message.kind = kind;
    return made;
  }
};

TEST_F(EightBit, IsDeclaredForWhatMayNeedIt) {
  SmtpServer server;
  EXPECT_EQ(kind_of(attempt(server, claim(BodyKind::Verbatim))), "delivered");
  EXPECT_EQ(server.line("MAIL"), "MAIL FROM:<alice@example.com> BODY=8BITMIME");
}

TEST_F(EightBit, IsNotDeclaredForSealedMailNorToAServerThatDoesNotKnowIt) {
  SmtpServer server;
  EXPECT_EQ(kind_of(attempt(server, claim(BodyKind::Cms))), "delivered");
  EXPECT_EQ(server.line("MAIL"), "MAIL FROM:<alice@example.com>");
  SmtpServer::Options options;
  options.extensions = {"PIPELINING"};
  SmtpServer old(options);
  EXPECT_EQ(kind_of(attempt(old, claim(BodyKind::OtherNotice))), "delivered");
  EXPECT_EQ(old.line("MAIL"), "MAIL FROM:<alice@example.com>");
}

class Lmtp : public test::SmtpTest {
 protected:
  Lmtp() { target.kind = Route::Kind::Lmtp; }
};

TEST_F(Lmtp, GreetsWithLhloAndTakesTheOneReply) {
  SmtpServer server;
  server.answer(".", {"250 2.1.5 stored"});
  EXPECT_EQ(kind_of(attempt(server)), "delivered");
  EXPECT_EQ(server.line("LHLO"), "LHLO relay.example.org");
  EXPECT_EQ(server.line("EHLO"), "");
  EXPECT_EQ(server.messages().size(), 1U);
}

TEST_F(Lmtp, ARefusedLhloIsNotFollowedByHelo) {
  SmtpServer server;
  server.answer("LHLO", {"500 5.5.1 this is SMTP"});
  EXPECT_EQ(kind_of(attempt(server)), "deferred");
  EXPECT_EQ(server.line("HELO"), "");
}

TEST_F(Lmtp, ARefusalAfterTheDotIsTheRecipients) {
  SmtpServer server;
  server.answer(".", {"550 5.2.1 no mail any more"});
  const Outcome outcome = attempt(server);
  EXPECT_EQ(kind_of(outcome), "failed");
  EXPECT_EQ(enhanced_of(outcome), "5.2.1");
}

TEST_F(Lmtp, AFullMailboxAfterTheDotMayHaveRoomLater) {
  SmtpServer server;
  server.answer(".", {"552 5.2.2 over quota"});
  const Outcome outcome = attempt(server);
  EXPECT_EQ(kind_of(outcome), "deferred");
  EXPECT_EQ(enhanced_of(outcome), "4.2.2");
}

TEST_F(Lmtp, ADataThatIsWantedWithoutARecipientIsHungUpOn) {
  SmtpServer server;
  server.answer("RCPT", {"550 5.1.1 no"});
  auto client = open(server);
  PiecesBody body;
  EXPECT_EQ(kind_of(client->send(make_claim(), body)), "failed");
  EXPECT_FALSE(client->usable()) << "no reply to a dot would come";
  EXPECT_TRUE(server.messages().empty());
}

}  // namespace
}  // namespace sealpost
