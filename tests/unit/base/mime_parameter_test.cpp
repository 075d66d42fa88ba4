// SPDX-License-Identifier: Apache-2.0
// Parameters of Content-* fields (RFC 2045 section 5.1, RFC 2231): a reader of the test's own puts the pieces together.
#include <gtest/gtest.h>

#include <optional>
#include <ostream>

#include "base/encoding.h"
#include "base/mime_text.h"
#include "tests/support/fakes.h"

namespace sealpost {
namespace {

/// Strict: nothing where an escape is cut.
std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const std::string digits(text.substr(i + 1, 2));
    if (digits.size() != 2 || digits.find_first_not_of("0123456789ABCDEF") != std::string::npos) return std::nullopt;
    out += static_cast<char>(std::stoi(digits, nullptr, 16));
    i += 2;
  }
  return out;
}

/// RFC 2231 section 7: what may stand in an extended value beside escapes.
bool is_extended(std::string_view text) {
  return text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&+-.^_`{|}~") ==
         std::string_view::npos;
}

/// One piece, without the attribute; of the first extended one without charset and language.
std::optional<std::string> read_piece(std::string_view value, bool extended, bool first) {
  if (!extended) {
    const bool quoted = value.size() >= 2 && value.starts_with('"') && value.ends_with('"');
    if (!quoted) return std::nullopt;
    value = value.substr(1, value.size() - 2);
    if (value.find_first_of("\"\\") != std::string_view::npos) return std::nullopt;
    return std::string(value);
  }
  if (first) {
    const auto charset = value.find('\'');
    const auto language = value.find('\'', charset + 1);
    if (charset == std::string_view::npos || language == std::string_view::npos) return std::nullopt;
    value.remove_prefix(language + 1);
  }
  if (!is_extended(value)) return std::nullopt;
  return unescaped(value);
}

/// `; name=…` in one piece or in several, which must come in order (RFC 2231 section 3 allows any).
std::optional<std::string> read_parameter(std::string_view text, const std::string& name) {
  std::string out;
  for (std::size_t piece = 0; !text.empty(); ++piece) {
    if (!text.starts_with(";\r\n\t")) return std::nullopt;
    text.remove_prefix(4);
    const std::string_view line = text.substr(0, text.find(";\r\n"));
    text.remove_prefix(line.size());
    if (1 + line.size() + (text.empty() ? 0 : 1) > 78) return std::nullopt;  // with its tab and semicolon
    const auto equals = line.find('=');
    std::string attribute(line.substr(0, equals));
    const bool extended = attribute.ends_with('*');
    if (extended) attribute.pop_back();
    const bool alone = piece == 0 && text.empty();
    const std::string numbered = name + "*" + std::to_string(piece);
    if (attribute != numbered && !(alone && attribute == name)) return std::nullopt;
    const auto value = read_piece(line.substr(equals + 1), extended, piece == 0);
    if (!value || !is_utf8(*value)) return std::nullopt;  // a character that is cut, not every reader mends
    out += *value;
  }
  return out;
}

TEST(ParameterReader, ReadsTheExamplesOfRfc2231) {
  EXPECT_EQ(read_parameter(";\r\n\ttitle*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", "title"),
            "This is ***fun***");
  EXPECT_EQ(read_parameter(";\r\n\ttitle*0*=us-ascii'en'This%20is%20even%20more%20"
                           ";\r\n\ttitle*1*=%2A%2A%2Afun%2A%2A%2A%20"
                           ";\r\n\ttitle*2=\"isn't it!\"",
                           "title"),
            "This is even more ***fun*** isn't it!");
  EXPECT_EQ(
      read_parameter(";\r\n\tURL*0=\"ftp://\";\r\n\tURL*1=\"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\"", "URL"),
      "ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar");
  EXPECT_FALSE(read_parameter(";\r\n\ta*1*=utf-8''x;\r\n\ta*0*=y", "a")) << "out of order";
  EXPECT_FALSE(read_parameter(";\r\n\ta*0*=utf-8''%C3%;\r\n\ta*1*=A4", "a")) << "an escape is cut";
  EXPECT_FALSE(read_parameter(";\r\n\ta*0*=utf-8''%C3;\r\n\ta*1*=%A4", "a")) << "a character is cut";
  EXPECT_FALSE(read_parameter(";\r\n\ta*=utf-8''a b", "a")) << "a blank is no attribute-char";
}

TEST(Parameter, IsWrittenAsRfc2231Has) {
  EXPECT_EQ(parameter("filename", "a b.p12"), ";\r\n\tfilename=\"a b.p12\"");
  EXPECT_EQ(parameter("filename", ""), ";\r\n\tfilename=\"\"");
  EXPECT_EQ(parameter("title", "This is ***fun***"), ";\r\n\ttitle=\"This is ***fun***\"");
  EXPECT_EQ(parameter("title", "***fun*** isn't it!"), ";\r\n\ttitle*=utf-8''%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it!");
  EXPECT_EQ(parameter("filename", "\u20ac rates"), ";\r\n\tfilename*=utf-8''%E2%82%AC%20rates") << "RFC 6266 section 5";
}

struct MimeParameterValue {
  const char* name;
  std::string value;
  bool quoted;
};
void PrintTo(const MimeParameterValue& value, std::ostream* out) { *out << value.name; }

class ParameterOf : public testing::TestWithParam<MimeParameterValue> {};

TEST_P(ParameterOf, IsReadAsItWasWritten) {
  const std::string text = parameter("filename", GetParam().value);
  EXPECT_EQ(read_parameter(text, "filename"), GetParam().value) << text;
  EXPECT_EQ(text.find('"') != std::string::npos, GetParam().quoted) << text;
}

std::string emoji(std::size_t count) {
  std::string out;
  for (; count > 0; --count) out += "\U0001F4EC";
  return out;
}

INSTANTIATE_TEST_SUITE_P(
    MimeText, ParameterOf,
    testing::Values(
        MimeParameterValue{"Plain", "report.pdf", true}, MimeParameterValue{"Empty", "", true},
        MimeParameterValue{"Blanks", "  a  b  ", true}, MimeParameterValue{"LongestQuoted", std::string(56, 'x'), true},
        MimeParameterValue{"LongAscii", std::string(57, 'x'), false},
        MimeParameterValue{"VeryLongAscii", std::string(1024, 'x'), false}, MimeParameterValue{"Quote", "a\"b", false},
        MimeParameterValue{"Backslash", "a\\b", false}, MimeParameterValue{"Percent", "100%41", false},
        MimeParameterValue{"Apostrophe", "utf-8'en'x", false},
        MimeParameterValue{"LooksEncoded", "=?utf-8?B?w7w=?=", false},
        MimeParameterValue{"Specials", "a;b=c, (d) <e@f> [g]/h?:", true}, MimeParameterValue{"Star", "a*0*=b", true},
        MimeParameterValue{"Umlaut", "Gr\u00fc\u00dfe.pdf", false},
        MimeParameterValue{"Wide", "\u5b89\u5168.txt", false}, MimeParameterValue{"Emoji", emoji(20), false},
        MimeParameterValue{"ManyEmoji", emoji(256), false},
        MimeParameterValue{"OnlyPercents", std::string(300, '%'), false}),
    [](const auto& test) { return test.param.name; });

TEST(Parameter, IsNeverCutWithinACharacterWhereverItFalls) {
  for (std::size_t before = 0; before < 70; ++before) {
    for (const std::string& tail : {emoji(40), std::string(200, '"'), "\u00e4x" + emoji(30), std::string(200, 'y')}) {
      const std::string value = std::string(before, 'x') + tail;
      EXPECT_EQ(read_parameter(parameter("filename", value), "filename"), value) << before;
    }
  }
}

TEST(Parameter, WhateverMeetsIsReadAsItWasWritten) {
  const std::vector<std::string> pieces = {"a",  " ",  "\"",     "\\",     "%",          "'",      "*",
                                           "=?", "?=", "\u00e4", "\u5b89", "\U0001F4EC", "xxxxxxx"};
  test::SeededRandom random(13);
  const auto number = [&] { return static_cast<unsigned char>(random.octets(1)[0]); };
  for (int i = 0; i < 5000; ++i) {
    std::string value;
    for (int j = number() % 60; j > 0; --j) value += pieces[number() % pieces.size()];
    ASSERT_EQ(read_parameter(parameter("name", value), "name"), value);
  }
}

}  // namespace
}  // namespace sealpost
