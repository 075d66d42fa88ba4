// SPDX-License-Identifier: Apache-2.0
// NOTIFY=SUCCESS on a running relay (RFC 3461): relayed to a server without DSN, delivered by LMTP and into a maildir.
#include <gtest/gtest.h>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/mail_parser.h"
#include "tests/support/mail_sink.h"

namespace sealpost::test {
namespace {

struct ConfirmationCase {
  const char* name;
  const char* sink;  ///< mode of mail_sink.py; empty: the relay's own maildir
  const char* action;
  const char* words;
};
void PrintTo(const ConfirmationCase& c, std::ostream* out) { *out << c.name; }
class Confirmation : public ::testing::TestWithParam<ConfirmationCase> {};

TEST_P(Confirmation, ReachesTheSenderThatAskedForIt) {
  const std::string mode = GetParam().sink;
  std::unique_ptr<MailSink> sink;
  RelayFixture::Settings settings;
  if (!mode.empty()) {
    sink = std::make_unique<MailSink>(std::vector<std::string>{mode});
    settings = {{"delivery.route", mode + "://127.0.0.1:" + std::to_string(sink->port())}};
  }
  RelayFixture relay(settings);
  if (sink) relay.read_mail_from(sink->folder());
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.say("MAIL FROM:<alice@example.com> RET=FULL ENVID=QQ+2B1").starts_with("250"));
  ASSERT_TRUE(
      sender.say("RCPT TO:<bob@example.net> NOTIFY=SUCCESS ORCPT=rfc822;robert@example.net").starts_with("250"));
  ASSERT_TRUE(sender.say("RCPT TO:<carol@example.net>").starts_with("250")) << "who is not asked about";
  ASSERT_TRUE(sender.say("DATA").starts_with("354"));
  ASSERT_TRUE(sender.say("From: <alice@example.com>\r\nSubject: Numbers\r\n\r\nBODY-CANARY\r\n.").starts_with("250"));

  const auto files = relay.mail("alice@example.com", 1);
  ASSERT_EQ(files.size(), 1U) << relay.log();
  const std::string raw = read_file(files[0]);
  EXPECT_TRUE(raw.starts_with("Return-Path: <>\r\n"));
  EXPECT_EQ(raw.find("BODY-CANARY"), std::string::npos);
  const auto report = parse_mail(raw);
  EXPECT_TRUE(report.defects.empty());
  EXPECT_EQ(report.structure, "multipart/report(text/plain,message/delivery-status,text/rfc822-headers)");
  EXPECT_EQ(report.field("auto-submitted"), "auto-replied");
  ASSERT_EQ(report.status.size(), 2U);
  EXPECT_EQ(report.status[0].at("original-envelope-id"), "QQ+1");
  EXPECT_EQ(report.status[1].at("original-recipient"), "rfc822;robert@example.net");
  EXPECT_EQ(report.status[1].at("final-recipient"), "rfc822; bob@example.net");
  EXPECT_EQ(report.status[1].at("action"), GetParam().action);
  EXPECT_EQ(report.status[1].at("status"), "2.0.0");
  EXPECT_NE(report.parts.at(0).body.find(GetParam().words), std::string::npos) << report.parts.at(0).body;
  EXPECT_NE(report.parts.at(2).body.find("Subject: Numbers"), std::string::npos);

  ASSERT_EQ(relay.sealed_mail("carol@example.net", 1).size(), 1U) << relay.log();
  ASSERT_EQ(relay.stop(), 0);
  EXPECT_EQ(relay.mail("alice@example.com", 1).size(), 1U) << "one report, of bob";
}

INSTANTIATE_TEST_SUITE_P(All, Confirmation,
                         ::testing::Values(ConfirmationCase{"Smtp", "smtp", "relayed",
                                                            "no further confirmation may come"},
                                           ConfirmationCase{"Lmtp", "lmtp", "delivered", "to the recipient's mailbox"},
                                           ConfirmationCase{"Maildir", "", "delivered", "to the recipient's mailbox"}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sealpost::test
