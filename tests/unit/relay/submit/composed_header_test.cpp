// SPDX-License-Identifier: Apache-2.0
// The header block of a composed message, read back by another program: who it is from and for, nobody's Bcc, and
// further fields as they were given.
#include <gtest/gtest.h>

#include <ostream>
#include <regex>

#include "crypto/submitted_message.h"
#include "tests/support/mail_parser.h"
#include "tests/unit/relay/submit/composed.h"

namespace sealpost::submit {
namespace {

using sealpost::test::parse_mail;
using test::address;
using test::composed;
using test::expect_lines;
using test::message;
using test::times;

/// The names of all fields, in order.
std::string names_in(const std::string& raw) {
  const auto split = split_message(raw);
  EXPECT_TRUE(split) << split.error().public_text;
  std::string names;
  if (!split) return names;
  for (const auto& field : split->fields) names += (names.empty() ? "" : " ") + std::string(field.name);
  return names;
}

/// A field as the relay's own splitter has it, its folds undone.
std::string field_of(const std::string& raw, std::string_view name) {
  const auto split = split_message(raw);
  const auto* field = split ? split->find(name) : nullptr;
  return field == nullptr ? "(none)" : std::regex_replace(std::string(field->body), std::regex("\r\n(?=[ \t])"), "");
}

TEST(ComposedHeader, HasTheFieldsOfTheComposition) {
  Composition composition = message();
  EXPECT_EQ(names_in(composed(composition)), "From To Subject MIME-Version Content-Type Content-Transfer-Encoding");
  composition.cc.push_back({"C", address("c@example.net")});
  composition.bcc.push_back({"D", address("d@example.net")});
  composition.reply_to.push_back({"", address("r@example.com")});
  composition.headers = {{"X-Z", "1"}, {"x-z", "2"}, {"Message-ID", "<m@example.com>"}, {"X-A", ""}};
  composition.attachments.push_back({"", "application/pdf", "", "x"});
  const std::string raw = composed(composition);
  EXPECT_EQ(names_in(raw), "From To Cc Reply-To Subject X-Z x-z Message-ID X-A MIME-Version Content-Type");
  EXPECT_TRUE(
      raw.starts_with("From: <a@example.com>\r\nTo: <b@example.net>\r\nCc: \"C\" <c@example.net>\r\n"
                      "Reply-To: <r@example.com>\r\nSubject: Hello\r\nX-Z: 1\r\nx-z: 2\r\n"
                      "Message-ID: <m@example.com>\r\nX-A: \r\nMIME-Version: 1.0\r\nContent-Type: "))
      << raw;
}

TEST(ComposedHeader, ShowsNobodyABcc) {
  for (const bool with_to : {false, true}) {
    for (const bool with_cc : {false, true}) {
      Composition composition = message();
      if (!with_to) composition.to.clear();
      if (with_cc) composition.cc.push_back({"", address("c@example.net")});
      const std::string without = composed(composition);
      composition.bcc.push_back({"Hidden", address("secret@hidden.example")});
      const std::string raw = composed(composition);
      EXPECT_EQ(raw, without) << "not even its presence shows";
      EXPECT_EQ(field_of(raw, "Bcc"), "(none)");
      EXPECT_EQ(raw.find("idden"), std::string::npos);
      const bool nobody = !with_to && !with_cc;
      EXPECT_EQ(field_of(raw, "To"), with_to ? " <b@example.net>" : nobody ? " undisclosed-recipients:;" : "(none)");
      EXPECT_TRUE(parse_mail(raw).defects.empty());
    }
  }
}

struct Name {
  const char* name;
  std::string display;
};
void PrintTo(const Name& name, std::ostream* out) { *out << name.name; }

class ComposedName : public testing::TestWithParam<Name> {};

TEST_P(ComposedName, IsReadAsItWasGiven) {
  Composition composition = message();
  composition.from.name = GetParam().display;
  composition.subject = GetParam().display;
  composition.to = {{GetParam().display, address("b@example.net")}, {"", address("c@example.net")}};
  composition.attachments.push_back({GetParam().display, "application/pdf", "", "x"});
  const std::string raw = composed(composition);
  expect_lines(raw);
  const auto mail = parse_mail(raw);
  EXPECT_EQ(mail.sender_name, GetParam().display);
  EXPECT_EQ(mail.sender_address, "a@example.com");
  EXPECT_EQ(mail.parts.at(0).filename, GetParam().display);
  EXPECT_TRUE(mail.defects.empty()) << mail.defects.front();
  EXPECT_TRUE(raw.find("b@example.net>,\r\n <c@example.net>\r\n") != std::string::npos) << raw;
}

INSTANTIATE_TEST_SUITE_P(
    ComposedHeader, ComposedName,
    testing::Values(Name{"Plain", "Anna"}, Name{"Specials", "Mail, Relay <x@y> (z); a:b"},
                    Name{"Quotes", R"(The "secure" \ relay)"}, Name{"Umlaut", "J\u00fcrgen Gr\u00fc\u00dfe.pdf"},
                    Name{"LooksEncoded", "=?utf-8?B?w7w=?="}, Name{"Apostrophes", "utf-8'en'100%41"},
                    Name{"Wide", times(20, "\u5b89\u5168")}, Name{"Emoji", times(40, "\U0001F4EC")},
                    Name{"LongAscii", times(50, "word ") + "z"}, Name{"LongWord", std::string(320, 'x')},
                    Name{"TwoBlanks", "a  b"}),
    [](const auto& test) { return test.param.name; });

TEST(ComposedHeader, WritesAddressesAsSpelledAndDomainsInAscii) {
  Composition composition = message();
  composition.from.address = address("Anna.A@Example.COM");
  EXPECT_EQ(field_of(composed(composition), "From"), " <Anna.A@Example.COM>");
  composition.to = {{"", address("b@b\u00fccher.example")}, {"", address("j\u00fcrgen@b\u00fccher.example")}};
  const std::string raw = composed(composition);
  EXPECT_EQ(field_of(raw, "To"), " <b@xn--bcher-kva.example>, <j\u00fcrgen@b\u00fccher.example>")
      << "a local part beyond ASCII needs SMTPUTF8 anyway";
}

TEST(ComposedHeader, KeepsIdsThatLookEncoded) {
  Composition composition = message();
  const std::string id = "<=?utf-8?B?w7w=?=@example.com>";
  composition.headers = {{"message-id", id},
                         {"References", times(30, id + " ") + id},
                         {"In-Reply-To", id},
                         {"List-Unsubscribe", "<https://example.com/?a=?b=c>"},
                         {"X-Id", id}};
  const std::string raw = composed(composition);
  expect_lines(raw);
  EXPECT_EQ(field_of(raw, "Message-ID"), " " + id);
  EXPECT_EQ(field_of(raw, "References"), " " + times(30, id + " ") + id);
  EXPECT_EQ(field_of(raw, "In-Reply-To"), " " + id);
  EXPECT_EQ(field_of(raw, "List-Unsubscribe"), " <https://example.com/?a=?b=c>");
  EXPECT_EQ(field_of(raw, "X-Id").find(id), std::string::npos) << "as text it would be decoded";
  EXPECT_EQ(parse_mail(raw).field("x-id"), id);
}

TEST(ComposedHeader, HoldsTextOfAnyKind) {
  for (const std::string& value :
       {std::string(" a"), std::string("a "), std::string("a") + std::string(2000, ' ') + "b", std::string(5000, 'x'),
        times(500, "\u5b89 "), times(800, "some words "), std::string("=?x"), std::string("Gr\u00fc\u00dfe")}) {
    Composition composition = message();
    composition.subject = value;
    composition.headers = {{std::string(76, 'X'), value}};
    const std::string raw = composed(composition);
    expect_lines(raw);
    EXPECT_EQ(names_in(raw),
              "From To Subject " + std::string(76, 'X') + " MIME-Version Content-Type Content-Transfer-Encoding");
  }
}

TEST(ComposedHeader, NamesAThousandRecipients) {
  Composition composition = message();
  for (int i = 0; i < 999; ++i) {
    composition.to.push_back(
        {i % 2 == 0 ? "J\u00fcrgen " + std::to_string(i) : "", address("r" + std::to_string(i) + "@example.net")});
  }
  const std::string raw = composed(composition);
  expect_lines(raw);
  const std::string to = field_of(raw, "To");
  EXPECT_EQ(std::count(to.begin(), to.end(), '<'), 1000);
  EXPECT_EQ(std::count(to.begin(), to.end(), ','), 999);
  EXPECT_EQ(names_in(raw), "From To Subject MIME-Version Content-Type Content-Transfer-Encoding");
}

}  // namespace
}  // namespace sealpost::submit
