// SPDX-License-Identifier: Apache-2.0
// Header fields, parameters and line ends of mail. A reader of the test's own, written from the RFCs, must read what
// went in, and no line may be longer than its standard allows.
#include "base/mime_text.h"

#include <gtest/gtest.h>

#include <ostream>
#include <regex>

#include "base/encoding.h"
#include "tests/support/fakes.h"

namespace sealpost {
namespace {

std::string times(std::size_t count, std::string_view text) {
  std::string out;
  for (; count > 0; --count) out += text;
  return out;
}

std::string base64_decoded(std::string_view text) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  unsigned count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    bits = bits << 6U | static_cast<unsigned>(alphabet.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xffU);
  }
  return out;
}

/// Everything that a reader may take for an encoded-word, in whatever charset.
std::string encoded_word_at(std::string_view text) {
  static const std::regex form(R"(=\?[^? ]+\?[^? ]+\?[^? ]*\?=)");
  if (!text.starts_with("=?")) return {};
  const std::string begin(text.substr(0, 200));
  std::smatch match;
  return std::regex_search(begin, match, form, std::regex_constants::match_continuous) ? match.str() : std::string();
}

std::string decoded(const std::string& word) {
  if (!word.starts_with("=?utf-8?B?")) return "(not ours)";
  const std::string text = base64_decoded(word.substr(10, word.size() - 12));
  EXPECT_TRUE(is_utf8(text)) << word << " holds a part of a character";
  EXPECT_FALSE(text.empty());
  EXPECT_LE(word.size(), 75U);
  return text;
}

/// RFC 2047 section 6.2: blanks between two encoded-words are none.
std::string read_text(std::string_view text) {
  std::string out;
  std::string blanks;
  bool behind_word = false;
  while (!text.empty()) {
    std::string piece = encoded_word_at(text);
    const bool is_word = !piece.empty();
    if (!is_word) piece = text.front();
    text.remove_prefix(piece.size());
    if (piece == " ") {
      blanks += piece;
      continue;
    }
    if (!is_word || !behind_word) out += blanks;
    blanks.clear();
    out += is_word ? decoded(piece) : piece;
    behind_word = is_word;
  }
  return out + blanks;
}

/// Joins the lines of a field, which begins in `column` of its first one, and judges each.
std::string unfolded(std::string_view text, std::size_t column = 0) {
  std::string out;
  for (bool first = true;; first = false) {
    const auto end = std::min(text.find("\r\n"), text.size());
    const std::string line(text.substr(0, end));
    EXPECT_EQ(line.find_first_of("\r\n"), std::string::npos) << "a bare CR or LF";
    EXPECT_LE(line.size() + (first ? column : 0), line.find("=?utf-8?B?") == std::string::npos ? 998U : 76U) << line;
    EXPECT_TRUE(first || line.starts_with(' ')) << "not a fold: " << line;
    EXPECT_TRUE(first || line.find_first_not_of(' ') != std::string::npos) << "a blank line";
    out += line;
    if (end == text.size()) return out;
    text.remove_prefix(end + 2);
  }
}

/// The value of a field that ends with its CRLF.
std::string value_of(const std::string& name, std::string_view field) {
  EXPECT_TRUE(field.ends_with("\r\n"));
  const std::string text = unfolded(field.substr(0, field.size() - 2));
  EXPECT_TRUE(text.starts_with(name + ": ")) << text;
  // Of a fold in front of the first encoded-word one blank is left.
  const bool folded_at_once = field.substr(name.size() + 2).starts_with("\r\n ");
  return text.substr(name.size() + (folded_at_once ? 3 : 2));
}

struct Text {
  const char* name;
  std::string value;
  bool as_it_is;
};
void PrintTo(const Text& text, std::ostream* out) { *out << text.name; }

class FieldOf : public testing::TestWithParam<Text> {};

TEST_P(FieldOf, UnstructuredTextIsReadAsItWasWritten) {
  for (const std::string& name : {std::string("X"), std::string("Subject"), std::string(76, 'N')}) {
    const std::string field = unstructured_field(name, GetParam().value);
    EXPECT_EQ(read_text(value_of(name, field)), GetParam().value);
    EXPECT_EQ(field.find("=?utf-8?B?") == std::string::npos, GetParam().as_it_is) << field;
    EXPECT_TRUE(!GetParam().as_it_is || structured_field(name, GetParam().value) == field);
  }
}

INSTANTIATE_TEST_SUITE_P(
    MimeText, FieldOf,
    testing::Values(
        Text{"Empty", "", true}, Text{"Word", "Hello", true}, Text{"Sentence", "Hello, (world)!", true},
        Text{"Specials", R"("a" <b@c>; d: \e, [f])", true}, Text{"TwoBlanks", "a  b", true},
        Text{"BlankFirst", " a", false}, Text{"BlankLast", "a ", false}, Text{"OneBlank", " ", false},
        Text{"ManyBlanks", std::string(2000, ' '), false}, Text{"Long", times(60, "a word and ") + "z", true},
        Text{"LongestWord", std::string(920, 'x'), true}, Text{"OverlongWord", std::string(921, 'x'), false},
        Text{"LongestWordLater", "a " + std::string(919, 'x'), true},
        Text{"OverlongWordLater", "a b " + std::string(2000, 'x') + " c", false},
        Text{"LongBlanks", "a" + std::string(919, ' ') + "b", true},
        Text{"OverlongBlanks", "a" + std::string(2000, ' ') + "b", false},
        Text{"BlanksAndWord", "a" + std::string(500, ' ') + std::string(500, 'b'), false},
        Text{"ManyRunsOfBlanks", times(300, "a    ") + "b", true}, Text{"LooksEncoded", "=?utf-8?Q?x?=", false},
        Text{"LooksLikeOurs", "=?utf-8?B?w7w=?=", false},
        Text{"TwoThatLookEncoded", "=?utf-8?B?w7w=?= =?utf-8?B?w7w=?=", false},
        Text{"LooksEncodedInside", "Re: =?iso-8859-1?Q?=FC?= x", false}, Text{"HalfEncoded", "=?utf-8?B?", false},
        Text{"MarksOnly", "what=? no", false}, Text{"EndOnly", "why?= x", true},
        Text{"Umlaut", "Gr\u00fc\u00dfe", false}, Text{"UmlautLast", std::string(200, 'x') + "\u00fc", false},
        Text{"BlanksAndUmlaut", "  \u00fc  \u00fc  ", false}, Text{"ThreeOctets", times(100, "\u5b89\u5168"), false},
        Text{"FourOctets", times(100, "\U0001F4EC"), false},
        Text{"FourOctetsAskew", "xx" + times(100, "\U0001F4EC"), false},
        Text{"LongUnicode", times(4000, "\u00e4 "), false}),
    [](const auto& test) { return test.param.name; });

TEST(UnstructuredField, IsFoldedBehind78Characters) {
  EXPECT_EQ(unstructured_field("Subject", ""), "Subject: \r\n");
  EXPECT_EQ(unstructured_field("Subject", "a  b"), "Subject: a  b\r\n");
  EXPECT_EQ(unstructured_field("Subject", "\u00fc"), "Subject: =?utf-8?B?w7w=?=\r\n");
  const std::string sixty(60, 'x');
  EXPECT_EQ(unstructured_field("Subject", sixty + " 45678901"), "Subject: " + sixty + " 45678901\r\n");
  EXPECT_EQ(unstructured_field("Subject", sixty + " 456789012"), "Subject: " + sixty + "\r\n 456789012\r\n");
  EXPECT_EQ(unstructured_field("Subject", sixty + "  45678901 a"), "Subject: " + sixty + "\r\n  45678901 a\r\n");
}

/// Pieces of text that meet in every way.
std::string random_text(test::SeededRandom& random, bool ascii) {
  static const std::vector<std::string> pieces = {" ",
                                                  "  ",
                                                  "a",
                                                  "=?",
                                                  "?=",
                                                  "=?utf-8?B?w7w=?=",
                                                  "\"",
                                                  "\\",
                                                  "<x@y>",
                                                  std::string(70, 'w'),
                                                  "? ",
                                                  "=",
                                                  "b.",
                                                  "?",
                                                  "utf-8?",
                                                  "\u00e4",
                                                  "\u5b89",
                                                  "\U0001F4EC",
                                                  "\u00e4 \u5b89",
                                                  std::string(400, ' ')};
  const auto number = [&] { return static_cast<unsigned char>(random.octets(1)[0]); };
  std::string text;
  for (int i = number() % 40; i > 0; --i) text += pieces[number() % (ascii ? 15 : pieces.size())];
  return text;
}

TEST(MimeText, WhateverMeetsIsReadAsItWasWritten) {
  test::SeededRandom random(11);
  for (int i = 0; i < 3000 && !testing::Test::HasFailure(); ++i) {
    const std::string name(1 + static_cast<unsigned char>(random.octets(1)[0]) % 76, 'N');
    const std::string text = random_text(random, i % 2 == 0);
    SCOPED_TRACE(text);
    EXPECT_EQ(read_text(value_of(name, unstructured_field(name, text))), text);
  }
}

TEST(StructuredField, LeavesWhatLooksEncoded) {
  const std::string ids = "<=?utf-8?B?w7w=?=@example.com> <b=?c@example.com>";
  EXPECT_EQ(structured_field("References", ids), "References: " + ids + "\r\n");
  const std::string many = times(40, ids + " ") + "<z@example.com>";
  const std::string field = structured_field("References", many);
  EXPECT_EQ(unfolded(field.substr(0, field.size() - 2)), "References: " + many);
  EXPECT_EQ(structured_field("List-Id", "\u00fc"), unstructured_field("List-Id", "\u00fc"));
  EXPECT_EQ(structured_field("List-Id", "a "), unstructured_field("List-Id", "a "));
}

TEST(EncodedWords, OfWhatIsNotUtf8ComeToAnEnd) {
  const std::string words = encoded_words(std::string(200, '\x80'), 70);
  EXPECT_EQ(words.substr(0, 13), "\r\n =?utf-8?B?");
}

TEST(EncodedWords, FitTheLineWhereverTheyBegin) {
  const std::string emoji = "\U0001F4EC";
  for (const std::string& text : {std::string("x"), std::string(200, 'x'), times(50, "\u00e4"), times(40, "\u5b89"),
                                  times(30, emoji), "a" + times(30, emoji), times(20, "a\u00e4\u5b89" + emoji)}) {
    for (std::size_t column = 0; column <= 100; ++column) {
      const std::string words = encoded_words(text, column);
      EXPECT_EQ(read_text(unfolded(words, words.starts_with("\r\n") ? 0 : column).substr(words.starts_with("\r\n"))),
                text)
          << column;
    }
  }
  EXPECT_EQ(encoded_words("", 10), "");
}

/// A name and an address, read as RFC 5322 section 3.4 has it.
std::pair<std::string, std::string> read_mailbox(const std::string& text) {
  const auto angle = text.rfind('<');
  EXPECT_TRUE(text.ends_with('>') && angle != std::string::npos) << text;
  const std::string address = text.substr(angle + 1, text.size() - angle - 2);
  if (angle == 0) return {"", address};
  EXPECT_EQ(text[angle - 1], ' ') << text;
  const std::string phrase = text.substr(0, angle - 1);
  if (!phrase.starts_with('"')) return {read_text(phrase), address};
  std::string name;
  for (std::size_t i = 1; i + 1 < phrase.size(); ++i) {
    EXPECT_NE(phrase[i], '"') << "a quote ends the name: " << phrase;
    if (phrase[i] == '\\') ++i;
    EXPECT_LT(i + 1, phrase.size()) << "the last quote is escaped: " << phrase;
    name += phrase[i];
  }
  return {name, address};
}

class MailboxNamed : public testing::TestWithParam<Text> {};

TEST_P(MailboxNamed, IsReadAsItWasWritten) {
  const std::string& name = GetParam().value;
  for (const std::string& address : {std::string("a@b.example"), std::string(64, 'l') + "@" + std::string(250, 'd')}) {
    for (const std::size_t column : {0U, 1U, 6U, 61U, 80U}) {
      const std::string text = name_addr(name, address, column);
      // A fold in front of the first word leaves its blank.
      const bool begins_folded = text.starts_with("\r\n");
      const auto read = read_mailbox(unfolded(text, begins_folded ? 0 : column).substr(begins_folded ? 1 : 0));
      EXPECT_EQ(read.first, name) << text;
      EXPECT_EQ(read.second, address) << text;
      EXPECT_EQ(text.find("=?utf-8?B?") == std::string::npos, GetParam().as_it_is) << text;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    MimeText, MailboxNamed,
    testing::Values(Text{"Nothing", "", true}, Text{"Word", "Anna", true}, Text{"Words", "Anna B. C", true},
                    Text{"Specials", "Mail, Relay <x@y> (z); a:b", true},
                    Text{"Quotes", R"(The "secure" \ relay)", true}, Text{"BackslashLast", R"(a\)", true},
                    Text{"QuoteOnly", "\"", true}, Text{"TwoBlanks", "a  b", true}, Text{"BlankFirst", " a", false},
                    Text{"BlankLast", "a ", false}, Text{"Blank", " ", false},
                    Text{"LooksEncoded", "=?utf-8?Q?a?=", false}, Text{"Umlaut", "J\u00fcrgen", false},
                    Text{"LongestQuoted", std::string(400, '"'), true}, Text{"Overlong", std::string(401, '"'), false},
                    Text{"VeryLong", times(500, "word "), false}, Text{"LongWord", std::string(320, 'x'), true},
                    Text{"Wide", times(60, "\u5b89\u5168"), false}, Text{"Emoji", times(60, "\U0001F4EC"), false}),
    [](const auto& test) { return test.param.name; });

TEST(NameAddr, QuotesWhatIsAscii) {
  EXPECT_EQ(name_addr("", "a@b.example", 4), "<a@b.example>");
  EXPECT_EQ(name_addr("A \"B\"", "a@b.example", 4), "\"A \\\"B\\\"\" <a@b.example>");
  EXPECT_EQ(name_addr("\u00fc", "a@b.example", 4), "=?utf-8?B?w7w=?=\r\n <a@b.example>");
  EXPECT_EQ(name_addr(std::string(70, 'x'), "a@b.example", 4), "\"" + std::string(70, 'x') + "\"\r\n <a@b.example>");
}

TEST(NameAddr, WhateverMeetsIsReadAsItWasWritten) {
  test::SeededRandom random(12);
  for (int i = 0; i < 3000 && !testing::Test::HasFailure(); ++i) {
    const std::string name = random_text(random, i % 2 == 0);
    SCOPED_TRACE(name);
    EXPECT_EQ(read_mailbox(unfolded(name_addr(name, "a@b.example", 6), 6)).first, name);
  }
}

struct Lines {
  const char* name;
  std::string text;
  std::string with_crlf;
  bool bits7;  ///< of the text as it is
  bool bits8;
};
void PrintTo(const Lines& lines, std::ostream* out) { *out << lines.name; }

class TextOf : public testing::TestWithParam<Lines> {};

TEST_P(TextOf, LinesIsJudgedAndMended) {
  const auto& lines = GetParam();
  EXPECT_EQ(view(with_crlf(lines.text)), lines.with_crlf);
  EXPECT_EQ(view(with_crlf(lines.with_crlf)), lines.with_crlf) << "once is enough";
  EXPECT_EQ(is_7bit(lines.text), lines.bits7);
  EXPECT_EQ(is_8bit(lines.text), lines.bits8);
}

const std::string full(998, 'x');
const std::string full_8bit = times(499, "\u00e4");

INSTANTIATE_TEST_SUITE_P(
    MimeText, TextOf,
    testing::Values(Lines{"Empty", "", "", true, true}, Lines{"NoLineEnd", "a", "a", true, true},
                    Lines{"Crlf", "a\r\nb\r\n", "a\r\nb\r\n", true, true},
                    Lines{"Lf", "a\nb\n", "a\r\nb\r\n", false, false},
                    Lines{"Cr", "a\rb\r", "a\r\nb\r\n", false, false},
                    Lines{"EmptyLines", "\n\n\r\r\r\n", "\r\n\r\n\r\n\r\n\r\n", false, false},
                    Lines{"LfCr", "a\n\rb", "a\r\n\r\nb", false, false},
                    Lines{"CrCrLf", "a\r\r\nb", "a\r\n\r\nb", false, false},
                    Lines{"LastCr", "a\r", "a\r\n", false, false}, Lines{"LastLf", "\n", "\r\n", false, false},
                    Lines{"Umlaut", "\u00e4\r\n", "\u00e4\r\n", false, true},
                    Lines{"Latin1", "\xe4", "\xe4", false, true}, Lines{"Control", "\x1b\t", "\x1b\t", true, true},
                    Lines{"Nul", std::string("a\0b", 3), std::string("a\0b", 3), false, false},
                    Lines{"FullLine", full + "\r\n" + full, full + "\r\n" + full, true, true},
                    Lines{"LongLine", full + "x\r\n", full + "x\r\n", false, false},
                    Lines{"LongLastLine", "a\r\n" + full + "x", "a\r\n" + full + "x", false, false},
                    Lines{"Full8bit", full_8bit, full_8bit, false, true},
                    Lines{"Long8bit", full_8bit + "x", full_8bit + "x", false, false}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace sealpost
