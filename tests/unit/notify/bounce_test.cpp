// SPDX-License-Identifier: Apache-2.0
// Delivery reports, read back by another program (RFC 3464, RFC 6533): who gets one, what it says to people and to
// machines.
#include "notify/bounce.h"

#include <gtest/gtest.h>

#include <ostream>

#include "tests/support/fakes.h"
#include "tests/support/mail_parser.h"

namespace sealpost {
namespace {

using test::parse_mail;
using test::ParsedMail;

DeliveryRecord delivery(const std::string& recipient = "bob@example.net") {
  DeliveryRecord record(DeliveryId(MessageId::parse("01K5K5XCG0ABCDEFGHJKMNPQRS").value(), 1));
  record.mail_from = "alice@example.com";
  record.recipient = recipient;
  record.created = from_milliseconds(1'790'000'000'000 - std::int64_t{5} * 24 * 3600 * 1000);
  return record;
}

constexpr const char* header_block = "Subject: Numbers\r\nFrom: alice@example.com\r\nMessage-ID: <m@example.com>\r\n";

ParsedMail reported(const ReportFacts& facts) {
  const test::ManualClock clock;
  SystemRandom random;
  const auto notice = compose_report({"", "relay@example.org", "relay.example.org"}, facts, clock, random);
  return parse_mail(view(notice.message()));
}

TEST(Bounce, IsAReportThatMachinesRead) {
  auto record = delivery();
  record.envid = "QQ+2B314";
  record.dsn.orcpt = "rfc822;Bob+2Bnews@example.net";
  const auto mail = reported(
      {record, ReportAction::Failed, "5.1.1", "550 5.1.1 no such user", "mx.example.net", false, {}, header_block});
  EXPECT_EQ(mail.structure, "multipart/report(text/plain,message/delivery-status,text/rfc822-headers)");
  EXPECT_NE(mail.field("content-type").find("report-type=\"delivery-status\""), std::string::npos);
  EXPECT_EQ(mail.field("to"), "alice@example.com");
  EXPECT_EQ(mail.field("auto-submitted"), "auto-replied");
  EXPECT_EQ(mail.field("in-reply-to"), "<m@example.com>");
  ASSERT_EQ(mail.status.size(), 2U) << "one block for the message, one for the recipient";
  EXPECT_EQ(mail.status[0].at("reporting-mta"), "dns; relay.example.org");
  EXPECT_EQ(mail.status[0].at("original-envelope-id"), "QQ+314") << "xtext is decoded";
  EXPECT_EQ(mail.status[0].at("arrival-date"), "Wed, 16 Sep 2026 14:13:20 +0000");
  EXPECT_EQ(mail.status[1].at("original-recipient"), "rfc822;Bob+news@example.net");
  EXPECT_EQ(mail.status[1].at("final-recipient"), "rfc822; bob@example.net");
  EXPECT_EQ(mail.status[1].at("action"), "failed");
  EXPECT_EQ(mail.status[1].at("status"), "5.1.1");
  EXPECT_EQ(mail.status[1].at("remote-mta"), "dns; mx.example.net");
  EXPECT_EQ(mail.status[1].at("diagnostic-code"), "smtp; 550 5.1.1 no such user");
  EXPECT_EQ(mail.status[1].at("last-attempt-date"), "Mon, 21 Sep 2026 14:13:20 +0000");
  EXPECT_EQ(mail.parts.at(2).body, header_block);
  EXPECT_TRUE(mail.defects.empty()) << mail.defects.front();
}

TEST(Bounce, PutsNoWordsOfOursIntoARemotesMouth) {
  const auto mail = reported({delivery(),
                              ReportAction::Failed,
                              "5.3.4",
                              "the message is larger than the 1000 octets that it takes",
                              {},
                              false,
                              {},
                              header_block});
  EXPECT_FALSE(mail.status.at(1).contains("diagnostic-code"));
  EXPECT_FALSE(mail.status.at(1).contains("remote-mta"));
  const std::string& text = mail.parts.at(0).body;
  EXPECT_NE(text.find("How the last attempt ended:\r\n\r\n    the message is larger"), std::string::npos) << text;
  EXPECT_EQ(text.find("answered"), std::string::npos) << text;
}

struct Reason {
  const char* name;
  const char* enhanced;
  bool expired;
  const char* happened;
  const char* to_do;
};
void PrintTo(const Reason& reason, std::ostream* out) { *out << reason.name; }

class BounceReason : public testing::TestWithParam<Reason> {};

TEST_P(BounceReason, IsToldInPlainWords) {
  const auto& [name, enhanced, expired, happened, to_do] = GetParam();
  const auto mail = reported(
      {delivery(), ReportAction::Failed, enhanced, "550 go away", "mx.example.net", expired, {}, header_block});
  const std::string& text = mail.parts.at(0).body;
  EXPECT_NE(text.find("\r\n    bob@example.net\r\n"), std::string::npos);
  EXPECT_NE(text.find(happened), std::string::npos) << text;
  EXPECT_NE(text.find(to_do), std::string::npos) << text;
  EXPECT_NE(text.find("What the mail server mx.example.net answered:\r\n\r\n    550 go away\r\n"), std::string::npos)
      << text;
  for (std::size_t begin = 0, end = 0; (end = text.find("\r\n", begin)) != std::string::npos; begin = end + 2) {
    EXPECT_LT(end - begin, 78U) << text.substr(begin, end - begin);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Bounce, BounceReason,
    testing::Values(
        Reason{"UnknownMailbox", "5.1.1", false, "there is no such mailbox", "Check the address for typing"},
        Reason{"UnknownDomain", "5.1.2", false, "no such mail domain", "behind the @"},
        Reason{"OtherAddressFault", "5.1.6", false, "there is no such mailbox", "Check the address"},
        Reason{"NullMx", "5.1.10", false, "takes no mail", "another address"},
        Reason{"HostsThatAreNone", "5.4.4", false, "do not exist", "behind the @"},
        Reason{"Loop", "5.4.6", false, "leads back", "your own postmaster"},
        Reason{"NoSmtpUtf8Header", "5.6.9", false, "subject", "plain letters"},
        Reason{"MailboxDisabled", "5.2.1", false, "takes no mail at present", "other means"},
        Reason{"MailboxFull", "5.2.2", false, "mailbox is full", "when there is room"},
        Reason{"TooLargeForMailbox", "5.2.3", false, "too large for this recipient", "smaller attachments"},
        Reason{"TooLargeForServer", "5.3.4", false, "too large for the recipient's mail server", "smaller"},
        Reason{"NoSmtpUtf8", "5.6.7", false, "letters", "another address"},
        Reason{"Refused", "5.7.1", false, "mail server refuses it", "let mail from you in"},
        Reason{"NoReasonGiven", "5.0.0", false, "does not take it", "other means"},
        Reason{"NoStatusAtAll", "", false, "does not take it", "other means"},
        Reason{"NotReachedForSoLong", "4.4.7", true, "could not be delivered in 5 days", "send the message again"}),
    [](const auto& test) { return test.param.name; });

struct Threading {
  const char* name;
  std::string header_block;
  std::string in_reply_to;  ///< empty: the field is left out
};
void PrintTo(const Threading& threading, std::ostream* out) { *out << threading.name; }

class BounceThread : public testing::TestWithParam<Threading> {};

TEST_P(BounceThread, IsTheReturnedMessages) {
  const auto mail =
      reported({delivery(), ReportAction::Failed, "5.1.1", "550 no", "mx.example", false, {}, GetParam().header_block});
  EXPECT_EQ(mail.field("in-reply-to"), GetParam().in_reply_to);
  EXPECT_EQ(mail.field("references"), GetParam().in_reply_to);
  EXPECT_TRUE(mail.defects.empty()) << mail.defects.front();
}

INSTANTIATE_TEST_SUITE_P(
    Bounce, BounceThread,
    testing::Values(Threading{"AnyCase", "Subject: x\r\nmessage-id:<m@example.com>\r\n", "<m@example.com>"},
                    Threading{"Absent", "Subject: x\r\n", ""}, Threading{"NoHeaderAtAll", "", ""},
                    Threading{"Folded", "Message-ID:\r\n <m@example.com>\r\nSubject: x\r\n", ""},
                    Threading{"TooLong", "Message-ID: <" + std::string(1000, 'm') + "@example.com>\r\n", ""}),
    [](const auto& test) { return test.param.name; });

TEST(Bounce, WarningTellsUntilWhenAttemptsGoOn) {
  const Time until = from_milliseconds(1'790'000'000'000 + 3600 * 1000);
  const auto mail =
      reported({delivery(), ReportAction::Delayed, "4.4.1", "connection refused", {}, false, until, header_block});
  EXPECT_EQ(mail.field("subject"), "Delivery is delayed");
  EXPECT_EQ(mail.status.at(1).at("action"), "delayed");
  EXPECT_EQ(mail.status.at(1).at("status"), "4.4.1");
  EXPECT_EQ(mail.status.at(1).at("will-retry-until"), "Mon, 21 Sep 2026 15:13:20 +0000");
  EXPECT_NE(mail.parts.at(0).body.find("You need not do anything"), std::string::npos);
  EXPECT_NE(mail.parts.at(0).body.find("Mon, 21 Sep 2026 15:13:20 +0000"), std::string::npos);
}

TEST(Confirmation, TellsThatTheMailWasRelayedAndThatNoMoreMayCome) {
  auto record = delivery();
  record.envid = "QQ";
  record.dsn.orcpt = "rfc822;robert@example.net";
  const auto mail =
      reported({record, ReportAction::Relayed, "2.6.0", "250 2.6.0 queued", "mx.example.net", false, {}, header_block});
  EXPECT_EQ(mail.structure, "multipart/report(text/plain,message/delivery-status,text/rfc822-headers)");
  EXPECT_EQ(mail.field("subject"), "Your message was handed on");
  EXPECT_EQ(mail.field("auto-submitted"), "auto-replied");
  EXPECT_EQ(mail.field("in-reply-to"), "<m@example.com>");
  ASSERT_EQ(mail.status.size(), 2U);
  EXPECT_EQ(mail.status[0].at("original-envelope-id"), "QQ");
  EXPECT_EQ(mail.status[1].at("original-recipient"), "rfc822;robert@example.net");
  EXPECT_EQ(mail.status[1].at("final-recipient"), "rfc822; bob@example.net");
  EXPECT_EQ(mail.status[1].at("action"), "relayed");
  EXPECT_EQ(mail.status[1].at("status"), "2.6.0");
  EXPECT_EQ(mail.status[1].at("remote-mta"), "dns; mx.example.net");
  EXPECT_EQ(mail.status[1].at("diagnostic-code"), "smtp; 250 2.6.0 queued");
  EXPECT_FALSE(mail.status[1].contains("will-retry-until"));
  const std::string& text = mail.parts.at(0).body;
  EXPECT_NE(text.find("handed on to the next mail server"), std::string::npos) << text;
  EXPECT_NE(text.find("no further confirmation may come"), std::string::npos) << text;
  EXPECT_EQ(mail.parts.at(2).body, header_block);
  EXPECT_TRUE(mail.defects.empty()) << mail.defects.front();
}

TEST(Confirmation, TellsThatTheMailIsInTheMailbox) {
  const auto mail =
      reported({delivery(), ReportAction::Delivered, "2.0.0", "250 2.0.0 stored", {}, false, {}, header_block});
  EXPECT_EQ(mail.field("subject"), "Your message was delivered");
  EXPECT_EQ(mail.status.at(1).at("action"), "delivered");
  EXPECT_EQ(mail.status.at(1).at("status"), "2.0.0");
  EXPECT_FALSE(mail.status.at(1).contains("remote-mta"));
  EXPECT_FALSE(mail.status.at(1).contains("diagnostic-code"));
  const std::string& text = mail.parts.at(0).body;
  EXPECT_NE(text.find("delivered to the recipient's mailbox"), std::string::npos) << text;
  EXPECT_EQ(text.find("What you can do"), std::string::npos) << text;
}

TEST(Bounce, LeavesXtextThatStandsForNoAsciiAsItCame) {
  auto record = delivery();
  record.envid = "Q+FF";
  record.dsn.orcpt = "rfc822;b+FCb@example.net";
  const auto mail = reported({record, ReportAction::Failed, "5.1.1", "550 no", "mx", false, {}, header_block});
  EXPECT_EQ(mail.structure, "multipart/report(text/plain,message/delivery-status,text/rfc822-headers)");
  EXPECT_EQ(mail.status.at(0).at("original-envelope-id"), "Q+FF");
  EXPECT_EQ(mail.status.at(1).at("original-recipient"), "rfc822;b+FCb@example.net");
}

TEST(Bounce, SpeaksUnicodeForAddressesBeyondAscii) {
  const auto mail = reported({delivery("jürgen@straße.example"),
                              ReportAction::Failed,
                              "5.1.1",
                              "550 no",
                              "mx.example",
                              false,
                              {},
                              "Subject: Grüße\r\nTo: jürgen@straße.example\r\n"});
  EXPECT_EQ(mail.structure, "multipart/report(text/plain,message/global-delivery-status,message/global-headers)");
  EXPECT_EQ(mail.status.at(1).at("final-recipient"), "utf-8; jürgen@straße.example");
  EXPECT_NE(mail.parts.at(0).body.find("jürgen@straße.example"), std::string::npos);
  EXPECT_NE(mail.parts.at(2).body.find("Subject: Grüße"), std::string::npos);
}

TEST(Bounce, LetsNobodyAddFieldsOrParts) {
  auto record = delivery();
  record.envid = "a+0D+0AStatus:+202.0.0";
  record.dsn.orcpt = "rfc822;x+0D+0AAction:+20delivered";
  const auto mail = reported({record,
                              ReportAction::Failed,
                              "5.0.0",
                              "550 no\r\nAction: delivered\r\n\r\n--x",
                              "mx\r\nAction: relayed",
                              false,
                              {},
                              header_block});
  ASSERT_EQ(mail.status.size(), 2U);
  EXPECT_EQ(mail.status[1].at("action"), "failed");
  EXPECT_FALSE(mail.status[0].contains("status"));
  EXPECT_EQ(mail.structure, "multipart/report(text/plain,message/delivery-status,text/rfc822-headers)");
}

TEST(Bounce, ReturnsWholeLinesOfALargeHeaderOnly) {
  std::string header;
  for (int i = 0; header.size() < 100'000; ++i) header += "X-Field-" + std::to_string(i) + ": value\r\n";
  const auto mail = reported({delivery(), ReportAction::Failed, "5.0.0", "550 no", "mx", false, {}, header});
  const std::string& returned = mail.parts.at(2).body;
  EXPECT_LE(returned.size(), 32U * 1024);
  EXPECT_GT(returned.size(), 31U * 1024);
  EXPECT_TRUE(header.starts_with(returned));
  EXPECT_TRUE(returned.ends_with("value\r\n"));
}

struct Wanted {
  const char* name;
  void (*change)(DeliveryRecord&);
  bool bounce;
  bool warning;
  bool confirmation;
};
void PrintTo(const Wanted& wanted, std::ostream* out) { *out << wanted.name; }

class ReportWanted : public testing::TestWithParam<Wanted> {};

TEST_P(ReportWanted, ByTheRulesOfRfc3461) {
  auto record = delivery();
  GetParam().change(record);
  EXPECT_EQ(wants_bounce(record), GetParam().bounce);
  EXPECT_EQ(wants_warning(record), GetParam().warning);
  EXPECT_EQ(wants_confirmation(record), GetParam().confirmation);
}

INSTANTIATE_TEST_SUITE_P(
    Bounce, ReportWanted,
    testing::Values(
        Wanted{"ByDefault", [](DeliveryRecord&) {}, true, true, false},
        Wanted{"Success", [](DeliveryRecord& d) { d.dsn.success = true; }, true, true, true},
        Wanted{"SuccessOnly",
               [](DeliveryRecord& d) {
                 d.dsn = {false, true, false, false, {}};
               },
               false, false, true},
        Wanted{"NullSender", [](DeliveryRecord& d) { d.mail_from.clear(), d.dsn.success = true; }, false, false, false},
        Wanted{"OwnNotice", [](DeliveryRecord& d) { d.notice = d.dsn.success = true; }, false, false, false},
        Wanted{"Never", [](DeliveryRecord& d) { d.dsn.never = d.dsn.success = true; }, false, false, false},
        Wanted{"FailureOnly", [](DeliveryRecord& d) { d.dsn.delay = false; }, true, false, false},
        Wanted{"DelayOnly", [](DeliveryRecord& d) { d.dsn.failure = false; }, false, true, false}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace sealpost
