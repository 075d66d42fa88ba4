// SPDX-License-Identifier: Apache-2.0
// Authorization fields on a real Redis: who gets in with which scopes, and that guessing is refused before a password
// is looked at.
#include "relay/http_authenticator.h"

#include "base/encoding.h"
#include "tests/support/metrics_text.h"
#include "tests/unit/relay/relay_parts.h"

namespace sealpost::test {
namespace {

constexpr const char* here = "192.0.2.1";

class HttpAuthenticatorTest : public testing::Test {
 protected:
  HttpAuthenticatorTest() {
    EXPECT_TRUE(accounts.add({"crm", {"@example.com"}, false, {}}, Secret::copy_of("correct:horse")));
    EXPECT_TRUE(accounts.add({"boss", {"@example.com"}, true, {}}, Secret::copy_of("x")));
  }
  static std::string basic(const std::string& text) { return "Basic " + to_base64(text); }
  Result<Caller> ask(const std::string& authorization, const char* network = here) {
    return authenticator.authenticate(authorization, network);
  }
  static ErrorKind kind(const Result<Caller>& result) { return result ? ErrorKind::Internal : result.error().kind; }

  RelayParts parts;
  Accounts accounts{parts.redis, parts.master, parts.clock, parts.random, parts.log};
  Tokens tokens{parts.redis, parts.master, parts.clock, parts.random, parts.log};
  GuessThrottle throttle{parts.clock};
  metrics::Registry registry;
  HttpAuthenticator authenticator{accounts, tokens, throttle, registry.counter("failures_total", "Failures.")};
};

TEST_F(HttpAuthenticatorTest, BasicGivesTheScopesOfTheAccount) {
  auto caller = ask(basic("crm:correct:horse"));
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->account, "crm");
  EXPECT_EQ(caller->scopes, (std::set<Scope>{Scope::Submit, Scope::Keys}));
  EXPECT_TRUE(ask(basic("boss:x")).value().scopes.contains(Scope::Operator));
}

TEST_F(HttpAuthenticatorTest, ATokenGivesItsOwnScopesAndEndsWithItsAccount) {
  auto token = tokens.create("boss", {Scope::Keys}).value();
  const std::string bearer = "bearer " + std::string(token.token.reveal());
  EXPECT_EQ(ask(bearer).value().scopes, (std::set<Scope>{Scope::Keys}));
  ASSERT_TRUE(accounts.remove("boss"));
  EXPECT_EQ(kind(ask(bearer)), ErrorKind::Invalid);
  parts.clock.advance(std::chrono::seconds(1));
  ASSERT_TRUE(accounts.add({"boss", {"@example.com"}, true, {}}, Secret::copy_of("x")));
  EXPECT_EQ(kind(ask(bearer)), ErrorKind::Invalid) << "another account of that name";
}

TEST_F(HttpAuthenticatorTest, FailuresAreCountedAndNothingElse) {
  const auto failures = [this] { return test::sample(registry.text({}), "failures_total"); };
  ASSERT_TRUE(ask(basic("crm:correct:horse")));
  EXPECT_FALSE(ask(""));
  EXPECT_FALSE(ask("Digest x"));
  EXPECT_EQ(failures(), 0) << "nobody tried";
  EXPECT_FALSE(ask("Bearer spt_000000000000_00"));
  EXPECT_EQ(failures(), 1);
  EXPECT_FALSE(ask(basic("crm:wrong")));
  EXPECT_EQ(failures(), 2);
  EXPECT_EQ(kind(ask(basic("crm:wrong"))), ErrorKind::Temporary);
  EXPECT_EQ(failures(), 2) << "held back, and not looked at";
}

TEST_F(HttpAuthenticatorTest, EverythingElseIsRefusedWithOneText) {
  for (const std::string& wrong : {std::string(), std::string("Basic"), std::string("Basic "), std::string("Basic !!!"),
                                   basic("crm"), std::string("Digest x"), std::string("Bearer"),
                                   std::string("Bearer spt_000000000000_00"), std::string("Basicx")}) {
    auto refused = ask(wrong);
    EXPECT_EQ(kind(refused), ErrorKind::Invalid) << wrong;
    EXPECT_EQ(refused.error().public_text, "wrong or missing credential");
  }
}

TEST_F(HttpAuthenticatorTest, AlteredRecordsProveNobody) {
  auto token = tokens.create("crm", {Scope::Submit}).value();
  parts.redis_command({"HSET", "account:{0}:token:" + token.id, "scopes", "operator"});
  EXPECT_EQ(kind(ask("Bearer " + std::string(token.token.reveal()))), ErrorKind::Invalid);
  parts.redis_command({"HSET", "account:{0}:of:crm", "admin", "1"});
  EXPECT_EQ(kind(ask(basic("crm:correct:horse"))), ErrorKind::Invalid);
}

TEST_F(HttpAuthenticatorTest, AfterAWrongPasswordTheNextIsRefusedUnseen) {
  EXPECT_EQ(kind(ask(basic("crm:wrong"))), ErrorKind::Invalid);
  auto early = ask(basic("crm:correct:horse"));
  EXPECT_EQ(kind(early), ErrorKind::Temporary) << "although it is right";
  EXPECT_EQ(early.error().retry_after, std::chrono::seconds(1)) << "rounded up";
  parts.clock.advance(std::chrono::milliseconds(250));
  EXPECT_TRUE(ask(basic("crm:correct:horse")));
}

TEST_F(HttpAuthenticatorTest, UnknownAccountsAreTreatedAlike) {
  EXPECT_EQ(kind(ask(basic("nobody:x"))), ErrorKind::Invalid);
  EXPECT_EQ(ask(basic("nobody:x")).error().retry_after, std::chrono::seconds(1));
}

TEST_F(HttpAuthenticatorTest, OthersGuessesDoNotLockTheSenderOut) {
  ASSERT_TRUE(ask(basic("crm:correct:horse"), "198.51.100.1"));
  for (int i = 0; i < 9; ++i) {
    EXPECT_FALSE(ask(basic("crm:wrong")));
    parts.clock.advance(std::chrono::seconds(20));
  }
  EXPECT_EQ(kind(ask(basic("crm:wrong"))), ErrorKind::Invalid);
  EXPECT_EQ(kind(ask(basic("crm:wrong"))), ErrorKind::Temporary);
  EXPECT_TRUE(ask(basic("crm:correct:horse"), "198.51.100.1"));
}

TEST_F(HttpAuthenticatorTest, RedisAwayIsNoFailure) {
  parts.server.kill();
  auto away = ask(basic("crm:correct:horse"));
  EXPECT_EQ(kind(away), ErrorKind::Temporary);
  EXPECT_FALSE(away.error().retry_after);
  parts.server.start();
  EXPECT_TRUE(ask(basic("crm:correct:horse")));
}

}  // namespace
}  // namespace sealpost::test
