// SPDX-License-Identifier: Apache-2.0
// The relay's own mails, read back by another program: names, lines, encodings and nested parts.
#include "notify/mail_composer.h"

#include <gtest/gtest.h>

#include <ostream>
#include <sstream>

#include "tests/support/fakes.h"
#include "tests/support/mail_parser.h"

namespace sealpost {
namespace {

using test::parse_mail;

const MailHeader header{"bob@example.net", "A subject", "auto-generated", "<m@example.com>"};

std::string composed(const MimePart& content, const std::string& name = {}) {
  const test::ManualClock clock;
  SystemRandom random;
  return std::string(view(compose({name, "relay@example.org", "relay.example.org"}, header, content, clock, random)));
}

MimePart text(std::string_view body) { return {"text/plain; charset=utf-8", body, {}, {}}; }

std::size_t longest_line(const std::string& message) {
  std::istringstream in(message);
  std::size_t longest = 0;
  for (std::string line; std::getline(in, line);)
    longest = std::max(longest, line.size() - (line.ends_with('\r') ? 1 : 0));
  return longest;
}

void expect_crlf(const std::string& message) {
  for (std::size_t at = message.find_first_of("\r\n"); at != std::string::npos;
       at = message.find_first_of("\r\n", at + 2)) {
    ASSERT_EQ(message.substr(at, 2), "\r\n") << at;
  }
}

TEST(MailComposer, SaysWhoWhatAndThatItIsAutomatic) {
  const std::string raw = composed({"multipart/mixed", {}, {}, {text("Hello\n")}});
  expect_crlf(raw);
  const auto mail = parse_mail(raw);
  EXPECT_EQ(mail.sender_address, "relay@example.org");
  EXPECT_EQ(mail.field("to"), "bob@example.net") << "python's spelling of <bob@example.net>";
  EXPECT_EQ(mail.field("subject"), "A subject");
  EXPECT_EQ(mail.field("auto-submitted"), "auto-generated");
  EXPECT_EQ(mail.field("in-reply-to"), "<m@example.com>");
  EXPECT_EQ(mail.field("references"), "<m@example.com>");
  EXPECT_EQ(mail.field("date"), "Mon, 21 Sep 2026 14:13:20 +0000");
  EXPECT_TRUE(mail.field("message-id").ends_with("@relay.example.org>"));
  EXPECT_TRUE(mail.defects.empty()) << mail.defects.front();
}

TEST(MailComposer, MessageIdsAndBoundariesDiffer) {
  const auto first = parse_mail(composed({"multipart/mixed", {}, {}, {text("x")}}));
  const auto second = parse_mail(composed({"multipart/mixed", {}, {}, {text("x")}}));
  EXPECT_NE(first.field("message-id"), second.field("message-id"));
  EXPECT_NE(first.field("content-type"), second.field("content-type"));
}

TEST(MailComposer, NestsParts) {
  const std::string octets("\0\1\2\xff\r\n--=_x\r\n", 13);
  const MimePart inner{"multipart/alternative", {}, {}, {text("plain"), {"text/html", "<p>html</p>", {}, {}}}};
  const MimePart file{"application/x-pkcs12; name=\"a b.p12\"", octets, "attachment; filename=\"a b.p12\"", {}};
  const auto mail = parse_mail(composed({"multipart/mixed", {}, {}, {inner, file}}));
  EXPECT_EQ(mail.structure, "multipart/mixed(multipart/alternative(text/plain,text/html),application/x-pkcs12)");
  ASSERT_EQ(mail.parts.size(), 3U);
  EXPECT_EQ(mail.parts[0].body, "plain\r\n");
  EXPECT_EQ(mail.parts[1].body, "<p>html</p>\r\n");
  EXPECT_EQ(mail.parts[2].body, octets);
  EXPECT_EQ(mail.parts[2].filename, "a b.p12");
  EXPECT_TRUE(mail.defects.empty());
}

struct Body {
  const char* name;
  std::string text;
  std::string read;
  const char* encoding;
};
void PrintTo(const Body& body, std::ostream* out) { *out << body.name; }

class ComposedBody : public testing::TestWithParam<Body> {};

TEST_P(ComposedBody, ArrivesWhole) {
  const std::string raw = composed({"multipart/mixed", {}, {}, {text(GetParam().text)}});
  expect_crlf(raw);
  EXPECT_LE(longest_line(raw), 998U);
  const auto mail = parse_mail(raw);
  ASSERT_EQ(mail.parts.size(), 1U);
  EXPECT_EQ(mail.parts[0].body, GetParam().read);
  EXPECT_EQ(mail.parts[0].encoding, GetParam().encoding);
  EXPECT_TRUE(mail.defects.empty());
}

INSTANTIATE_TEST_SUITE_P(
    MailComposer, ComposedBody,
    testing::Values(Body{"Ascii", "one\ntwo\n", "one\r\ntwo\r\n", ""},
                    Body{"CrlfKept", "one\r\ntwo", "one\r\ntwo\r\n", ""}, Body{"Empty", "", "\r\n", ""},
                    Body{"Unicode", "Grüße\n", "Grüße\r\n", "base64"},
                    Body{"LongestLineAsItIs", std::string(996, 'x') + "\n", std::string(996, 'x') + "\r\n", ""},
                    Body{"OverlongLine", std::string(2000, 'x'), std::string(2000, 'x') + "\r\n", "base64"},
                    Body{"NoSoftBreaks", "Link: https://e.example/" + std::string(300, 'a') + "=3D\n",
                         "Link: https://e.example/" + std::string(300, 'a') + "=3D\r\n", ""},
                    Body{"LooksLikeABoundary", "--=_\n--\n.\nFrom x\n", "--=_\r\n--\r\n.\r\nFrom x\r\n", ""}),
    [](const auto& test) { return test.param.name; });

struct Name {
  const char* name;
  std::string display;
};
void PrintTo(const Name& name, std::ostream* out) { *out << name.name; }

class DisplayName : public testing::TestWithParam<Name> {};

TEST_P(DisplayName, IsReadAsItWasSet) {
  const std::string raw = composed({"multipart/mixed", {}, {}, {text("x")}}, GetParam().display);
  EXPECT_LE(longest_line(raw.substr(0, raw.find("\r\nTo:"))), 78U + (GetParam().display.size() > 60 ? 20 : 0));
  const auto mail = parse_mail(raw);
  EXPECT_EQ(mail.sender_name, GetParam().display);
  EXPECT_EQ(mail.sender_address, "relay@example.org");
  EXPECT_TRUE(mail.defects.empty()) << mail.defects.front();
}

INSTANTIATE_TEST_SUITE_P(
    MailComposer, DisplayName,
    testing::Values(Name{"None", ""}, Name{"Plain", "Sealpost"}, Name{"Specials", "Mail, Relay <x@y> (z); a:b"},
                    Name{"Quotes", R"(The "secure" \ relay)"}, Name{"Unicode", "Sichere Post für Jürgen"},
                    Name{"LongUnicode", "Übermittlungsstelle für vertrauliche Nachrichten der Gemeinde Größenwörth"},
                    Name{"WideCharacters", "安全な郵便の配達所、暗号化された電子メールのための、とても長い名前"},
                    Name{"Emoji", "📬📬📬📬📬📬📬📬📬📬📬📬📬📬📬📬📬📬"}),
    [](const auto& test) { return test.param.name; });

TEST(MailComposer, EncodedWordsStayWithin75Characters) {
  const std::string raw = composed({"multipart/mixed", {}, {}, {text("x")}}, std::string(400, 'x') + "é");
  std::istringstream words(raw.substr(0, raw.find("\r\nTo:")));
  for (std::string word; words >> word;) EXPECT_LE(word.size(), 75U) << word;
}

TEST(MailComposer, ReportsBeyondAsciiStay8bit) {
  const MimePart report{"message/global-headers", "Subject: Grüße\r\n", {}, {}};
  const std::string raw = composed({"multipart/report; report-type=delivery-status", {}, {}, {text("x"), report}});
  EXPECT_NE(raw.find("Subject: Grüße\r\n\r\n--"), std::string::npos) << "its own line end, then the boundary's";
  EXPECT_EQ(parse_mail(raw).field("content-transfer-encoding"), "8bit");
}

}  // namespace
}  // namespace sealpost
