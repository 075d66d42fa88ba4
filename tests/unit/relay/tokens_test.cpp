// SPDX-License-Identifier: Apache-2.0
// API tokens on a real Redis, and that scopes which were altered there help nobody.
#include "relay/tokens.h"

#include <ostream>

#include "relay/accounts.h"
#include "tests/unit/relay/relay_parts.h"

namespace sealpost::test {
namespace {

class TokensTest : public testing::Test {
 protected:
  TokensTest() {
    for (const char* name : {"crm", "admin"}) {
      EXPECT_TRUE(accounts.add({name, {"@example.com"}, false, {}}, Secret::copy_of("correct-horse")));
    }
  }
  static ErrorKind kind(const Result<TokenRecord>& result) {
    return result ? ErrorKind::Internal : result.error().kind;
  }

  RelayParts parts;
  Accounts accounts{parts.redis, parts.master, parts.clock, parts.random, parts.log};
  Tokens tokens{parts.redis, parts.master, parts.clock, parts.random, parts.log};
};

TEST_F(TokensTest, ATokenNamesItsAccountAndScopes) {
  auto token = tokens.create("crm", {Scope::Submit, Scope::Operator});
  ASSERT_TRUE(token);
  EXPECT_TRUE(token->token.reveal().starts_with("spt_" + token->id + "_"));
  EXPECT_GE(token->token.size(), 4 + 12 + 1 + 48U) << "192 random bits";
  auto found = tokens.find(token->token.reveal());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->account, "crm");
  EXPECT_EQ(found->scopes, (std::set<Scope>{Scope::Submit, Scope::Operator}));
  EXPECT_EQ(found->created, parts.clock.now());
}

TEST_F(TokensTest, NothingElseIsAToken) {
  auto token = tokens.create("crm", {Scope::Submit}).value();
  const std::string right(token.token.reveal());
  std::string other = right;
  other.back() = other.back() == '0' ? '1' : '0';
  for (const std::string& wrong : {std::string(), std::string("spt_"), "spt_" + token.id, "spt_" + token.id + "_",
                                   other, right + "0", right.substr(0, right.size() - 1), "x" + right,
                                   std::string("spt_zzzzzzzzzzzz_00"), std::string("spt_000000000000_00")}) {
    EXPECT_EQ(kind(tokens.find(wrong)), ErrorKind::NotFound) << wrong;
  }
}

TEST_F(TokensTest, ARevokedTokenIsGone) {
  auto first = tokens.create("crm", {Scope::Submit}).value();
  parts.clock.advance(std::chrono::seconds(1));
  auto second = tokens.create("admin", {Scope::Keys}).value();
  ASSERT_EQ(tokens.list().value().size(), 2U);
  EXPECT_EQ(tokens.list().value()[0].id, first.id) << "the oldest first";
  ASSERT_TRUE(tokens.revoke(first.id));
  EXPECT_EQ(kind(tokens.find(first.token.reveal())), ErrorKind::NotFound);
  EXPECT_EQ(tokens.revoke(first.id).error().kind, ErrorKind::NotFound);
  ASSERT_EQ(tokens.list().value().size(), 1U);
  EXPECT_EQ(tokens.list().value()[0].id, second.id);
}

TEST_F(TokensTest, NoTokenStandsInRedis) {
  auto token = tokens.create("crm", {Scope::Submit}).value();
  auto dump = parts.redis_command({"HGETALL", "account:{0}:token:" + token.id});
  const std::string secret(token.token.reveal().substr(4 + 12 + 1));
  for (std::size_t i = 0; i < dump.size(); ++i) EXPECT_EQ(dump[i].text().find(secret), std::string::npos);
}

TEST_F(TokensTest, WithoutRedisEverythingIsTemporary) {
  auto token = tokens.create("crm", {Scope::Submit}).value();
  parts.server.kill();
  EXPECT_EQ(kind(tokens.find(token.token.reveal())), ErrorKind::Temporary);
}

/// ID and OTHER stand for the token's id and that of an operator's token.
struct TokensAlteration {
  const char* name;
  std::vector<std::string> command;
};
void PrintTo(const TokensAlteration& alteration, std::ostream* out) { *out << alteration.name; }
class AlteredTokens : public TokensTest, public testing::WithParamInterface<TokensAlteration> {};

TEST_P(AlteredTokens, AreRefusedAndLogged) {
  auto token = tokens.create("crm", {Scope::Submit}).value();
  auto other = tokens.create("admin", {Scope::Operator}).value();
  auto command = GetParam().command;
  for (auto& word : command) {
    if (word == "ID") word = "account:{0}:token:" + token.id;
    if (word == "OTHER") word = "account:{0}:token:" + other.id;
  }
  parts.redis_command(command);
  EXPECT_EQ(kind(tokens.find(token.token.reveal())), ErrorKind::Permanent);
  EXPECT_NE(tokens.list().error().public_text.find(token.id), std::string::npos);
  EXPECT_NE(parts.log_file.text().find(" error token.altered token=" + token.id), std::string::npos);
  EXPECT_TRUE(tokens.revoke(token.id));
  EXPECT_TRUE(tokens.list());
}

INSTANTIATE_TEST_SUITE_P(
    All, AlteredTokens,
    testing::Values(TokensAlteration{"MoreScopes", {"HSET", "ID", "scopes", "submit keys operator"}},
                    TokensAlteration{"OtherAccount", {"HSET", "ID", "account", "admin"}},
                    TokensAlteration{"Younger", {"HSET", "ID", "created", "99999999999999"}},
                    TokensAlteration{"NoScopes", {"HDEL", "ID", "scopes"}},
                    TokensAlteration{"NoMacOfTheRecord", {"HDEL", "ID", "record"}},
                    TokensAlteration{"OtherMac", {"HSET", "ID", "mac", "00000000000000000000000000000000"}},
                    TokensAlteration{"RecordOfAnother", {"COPY", "OTHER", "ID", "REPLACE"}}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sealpost::test
