// SPDX-License-Identifier: Apache-2.0
// Codes and tokens: their form and strength, and which typed codes are forgiven.
#include "notify/codes.h"

#include <gtest/gtest.h>

#include <ostream>
#include <regex>
#include <set>
#include <string>

#include "crypto/master_key.h"
#include "tests/support/fakes.h"
#include "tests/support/redis_server.h"

namespace sealpost {
namespace {

TEST(Codes, HaveThreeGroupsWithoutLookAlikes) {
  SystemRandom random;
  const std::regex form("[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}");
  std::set<std::string> seen;
  std::set<char> symbols;
  for (int i = 0; i < 500; ++i) {
    const std::string code(make_code(random).reveal());
    EXPECT_TRUE(std::regex_match(code, form)) << code;
    EXPECT_TRUE(seen.insert(code).second);
    symbols.insert(code.begin(), code.end());
  }
  EXPECT_EQ(symbols.size(), 33U) << "all 32 symbols and the dash: 5 bits each, 60 in all";
}

TEST(Codes, OfTheirOwnMakeAreReadBackUnchanged) {
  SystemRandom random;
  for (int i = 0; i < 100; ++i) {
    const Secret code = make_code(random);
    const auto read = normalise_code(code.reveal());
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->equals(code.reveal()));
  }
}

TEST(Codes, OfARowAreTheSameForWhoHasTheMasterKey) {
  const test::RedisServer server;
  SystemRandom random;
  redis::Client redis(server.endpoint(), std::chrono::seconds(20));
  MasterKey master = MasterKey::open(server.directory() / "master.key", redis, random).value();
  const std::string row = "01M8Z0Q4T7W3X5Y9A2B4C6D8EF";
  const Secret code = sender_code(master, row);
  EXPECT_TRUE(normalise_code(code.reveal())->equals(code.reveal())) << "of the form of the others";
  EXPECT_TRUE(sender_code(master, row).equals(code.reveal()));
  EXPECT_FALSE(sender_code(master, "01M8Z0Q4T7W3X5Y9A2B4C6D8EG").equals(code.reveal()));
  const test::RedisServer elsewhere;
  redis::Client other_redis(elsewhere.endpoint(), std::chrono::seconds(20));
  MasterKey other = MasterKey::open(elsewhere.directory() / "master.key", other_redis, random).value();
  EXPECT_FALSE(sender_code(other, row).equals(code.reveal()));
}

struct Typed {
  const char* name;
  std::string text;
  const char* code;  ///< nothing when it cannot be one
};
void PrintTo(const Typed& typed, std::ostream* out) { *out << typed.name; }

class TypedCode : public testing::TestWithParam<Typed> {};

TEST_P(TypedCode, IsReadAsMeant) {
  const auto read = normalise_code(GetParam().text);
  ASSERT_EQ(read.has_value(), GetParam().code != nullptr);
  if (read) {
    EXPECT_EQ(read->reveal(), GetParam().code);
  }
}

INSTANTIATE_TEST_SUITE_P(Codes, TypedCode,
                         testing::Values(Typed{"AsSent", "ABCD-EFGH-2345", "ABCD-EFGH-2345"},
                                         Typed{"WithoutDashes", "ABCDEFGH2345", "ABCD-EFGH-2345"},
                                         Typed{"LowerCase", "abcd-efgh-2345", "ABCD-EFGH-2345"},
                                         Typed{"SpacesAndLineEnd", " ABCD EFGH\t2345\r\n", "ABCD-EFGH-2345"},
                                         Typed{"LookAlikes", "OoIi-Ll00-1111", "0011-1100-1111"},
                                         Typed{"DashesElsewhere", "A-BCDEFG-H2345-", "ABCD-EFGH-2345"},
                                         Typed{"TooShort", "ABCD-EFGH-234", nullptr},
                                         Typed{"TooLong", "ABCD-EFGH-23456", nullptr}, Typed{"Empty", "", nullptr},
                                         Typed{"OnlyDashes", "---", nullptr},
                                         Typed{"SymbolOfNoAlphabet", "ABCD-EFGH-234U", nullptr},
                                         Typed{"Nul", std::string("ABCD-EFGH-234\0", 14), nullptr},
                                         Typed{"Utf8Letters", "ÄBCD-EFGH-2345", nullptr},
                                         Typed{"TypographicDash",
                                               "ABCD\xe2\x80\x93"
                                               "EFGH\xe2\x80\x93"
                                               "2345",
                                               nullptr},
                                         Typed{"VeryLong", std::string(100'000, 'A'), nullptr}),
                         [](const auto& test) { return test.param.name; });

TEST(Tokens, AreUrlSafeAndHaveAtLeast128Bits) {
  SystemRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const std::string token(make_token(random).reveal());
    EXPECT_TRUE(std::regex_match(token, std::regex("[A-Za-z0-9_-]{24}"))) << token << ": 6 bits each, 144 in all";
    EXPECT_TRUE(is_token(token));
    EXPECT_TRUE(seen.insert(token).second);
  }
}

TEST(Tokens, OfAnotherFormAreNone) {
  const std::string token(24, 'a');
  ASSERT_TRUE(is_token(token));
  for (const std::string& text : {std::string(), token + "a", token.substr(1), "/" + token.substr(1),
                                  "=" + token.substr(1), std::string(1, '\0') + token.substr(1)}) {
    EXPECT_FALSE(is_token(text)) << text;
  }
}

}  // namespace
}  // namespace sealpost
