// SPDX-License-Identifier: Apache-2.0
// The syntax of language files, and what is said of lines that do not fit.
#include "notify/language_file.h"

#include <gtest/gtest.h>

#include <ostream>

namespace sealpost {
namespace {

TEST(LanguageFile, HoldsNamesSentencesAndComments) {
  const auto read = parse_language_file(
      "# a comment\n\nfirst = One = two.\r\n  # a comment between\nsecond =\n  It goes on,\n\tand on.\n_3 = ä");
  ASSERT_TRUE(read) << read.error().public_text;
  ASSERT_EQ(read->size(), 3U);
  EXPECT_EQ(read->at("first").text, "One = two.");
  EXPECT_EQ(read->at("first").line, 3U);
  EXPECT_EQ(read->at("second").text, "It goes on, and on.");
  EXPECT_EQ(read->at("second").line, 5U);
  EXPECT_EQ(read->at("_3").text, "ä");
}

TEST(LanguageFile, MayBeEmpty) { EXPECT_TRUE(parse_language_file("")->empty()); }

struct LanguageFileBad {
  const char* name;
  std::string_view content;
  const char* why;
};
void PrintTo(const LanguageFileBad& bad, std::ostream* out) { *out << bad.name; }

class BadLanguageFile : public testing::TestWithParam<LanguageFileBad> {};

TEST_P(BadLanguageFile, IsRefusedWithItsLine) {
  const auto read = parse_language_file(GetParam().content);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::Invalid);
  EXPECT_EQ(read.error().public_text, GetParam().why);
}

INSTANTIATE_TEST_SUITE_P(
    LanguageFile, BadLanguageFile,
    testing::Values(LanguageFileBad{"NoEquals", "a = b\nnothing", "line 2: not name = sentence"},
                    LanguageFileBad{"NoName", "= b", "line 1: not a name of small letters, digits and _: "},
                    LanguageFileBad{"OddName", "Big = b", "line 1: not a name of small letters, digits and _: Big"},
                    LanguageFileBad{"Twice", "a = b\n#\na = c", "line 3: given twice: a"},
                    LanguageFileBad{"ContinuesNothing", "# x\n  b", "line 2: continues nothing"},
                    LanguageFileBad{"Empty", "a = b\nc =\nd = e", "line 2: an empty sentence: c"},
                    LanguageFileBad{"NoUtf8", "a = \xff", "line 1: holds controls, or octets that are no UTF-8"},
                    LanguageFileBad{"Control", "a = b\x01", "line 1: holds controls, or octets that are no UTF-8"},
                    LanguageFileBad{"LineSeparator", "a = b\u2028",
                                    "line 1: holds controls, or octets that are no UTF-8"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace sealpost
