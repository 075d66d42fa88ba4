// SPDX-License-Identifier: Apache-2.0
// Replies of friendly, sloppy and hostile servers.
#include "relay/delivery/reply_parser.h"

#include <gtest/gtest.h>

#include <ostream>

namespace sealpost {
namespace {

using State = ReplyParser::State;

struct ReplyParserCase {
  const char* name;
  std::vector<std::string> lines;
  State end;  ///< of the last line; all before it say More
  int code;
  const char* enhanced;
  const char* text;
};
void PrintTo(const ReplyParserCase& c, std::ostream* out) { *out << c.name; }
std::string name_of(const ::testing::TestParamInfo<ReplyParserCase>& info) { return info.param.name; }

class Replies : public ::testing::TestWithParam<ReplyParserCase> {};

TEST_P(Replies, AreReadAsTheyAreMeant) {
  const ReplyParserCase& c = GetParam();
  ReplyParser parser;
  for (std::size_t i = 0; i + 1 < c.lines.size(); ++i) ASSERT_EQ(parser.add(c.lines[i]), State::More) << c.lines[i];
  ASSERT_EQ(parser.add(c.lines.back()), c.end);
  if (c.end != State::Complete) return;
  EXPECT_EQ(parser.reply().code, c.code);
  EXPECT_EQ(parser.reply().severity(), c.code / 100);
  EXPECT_EQ(parser.reply().enhanced, c.enhanced);
  EXPECT_EQ(parser.reply().text, c.text);
  EXPECT_EQ(parser.reply().lines.size(), c.lines.size());
}

INSTANTIATE_TEST_SUITE_P(
    Good, Replies,
    ::testing::Values(
        ReplyParserCase{"OneLine", {"250 ok"}, State::Complete, 250, "2.0.0", "250 ok"},
        ReplyParserCase{"CodeAlone", {"354"}, State::Complete, 354, "3.0.0", "354 "},
        ReplyParserCase{"CodeAndBlank", {"250 "}, State::Complete, 250, "2.0.0", "250 "},
        ReplyParserCase{
            "Enhanced", {"550 5.1.1 no such user"}, State::Complete, 550, "5.1.1", "550 5.1.1 no such user"},
        ReplyParserCase{"EnhancedAlone", {"550 5.1.1"}, State::Complete, 550, "5.1.1", "550 5.1.1"},
        ReplyParserCase{"LongestEnhanced", {"550 5.123.45 x"}, State::Complete, 550, "5.123.45", "550 5.123.45 x"},
        ReplyParserCase{"Lines", {"250-a", "250-b", "250 c"}, State::Complete, 250, "2.0.0", "250 a b c"},
        ReplyParserCase{"EnhancedOfTheFirstLine",
                        {"451-4.7.1 wait", "451 4.7.2 x"},
                        State::Complete,
                        451,
                        "4.7.1",
                        "451 4.7.1 wait 4.7.2 x"},
        ReplyParserCase{"EmptyLines", {"250-", "250"}, State::Complete, 250, "2.0.0", "250  "},
        ReplyParserCase{"ControlCharacters",
                        {"550 5.1.1 a\r\x1b[31m\x7f\tb\x80"},
                        State::Complete,
                        550,
                        "5.1.1",
                        "550 5.1.1 a  [31m  b "}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    EnhancedCodesThatAreNone, Replies,
    ::testing::Values(ReplyParserCase{"OtherClass", {"550 4.1.1 x"}, State::Complete, 550, "5.0.0", "550 4.1.1 x"},
                      ReplyParserCase{"TwoNumbers", {"550 5.1 x"}, State::Complete, 550, "5.0.0", "550 5.1 x"},
                      ReplyParserCase{"FourNumbers", {"550 5.1.1.1 x"}, State::Complete, 550, "5.0.0", "550 5.1.1.1 x"},
                      ReplyParserCase{"EmptyNumber", {"550 5..11 x"}, State::Complete, 550, "5.0.0", "550 5..11 x"},
                      ReplyParserCase{"NoDetail", {"550 5.11. x"}, State::Complete, 550, "5.0.0", "550 5.11. x"},
                      ReplyParserCase{
                          "TooLong", {"550 5.1234.567 x"}, State::Complete, 550, "5.0.0", "550 5.1234.567 x"},
                      ReplyParserCase{"Letters", {"550 5.a.1 x"}, State::Complete, 550, "5.0.0", "550 5.a.1 x"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Malformed, Replies,
    ::testing::Values(ReplyParserCase{"Empty", {""}, State::Malformed, 0, "", ""},
                      ReplyParserCase{"Short", {"25"}, State::Malformed, 0, "", ""},
                      ReplyParserCase{"Letters", {"abc hello"}, State::Malformed, 0, "", ""},
                      ReplyParserCase{"One", {"150 x"}, State::Malformed, 0, "", ""},
                      ReplyParserCase{"Six", {"650 x"}, State::Malformed, 0, "", ""},
                      ReplyParserCase{"NoSeparator", {"250ok"}, State::Malformed, 0, "", ""},
                      ReplyParserCase{"LeadingBlank", {" 250 ok"}, State::Malformed, 0, "", ""},
                      ReplyParserCase{"CodesDiffer", {"250-a", "550 b"}, State::Malformed, 0, "", ""},
                      ReplyParserCase{"SecondLineBad", {"250-a", "hello"}, State::Malformed, 0, "", ""}),
    name_of);

TEST(ReplyBounds, TheHundredthLineIsTheLast) {
  ReplyParser parser;
  for (int i = 0; i < 100; ++i) ASSERT_EQ(parser.add("250-x"), State::More);
  EXPECT_EQ(parser.add("250 x"), State::Malformed);
  EXPECT_EQ(parser.reply().lines.size(), 100U);
}

TEST(ReplyBounds, OctetsAreBounded) {
  ReplyParser parser;
  const std::string line = "250-" + std::string(4000, 'x');
  for (int i = 0; i < 16; ++i) ASSERT_EQ(parser.add(line), State::More) << i;
  EXPECT_EQ(parser.add(line), State::Malformed);
  EXPECT_LE(parser.reply().text.size(), 512U);
}

}  // namespace
}  // namespace sealpost
