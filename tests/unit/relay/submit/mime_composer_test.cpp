// SPDX-License-Identifier: Apache-2.0
// From a composition to a message: the nesting of its parts, their encodings, and what no recipient may see. Header
// fields are in composed_header_test.cpp.
#include "relay/submit/mime_composer.h"

#include <gtest/gtest.h>

#include <map>
#include <ostream>
#include <set>

#include "tests/support/fakes.h"
#include "tests/support/mail_parser.h"
#include "tests/unit/relay/submit/composed.h"

namespace sealpost::submit {
namespace {

using namespace std::string_literals;
using sealpost::test::parse_mail;
using test::composed;
using test::expect_lines;
using test::message;
using test::times;

const std::string image("\x89PNG\r\n\x1a\n\0--=_", 13);
const std::string octets("\0\xff\r\n.\r\n", 7);

struct Nesting {
  const char* name;
  bool text, html, with_inline, attached;
  const char* structure;
};
void PrintTo(const Nesting& nesting, std::ostream* out) { *out << nesting.name; }

class Parts : public testing::TestWithParam<Nesting> {};

Composition nested(const Nesting& nesting) {
  Composition composition = message();
  if (nesting.text) composition.text = "Hello\r\n";
  if (nesting.html) composition.html = "<p>Hello</p>";
  if (nesting.with_inline) composition.attachments.push_back({"a.png", "image/png", "img@1", image});
  if (nesting.attached) composition.attachments.push_back({"b.pdf", "application/pdf", "", octets});
  return composition;
}

TEST_P(Parts, NestAsClientsExpectThem) {
  const auto& nesting = GetParam();
  const std::string raw = composed(nested(nesting));
  expect_lines(raw);
  const auto mail = parse_mail(raw);
  EXPECT_EQ(mail.structure, nesting.structure);
  EXPECT_TRUE(mail.defects.empty()) << mail.defects.front();
  EXPECT_EQ(mail.field("mime-version"), "1.0");
  const std::map<std::string, std::string> wanted = {{"text/plain", nesting.text ? "Hello\r\n" : ""},
                                                     {"text/html", "<p>Hello</p>"},
                                                     {"image/png", "a.png" + image},
                                                     {"application/pdf", "b.pdf" + octets}};
  for (const auto& part : mail.parts) EXPECT_EQ(part.filename + part.body, wanted.at(part.type));
}

INSTANTIATE_TEST_SUITE_P(
    MimeComposer, Parts,
    testing::Values(
        Nesting{"Nothing", false, false, false, false, "text/plain"},
        Nesting{"Text", true, false, false, false, "text/plain"},
        Nesting{"Html", false, true, false, false, "text/html"},
        Nesting{"Both", true, true, false, false, "multipart/alternative(text/plain,text/html)"},
        Nesting{"ImageAlone", false, false, true, false, "multipart/mixed(image/png)"},
        Nesting{"TextAndImage", true, false, true, false, "multipart/mixed(text/plain,image/png)"},
        Nesting{"HtmlAndImage", false, true, true, false, "multipart/related(text/html,image/png)"},
        Nesting{"BothAndImage", true, true, true, false,
                "multipart/alternative(text/plain,multipart/related(text/html,image/png))"},
        Nesting{"FileAlone", false, false, false, true, "multipart/mixed(application/pdf)"},
        Nesting{"TextAndFile", true, false, false, true, "multipart/mixed(text/plain,application/pdf)"},
        Nesting{"HtmlAndFile", false, true, false, true, "multipart/mixed(text/html,application/pdf)"},
        Nesting{"BothAndFile", true, true, false, true,
                "multipart/mixed(multipart/alternative(text/plain,text/html),application/pdf)"},
        Nesting{"ImageAndFile", false, false, true, true, "multipart/mixed(image/png,application/pdf)"},
        Nesting{"TextImageAndFile", true, false, true, true, "multipart/mixed(text/plain,image/png,application/pdf)"},
        Nesting{"HtmlImageAndFile", false, true, true, true,
                "multipart/mixed(multipart/related(text/html,image/png),application/pdf)"},
        Nesting{"All", true, true, true, true,
                "multipart/mixed(multipart/alternative(text/plain,multipart/related(text/html,image/png)),application/"
                "pdf)"}),
    [](const auto& test) { return test.param.name; });

TEST(ComposedPart, IsInlineOnlyWhereHtmlShowsIt) {
  Composition composition = message();
  composition.attachments.push_back({"a.png", "image/png", "img@1", image});
  composition.attachments.push_back({"", "application/pdf", "", octets});
  std::string raw = composed(composition);
  EXPECT_EQ(raw.find("Content-Disposition: inline"), std::string::npos);
  EXPECT_NE(raw.find("Content-Disposition: attachment;\r\n\tfilename=\"a.png\"\r\nContent-ID: <img@1>\r\n"),
            std::string::npos);
  EXPECT_NE(raw.find("Content-Disposition: attachment\r\n"), std::string::npos) << "without a name none is said";
  composition.html = "<img src=cid:img@1>";
  raw = composed(composition);
  EXPECT_NE(raw.find("Content-Disposition: inline;\r\n\tfilename=\"a.png\"\r\nContent-ID: <img@1>\r\n"),
            std::string::npos);
  EXPECT_NE(raw.find("multipart/related;\r\n\tboundary=\""), std::string::npos);
  EXPECT_NE(raw.find(";\r\n\ttype=\"text/html\"\r\n"), std::string::npos);
}

struct Body {
  const char* name;
  std::string text;
  std::string read;
  const char* encoding;
};
void PrintTo(const Body& body, std::ostream* out) { *out << body.name; }

class TextPart : public testing::TestWithParam<Body> {};

TEST_P(TextPart, ArrivesWhole) {
  for (const bool is_html : {false, true}) {
    Composition composition = message();
    (is_html ? composition.html : composition.text) = GetParam().text;
    const std::string raw = composed(composition);
    expect_lines(raw);
    const auto mail = parse_mail(raw);
    ASSERT_EQ(mail.parts.size(), 1U);
    EXPECT_EQ(mail.parts[0].body, GetParam().read);
    EXPECT_EQ(mail.parts[0].encoding, GetParam().encoding);
    EXPECT_TRUE(mail.field("content-type").find("charset=\"utf-8\"") != std::string::npos)
        << mail.field("content-type");
    EXPECT_TRUE(mail.defects.empty()) << mail.defects.front();
  }
}

const std::string full(998, 'x');

INSTANTIATE_TEST_SUITE_P(
    MimeComposer, TextPart,
    testing::Values(Body{"Empty", "", "", "7bit"}, Body{"Crlf", "a\r\nb\r\n", "a\r\nb\r\n", "7bit"},
                    Body{"BareLf", "a\nb\n", "a\r\nb\r\n", "7bit"}, Body{"BareCr", "a\rb", "a\r\nb", "7bit"},
                    Body{"NoLineEnd", "a", "a", "7bit"}, Body{"BlankLines", "\n\na\n\n", "\r\n\r\na\r\n\r\n", "7bit"},
                    Body{"Utf8", "Gr\u00fc\u00dfe \U0001F4EC\n", "Gr\u00fc\u00dfe \U0001F4EC\r\n", "base64"},
                    Body{"Utf8ManyLines", times(2000, "\u00e4\n"), times(2000, "\u00e4\r\n"), "base64"},
                    Body{"FullLine", full + "\n" + full, full + "\r\n" + full, "7bit"},
                    Body{"LongLine", full + "x\na", full + "x\r\na", "base64"},
                    Body{"VeryLongLine", std::string(200'000, 'x'), std::string(200'000, 'x'), "base64"},
                    Body{"Nul", "a\0b"s, "a\0b"s, "base64"}, Body{"Controls", "\x1b[1m\t\x7f", "\x1b[1m\t\x7f", "7bit"},
                    Body{"LooksLikeAHeader", "Bcc: e@x.example\n\nx", "Bcc: e@x.example\r\n\r\nx", "7bit"},
                    Body{"Dots", ".\n..\nFrom x\n", ".\r\n..\r\nFrom x\r\n", "7bit"}),
    [](const auto& test) { return test.param.name; });

TEST(ComposedPart, KeepsOctetsOfAnyNumber) {
  sealpost::test::SeededRandom random(5);
  Composition composition = message();
  for (const std::size_t size : {0U, 1U, 2U, 3U, 56U, 57U, 58U, 58'367U, 58'368U, 58'369U, 200'000U}) {
    composition.attachments.push_back({"a.bin", "application/octet-stream", "", random.octets(size)});
  }
  const std::string raw = composed(composition);
  expect_lines(raw);
  const auto mail = parse_mail(raw);
  ASSERT_EQ(mail.parts.size(), composition.attachments.size());
  for (std::size_t i = 0; i < mail.parts.size(); ++i) {
    EXPECT_EQ(mail.parts[i].body, composition.attachments[i].content) << composition.attachments[i].content.size();
    EXPECT_EQ(mail.parts[i].encoding, "base64");
  }
  EXPECT_TRUE(mail.defects.empty()) << mail.defects.front();
}

TEST(ComposedPart, OfTextIsBase64WhenItIsAFile) {
  Composition composition = message();
  composition.attachments.push_back({"a.csv", "text/csv; charset=iso-8859-1", "", "a\nb\xfc\r"});
  const auto mail = parse_mail(composed(composition));
  EXPECT_EQ(mail.parts.at(0).encoding, "base64") << "so that no line end of a file changes";
}

class AttachedMessage : public testing::TestWithParam<const char*> {};

TEST_P(AttachedMessage, StaysAsItIs) {
  const std::string inner = "Subject: inner\r\n\r\nGr\u00fc\u00dfe\r\n--=_x\r\n.\r\n";
  const std::string ascii = "Subject: inner\r\n\r\nHello";
  Composition composition = message();
  composition.html = "<p>";
  composition.attachments.push_back({"a.eml", GetParam(), "", inner});
  std::string raw = composed(composition);
  expect_lines(raw);
  EXPECT_NE(raw.find("Content-Transfer-Encoding: 8bit\r\n\r\n" + inner + "\r\n--"), std::string::npos) << raw;
  auto mail = parse_mail(raw);
  EXPECT_EQ(mail.field("content-transfer-encoding"), "8bit") << "RFC 2045 section 6.4: what holds 8bit is 8bit";
  EXPECT_TRUE(mail.defects.empty()) << mail.defects.front();
  composition.attachments[0].content = ascii;
  raw = composed(composition);
  EXPECT_NE(raw.find("Content-Transfer-Encoding: 7bit\r\n\r\n" + ascii + "\r\n--"), std::string::npos) << raw;
  EXPECT_EQ(parse_mail(raw).field("content-transfer-encoding"), "");
}

INSTANTIATE_TEST_SUITE_P(MimeComposer, AttachedMessage,
                         testing::Values("message/rfc822", "Message/RFC822", "message/rfc822; name=x"));

TEST(ComposedPart, OfAMessageWithinRelatedMakesAllAround8bit) {
  Composition composition = message();
  composition.text = "x";
  composition.html = "<p>";
  composition.attachments.push_back({"", "message/rfc822", "m@1", "Subject: \u00fc\r\n\r\n"});
  composition.attachments.push_back({"", "application/pdf", "", "x"});
  const std::string raw = composed(composition);
  std::size_t count = 0;
  for (auto at = raw.find("Encoding: 8bit\r\n"); at != std::string::npos; at = raw.find("Encoding: 8bit\r\n", at + 1)) {
    ++count;
  }
  EXPECT_EQ(count, 4U) << "mixed, alternative, related, message";
}

/// The value of the first boundary parameter, without its number.
std::string boundary_of(const std::string& raw) {
  const auto begin = raw.find("boundary=\"") + 10;
  const std::string boundary = raw.substr(begin, raw.find('"', begin) - begin);
  return boundary.substr(0, boundary.size() - 2);
}

TEST(Boundary, HangsOnWhatThePartsHold) {
  const Composition first = nested({"", true, true, true, true, ""});
  const std::string raw = composed(first);
  EXPECT_EQ(composed(nested({"", true, true, true, true, ""})), raw) << "the same makes the same octets";
  const std::string boundary = boundary_of(raw);
  EXPECT_EQ(boundary.size(), 34U);
  std::set<std::string> all = {boundary};
  Composition other = first;
  other.text = "Hello\r\n.";
  all.insert(boundary_of(composed(other)));
  other = first;
  other.html = "<p>hello</p>";
  all.insert(boundary_of(composed(other)));
  other = first;
  std::swap(other.text, other.html);
  all.insert(boundary_of(composed(other)));
  for (std::size_t i = 0; i < first.attachments.size(); ++i) {
    other = first;
    other.attachments[i].content.back() = 'x';
    all.insert(boundary_of(composed(other)));
  }
  other = first;
  other.attachments[1].content.clear();
  all.insert(boundary_of(composed(other)));
  EXPECT_EQ(all.size(), 7U);
}

TEST(Boundary, OfAMessageThatQuotesOthersIsItsOwn) {
  Composition composition = nested({"", true, true, true, true, ""});
  for (int round = 0; round < 4; ++round) {
    const std::string raw = composed(composition);
    const std::string boundary = boundary_of(raw);
    std::size_t count = 0;
    for (auto at = raw.find(boundary); at != std::string::npos; at = raw.find(boundary, at + 1)) ++count;
    // Three levels of two parts: a parameter, two beginnings and an end each.
    EXPECT_EQ(count, 12U) << round;
    const auto mail = parse_mail(raw);
    EXPECT_EQ(mail.structure.substr(0, 38), "multipart/mixed(multipart/alternative(");
    EXPECT_TRUE(mail.defects.empty()) << mail.defects.front();
    // What was written last time comes back as text, so that its boundaries stand in a part.
    if (round % 2 == 0) {
      composition.text = raw;
    } else {
      composition.attachments[1] = {"a.eml", "message/rfc822", "", raw};
    }
  }
}

}  // namespace
}  // namespace sealpost::submit
