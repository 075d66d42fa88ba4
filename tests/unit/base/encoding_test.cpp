// SPDX-License-Identifier: Apache-2.0
// Encodings against the vectors of RFC 4648 and against what must be refused.
#include "base/encoding.h"

#include <gtest/gtest.h>

#include "tests/support/fakes.h"

namespace sealpost {
namespace {

struct Vector {
  const char* octets;
  const char* base64;
  const char* url;
  const char* hex;
};

class Rfc4648 : public ::testing::TestWithParam<Vector> {};

TEST_P(Rfc4648, BothWays) {
  const auto& [octets, base64, url, hex] = GetParam();
  EXPECT_EQ(to_base64(octets), base64);
  EXPECT_EQ(view(to_base64_wiped(octets)), base64);
  EXPECT_EQ(from_base64(base64), octets);
  EXPECT_EQ(to_base64url(octets), url);
  EXPECT_EQ(from_base64url(url), octets);
  EXPECT_EQ(to_hex(octets), hex);
  EXPECT_EQ(from_hex(hex), octets);
  const auto wiped = from_base64_wiped(base64);
  ASSERT_TRUE(wiped);
  EXPECT_EQ(view(*wiped), octets);
}

INSTANTIATE_TEST_SUITE_P(Section10, Rfc4648,
                         ::testing::Values(Vector{"", "", "", ""}, Vector{"f", "Zg==", "Zg", "66"},
                                           Vector{"fo", "Zm8=", "Zm8", "666f"}, Vector{"foo", "Zm9v", "Zm9v", "666f6f"},
                                           Vector{"foob", "Zm9vYg==", "Zm9vYg", "666f6f62"},
                                           Vector{"fooba", "Zm9vYmE=", "Zm9vYmE", "666f6f6261"},
                                           Vector{"foobar", "Zm9vYmFy", "Zm9vYmFy", "666f6f626172"},
                                           Vector{"\xfb\xff\xbe", "+/++", "-_--", "fbffbe"}));

class BadBase64 : public ::testing::TestWithParam<std::string> {};

TEST_P(BadBase64, IsRefused) {
  EXPECT_FALSE(from_base64(GetParam()));
  EXPECT_FALSE(from_base64_wiped(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Forms, BadBase64,
                         ::testing::Values("Zg", "Zg=", "Zh==", "Zm9=", "Zm9v\n", "Zm 9v", "=",
                                           "====", "Z===", "Zg==Zg==", "-_--", "Zm9v ", std::string("Zm9\0", 4),
                                           "Z=g=", "\xc3\xa4==", "Zm9vYg=A"));

class BadBase64Url : public ::testing::TestWithParam<std::string> {};
TEST_P(BadBase64Url, IsRefused) { EXPECT_FALSE(from_base64url(GetParam())); }
INSTANTIATE_TEST_SUITE_P(Forms, BadBase64Url,
                         ::testing::Values("Zg==", "+/++", "Z", "Zh", "Zm9vY", "Zm 9", "Zm8.", "-_--\n"));

TEST(Hex, RefusesOddLengthsAndOtherDigits) {
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
  EXPECT_FALSE(from_hex(" 0"));
  EXPECT_FALSE(from_hex("0x"));
  EXPECT_EQ(from_hex("AbCd"), "\xab\xcd");
}

TEST(Base64, RoundTripsRandomOctets) {
  test::SeededRandom random(7);
  for (std::size_t size = 0; size < 200; ++size) {
    const std::string octets = random.octets(size);
    EXPECT_EQ(from_base64(to_base64(octets)), octets);
    EXPECT_EQ(from_base64url(to_base64url(octets)), octets);
    EXPECT_EQ(from_hex(to_hex(octets)), octets);
    EXPECT_EQ(percent_decode(percent_encode(octets, "")), octets);
  }
}

TEST(Percent, EscapesAllButWhatIsSafe) {
  EXPECT_EQ(percent_encode("aZ0-._~", "-._"), "aZ0-._%7E");
  EXPECT_EQ(percent_encode("a b/+%\xc3\xa4", ""), "a%20b%2F%2B%25%C3%A4");
  EXPECT_EQ(percent_decode("a%20b%2f"), "a b/");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  for (const auto* bad : {"%", "%2", "%zz", "a%", "%2g", "%%20"}) EXPECT_FALSE(percent_decode(bad)) << bad;
}

TEST(Html, EscapesWhatEndsTextOrAttributes) {
  EXPECT_EQ(html_escape("<a href=\"x\" b='y'>&amp;"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;");
  EXPECT_EQ(html_escape("plain \xc3\xa4"), "plain \xc3\xa4");
}

TEST(Ascii, FoldsAsciiOnly) {
  EXPECT_EQ(ascii_lower("ABCxyz\xc3\x84"), "abcxyz\xc3\x84");
  EXPECT_TRUE(ascii_iequals("Content-TYPE", "content-type"));
  EXPECT_FALSE(ascii_iequals("\xc3\x84", "\xc3\xa4"));
  EXPECT_FALSE(ascii_iequals("a", "ab"));
  EXPECT_TRUE(is_ascii("abc\x7f"));
  EXPECT_FALSE(is_ascii("\x80"));
}

struct Utf8Case {
  const char* name;
  std::string octets;
  bool good;
};
class Utf8 : public ::testing::TestWithParam<Utf8Case> {};
TEST_P(Utf8, IsJudged) { EXPECT_EQ(is_utf8(GetParam().octets), GetParam().good); }
INSTANTIATE_TEST_SUITE_P(
    Forms, Utf8,
    ::testing::Values(Utf8Case{"empty", "", true}, Utf8Case{"ascii", "abc", true}, Utf8Case{"two", "\xc3\xa4", true},
                      Utf8Case{"three", "\xe2\x82\xac", true}, Utf8Case{"four", "\xf0\x9f\x98\x80", true},
                      Utf8Case{"last", "\xf4\x8f\xbf\xbf", true}, Utf8Case{"nul", std::string("\0", 1), true},
                      Utf8Case{"beyond", "\xf4\x90\x80\x80", false}, Utf8Case{"lone_tail", "\x80", false},
                      Utf8Case{"cut", "\xc3", false}, Utf8Case{"cut_three", "\xe2\x82", false},
                      Utf8Case{"cut_four", "\xf0\x9f\x98", false}, Utf8Case{"overlong_slash", "\xc0\xaf", false},
                      Utf8Case{"overlong_three", "\xe0\x80\xaf", false},
                      Utf8Case{"overlong_four", "\xf0\x80\x80\xaf", false},
                      Utf8Case{"surrogate", "\xed\xa0\x80", false}, Utf8Case{"before_surrogate", "\xed\x9f\xbf", true},
                      Utf8Case{"f5", "\xf5\x80\x80\x80", false}, Utf8Case{"latin1", "caf\xe9", false},
                      Utf8Case{"bad_middle", "\xe2\x28\xa1", false}),
    [](const auto& info) { return info.param.name; });

TEST(UnicodeControl, IsC1OrASeparator) {
  for (const char* text : {"\xc2\x80", "\xc2\x9f", "a\xc2\x85z", "\xe2\x80\xa8", "z\xe2\x80\xa9"}) {
    EXPECT_TRUE(has_unicode_control(text));
  }
  for (const char* text :
       {"", "\xc2", "abc\r\n", "\xc2\xa0", "\xc3\x84", "\xe2\x80\xa7", "\xe2\x80\xaa", "\xf0\x9f\x98\x80"}) {
    EXPECT_FALSE(has_unicode_control(text));
  }
}

}  // namespace
}  // namespace sealpost
