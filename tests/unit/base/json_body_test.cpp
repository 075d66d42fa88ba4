// SPDX-License-Identifier: Apache-2.0
// JSON bodies: what RFC 8259 allows and the relay needs is read, and all else is refused, in bounded time and memory.
#include "base/http/json_body.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <gtest/gtest.h>

#include <ostream>

namespace sealpost::http {
namespace {

using namespace std::string_literals;
using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr std::size_t depth = 6;

/// Types and values in a notation of the test's own.
std::string shown(const Var& value) {
  std::string out;
  if (value.isEmpty()) return "null";
  if (value.isString()) return "'" + value.extract<std::string>() + "'";
  if (value.isBoolean()) return value.convert<bool>() ? "yes" : "no";
  if (value.type() == typeid(Array::Ptr)) {
    for (const auto& each : *value.extract<Array::Ptr>()) out += (out.empty() ? "" : " ") + shown(each);
    return "[" + out + "]";
  }
  if (value.type() != typeid(Object::Ptr)) return value.toString();
  const auto& object = *value.extract<Object::Ptr>();
  for (const auto& name : object.getNames()) out += (out.empty() ? "" : " ") + name + "=" + shown(object.get(name));
  return "{" + out + "}";
}

std::string read(std::string_view body, std::size_t max_depth = depth) {
  const auto json = parse_json(body, max_depth);
  return json ? shown(*json) : "refused: " + json.error().public_text;
}

struct Good {
  const char* name;
  std::string body;
  std::string value;
};
void PrintTo(const Good& body, std::ostream* out) { *out << body.name; }

class JsonBody : public testing::TestWithParam<Good> {};
TEST_P(JsonBody, IsRead) { EXPECT_EQ(read(GetParam().body), GetParam().value); }

INSTANTIATE_TEST_SUITE_P(
    Json, JsonBody,
    testing::Values(Good{"EmptyObject", "{}", "{}"}, Good{"EmptyArray", "[]", "[]"},
                    Good{"Blanks", " \t\r\n{ \"a\" :\t[ 1 , 2 ] }\r\n ", "{a=[1 2]}"},
                    Good{"Words", "[true,false,null]", "[yes no null]"},
                    Good{"OrderKept", R"({"z":1,"a":2,"m":3})", "{z=1 a=2 m=3}"},
                    Good{"CaseTellsApart", R"({"a":1,"A":2})", "{a=1 A=2}"},
                    Good{"SameNameInSiblings", R"([{"a":1},{"a":2}])", "[{a=1} {a=2}]"},
                    Good{"SameNameWithin", R"({"a":{"a":{"a":1}},"b":{"a":2}})", "{a={a={a=1}} b={a=2}}"},
                    Good{"SameNameBehind", R"({"x":{"a":1},"a":2})", "{x={a=1} a=2}"},
                    Good{"EmptyName", R"({"":"x"})", "{='x'}"}, Good{"Slash", R"(["\/"])", "['/']"},
                    Good{"Escapes", R"(["\"\\\/\b\f\n\r\t"])", "['\"\\/\b\f\n\r\t']"},
                    Good{"Unicode", "[\"\u00e4\u5b89\U0001F4EC\"]", "['\u00e4\u5b89\U0001F4EC']"},
                    Good{"UnicodeEscapes", R"(["\u00E4\u5b89\ud83d\udcec"])", "['\u00e4\u5b89\U0001F4EC']"},
                    Good{"LastCodePoint", R"(["\udbff\udfff"])", "['\xf4\x8f\xbf\xbf']"},
                    Good{"EscapedControls", R"(["\u0001\u001f"])", "['\x01\x1f']"},
                    Good{"NulEscape", R"(["a\u0000b"])", "['a\0b']"s},
                    Good{"BackslashBeforeAU", R"({"\\u0000":"\\u0000"})", R"({\u0000='\u0000'})"},
                    Good{"NulInAValueBeforeAName", R"({"a":"\u0000","b":1})", "{a='\0' b=1}"s},
                    Good{"ColonInAString", R"(["\u0000" , ":"])", "['\0' ':']"s},
                    Good{"DeleteAndC1", "[\"\x7f\xc2\x80\"]", "['\x7f\xc2\x80']"},
                    Good{"BomInAString", "[\"\xef\xbb\xbf\"]", "['\xef\xbb\xbf']"},
                    Good{"CommentInAString", R"(["/* // */"])", "['/* // */']"},
                    Good{"DigitsInAString", R"(["12345678901234567890"])", "['12345678901234567890']"},
                    Good{"Numbers", "[0,-1,999999999999999,-999999999999999]",
                         "[0 -1 999999999999999 -999999999999999]"},
                    Good{"Fractions", "[1.5,-0.25,1e2,1E+2,125e-3]", "[1.5 -0.25 100 100 0.125]"}),
    [](const auto& test) { return test.param.name; });

struct Bad {
  const char* name;
  std::string body;
};
void PrintTo(const Bad& body, std::ostream* out) { *out << body.name; }

class NoJsonBody : public testing::TestWithParam<Bad> {};

TEST_P(NoJsonBody, IsRefused) {
  const auto json = parse_json(GetParam().body, depth);
  ASSERT_FALSE(json) << shown(*json);
  EXPECT_EQ(json.error().kind, ErrorKind::Invalid);
  EXPECT_TRUE(json.error().public_text.starts_with("the body is not ")) << json.error().public_text;
  for (const char c : json.error().public_text) EXPECT_TRUE(c >= ' ' && c <= '~') << json.error().public_text;
}

const auto bad_name = [](const auto& test) { return test.param.name; };

INSTANTIATE_TEST_SUITE_P(
    Frame, NoJsonBody,
    testing::Values(Bad{"Nothing", ""}, Bad{"Blank", " "}, Bad{"LineEnd", "\r\n"}, Bad{"Open", "{"},
                    Bad{"OpenArray", "[1"}, Bad{"OpenMember", "{\"a\":"}, Bad{"Crossed", "[}"},
                    Bad{"CrossedBack", "{]"}, Bad{"Close", "}"}, Bad{"WordBehind", "{} x"}, Bad{"ObjectBehind", "{}{}"},
                    Bad{"ArrayBehind", "[] []"}, Bad{"NumberBehind", "[1]1"}, Bad{"CloseBehind", "{}}"},
                    Bad{"NulBehind", "{}\0"s}, Bad{"CommentBehind", "{}//x"}, Bad{"BlockBehind", "{}/*x*/"},
                    Bad{"CommentBefore", "/*x*/{}"}, Bad{"CommentWithin", "[1,/*x*/2]"}, Bad{"LineComment", "//x\n{}"},
                    Bad{"Hash", "#x\n{}"}, Bad{"Bom", "\xef\xbb\xbf{}"}, Bad{"NulBefore", "\0{}"s},
                    Bad{"VerticalTab", "\v{}"}, Bad{"FormFeed", "[1\f]"}, Bad{"NoBreakSpace", "[1\xc2\xa0]"},
                    Bad{"Utf16", "{\0}\0"s}),
    bad_name);

INSTANTIATE_TEST_SUITE_P(Scalars, NoJsonBody,
                         testing::Values(Bad{"Null", "null"}, Bad{"True", "true"}, Bad{"Number", "1"},
                                         Bad{"String", "\"a\""}, Bad{"Fraction", "1.5"}),
                         bad_name);

INSTANTIATE_TEST_SUITE_P(
    Members, NoJsonBody,
    testing::Values(Bad{"TrailingComma", R"({"a":1,})"}, Bad{"TrailingCommaInArray", "[1,]"}, Bad{"OnlyComma", "[,]"},
                    Bad{"LeadingComma", "[,1]"}, Bad{"TwoCommas", "[1,,2]"}, Bad{"NoComma", "[1 2]"},
                    Bad{"NoCommaBetweenMembers", R"({"a":1 "b":2})"}, Bad{"Semicolon", R"({"a":1;"b":2})"},
                    Bad{"NoColon", R"({"a" 1})"}, Bad{"NoValue", R"({"a":})"}, Bad{"NameAlone", R"({"a"})"},
                    Bad{"BareName", "{a:1}"}, Bad{"NumberAsName", "{1:1}"}, Bad{"NullAsName", "{null:1}"},
                    Bad{"SingleQuotes", "{'a':1}"}, Bad{"SingleQuotedValue", "['a']"}, Bad{"Equals", R"({"a"=1})"},
                    Bad{"Twice", R"({"a":1,"a":1})"}, Bad{"TwiceByEscape", R"({"a":1,"\u0061":2})"},
                    Bad{"TwiceApart", R"({"a":1,"b":{"a":2},"a":3})"}, Bad{"TwiceWithin", R"({"x":{"a":1,"a":2}})"},
                    Bad{"TwiceInAnArray", R"([{"b":1},{"a":1,"a":{}}])"}, Bad{"EmptyTwice", R"({"":1,"":2})"},
                    Bad{"NulInAName", R"({"to\u0000x":1})"}, Bad{"NulFirstInAName", R"({"\u0000":1})"},
                    Bad{"NulInANameAndBlanks", "{\"a\\u0000\" \r\n\t:1}"},
                    Bad{"NulBehindAnEscape", R"({"\"\\\u0000":1})"},
                    Bad{"NulInANameWithin", R"([{"b":[{"a\u0000":1}]}])"}),
    bad_name);

INSTANTIATE_TEST_SUITE_P(
    Strings, NoJsonBody,
    testing::Values(Bad{"Open", "[\"a]"}, Bad{"OpenEscape", "[\"a\\"}, Bad{"LineEnd", "[\"a\nb\"]"},
                    Bad{"Tab", "[\"a\tb\"]"}, Bad{"Nul", "[\"a\0b\"]"s}, Bad{"Escape", "[\"a\x1b\"]"},
                    Bad{"UnknownEscape", R"(["\a"])"}, Bad{"HexEscape", R"(["\x41"])"}, Bad{"Quote", R"(["\'"])"},
                    Bad{"ShortEscape", R"(["\u12"])"}, Bad{"NoHex", R"(["\u12g4"])"}, Bad{"CapitalU", R"(["\U0041"])"},
                    Bad{"HighSurrogate", R"(["\ud800"])"}, Bad{"HighThenText", R"(["\ud800x"])"},
                    Bad{"HighThenEscape", R"(["\ud800\n"])"}, Bad{"HighThenLetter", R"(["\ud800\u0041"])"},
                    Bad{"TwoHigh", R"(["\ud83d\ud83d"])"}, Bad{"LowSurrogate", R"(["\udc00"])"},
                    Bad{"LowThenHigh", R"(["\udc00\ud800"])"}, Bad{"SurrogateName", R"({"\ud800":1})"},
                    Bad{"CutUtf8", "[\"\xc3\"]"}, Bad{"Latin1", "[\"caf\xe9\"]"}, Bad{"Overlong", "[\"\xc0\xaf\"]"},
                    Bad{"Utf8Surrogate", "[\"\xed\xa0\x80\"]"}, Bad{"BeyondUnicode", "[\"\xf4\x90\x80\x80\"]"},
                    Bad{"LoneTail", "{\"\x80\":1}"}),
    bad_name);

INSTANTIATE_TEST_SUITE_P(
    Numbers, NoJsonBody,
    testing::Values(Bad{"NaN", "[NaN]"}, Bad{"Infinity", "[Infinity]"}, Bad{"MinusInfinity", "[-Infinity]"},
                    Bad{"Plus", "[+1]"}, Bad{"Zeros", "[01]"}, Bad{"MinusZeros", "[-01]"}, Bad{"Hex", "[0x10]"},
                    Bad{"PointFirst", "[.5]"}, Bad{"PointLast", "[1.]"}, Bad{"PointAndExponent", "[1.e5]"},
                    Bad{"NoExponent", "[1e]"}, Bad{"SignOnly", "[-]"}, Bad{"LetterBehind", "[1a]"},
                    Bad{"TooLarge", "[1e999]"}, Bad{"Digits16", "[1000000000000000]"},
                    Bad{"RoundsBelow", "[-9007199254740993]"}, Bad{"WrapsToZero", "[18446744073709551616]"},
                    Bad{"WrapsBelow", "[-9223372036854775809]"}, Bad{"LongFraction", "[0.1234567890123456]"},
                    Bad{"AsAValue", "{\"a\":18446744073709551616}"},
                    Bad{"VeryLong", "[" + std::string(5000, '9') + "]"}, Bad{"Words", "[undefined]"},
                    Bad{"Capitals", "[True]"}, Bad{"CutWord", "[tru]"}, Bad{"LongWord", "[nulll]"}),
    bad_name);

std::string nested(std::size_t levels, const std::string& open, const std::string& close, const std::string& inner) {
  std::string out = inner;
  for (; levels > 0; --levels) out = open + out + close;
  return out;
}

TEST(JsonDepth, IsRefusedBehindTheLimitOnly) {
  for (const std::size_t limit : {1U, 2U, 6U, 20U}) {
    for (const auto& [open, close] : {std::pair{"[", "]"}, {"{\"a\":", "}"}, {"[1,", ",1]"}}) {
      for (const char* inner : {"{}", "[]", "[1]", "[\"[[[[[[[[\"]"}) {
        EXPECT_TRUE(parse_json(nested(limit - 1, open, close, inner), limit)) << limit << open << inner;
        EXPECT_EQ(read(nested(limit, open, close, inner), limit),
                  "refused: the body is not JSON: Maximum depth exceeded");
      }
    }
  }
  EXPECT_EQ(read("[[1],[[2],[3]],{\"a\":[4]}]", 3), "[[1] [[2] [3]] {a=[4]}]") << "siblings add no depth";
  EXPECT_FALSE(parse_json(std::string(5'000'000, '['), depth));
  EXPECT_FALSE(parse_json(nested(1000, "{\"a\":", "}", "1"), depth));
}

/// `count` of them, with commas.
std::string list_of(std::size_t count, const std::string& item) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "" : ",") + item;
  return out;
}

TEST(JsonValues, AreCountedOfEveryKind) {
  for (const char* item : {"1", "1.5", "\"a\"", "true", "null", "{}", "[]"}) {
    EXPECT_TRUE(parse_json("[" + list_of(49'999, item) + "]", depth)) << item;
    EXPECT_EQ(read("[" + list_of(50'000, item) + "]"), "refused: the body is not JSON: too many values") << item;
  }
  EXPECT_TRUE(parse_json("[" + list_of(24'999, "[1]") + "]", depth)) << "the lists count, too";
  EXPECT_FALSE(parse_json("[" + list_of(25'000, "[1]") + "]", depth));
  EXPECT_FALSE(parse_json("[" + list_of(25'000, "{\"a\":1}") + "]", depth));
}

std::string object_of(std::size_t count, const std::string& prefix) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "\"" : ",\"") + prefix + std::to_string(1000 + i) + "\":0";
  return "{" + out + "}";
}

TEST(JsonMembers, AreAtMost200WithNamesOfAtMost255Octets) {
  EXPECT_TRUE(parse_json(object_of(200, "a"), depth));
  EXPECT_EQ(read(object_of(201, "a")), "refused: the body is not JSON: more than 200 members in an object");
  EXPECT_TRUE(parse_json("[" + object_of(200, "a") + "," + object_of(200, "a") + "]", depth)) << "in each object";
  EXPECT_TRUE(parse_json(object_of(3, std::string(251, 'a')), depth));
  EXPECT_FALSE(parse_json(object_of(3, std::string(252, 'a')), depth));
  const std::string name(1'000'000, 'n');
  const std::string twice = read("{\"" + name + "\":1,\"" + name + "\":2}");
  EXPECT_LT(twice.size(), 200U) << "what was sent does not come back";
}

TEST(JsonMembers, ThatComeTwiceAreNamed) {
  EXPECT_EQ(read(R"({"to":1,"to":2})"), "refused: the body is not JSON: a member is given twice: to");
  EXPECT_EQ(read("{\"\u00fc\\n\":1,\"\u00fc\\n\":2}"), "refused: the body is not JSON: a member is given twice:    ")
      << "on one line, in ASCII";
}

TEST(JsonBody, AloneMustHoldAnObjectOrAnArray) {
  EXPECT_EQ(read("\"a\""), "refused: the body is not JSON: neither an object nor an array");
  EXPECT_EQ(read("null"), "refused: the body is not JSON: neither an object nor an array");
}

TEST(JsonBody, MustBeUtf8BeforeItIsJson) {
  EXPECT_EQ(read("[\"caf\xe9\"]"), "refused: the body is not UTF-8");
  EXPECT_EQ(read("\xff\xfe{"), "refused: the body is not UTF-8");
}

TEST(PointerToken, IsEscapedAsRfc6901Has) {
  EXPECT_EQ(pointer_token(""), "");
  EXPECT_EQ(pointer_token("a/b"), "a~1b");
  EXPECT_EQ(pointer_token("m~n"), "m~0n");
  EXPECT_EQ(pointer_token("~1"), "~01");
  EXPECT_EQ(pointer_token("/~/"), "~1~0~1");
  EXPECT_EQ(pointer_token("c%d e^f g|h i\\j k\"l"), "c%d e^f g|h i\\j k\"l") << "section 5: nothing else is escaped";
  EXPECT_EQ(pointer_token("\u00e4\n"), "\u00e4\n");
}

}  // namespace
}  // namespace sealpost::http
