// SPDX-License-Identifier: Apache-2.0
// Accounts on a real Redis: who may be one, whose password fits, and that rights which were altered in Redis help
// nobody.
#include "relay/accounts.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <ostream>

#include "tests/unit/relay/relay_parts.h"

namespace sealpost::test {
namespace {

class AccountsTest : public testing::Test {
 protected:
  static Secret secret(std::string_view text) { return Secret::copy_of(text); }
  Status add(const std::string& name, std::vector<std::string> send_as = {"@example.com"}, bool admin = false) {
    return accounts.add({name, std::move(send_as), admin, {}}, secret("correct-horse"));
  }
  static ErrorKind kind(const Result<Account>& result) { return result ? ErrorKind::Internal : result.error().kind; }

  RelayParts parts;
  Accounts accounts{parts.redis, parts.master, parts.clock, parts.random, parts.log};
};

TEST_F(AccountsTest, TheRightPasswordOpensTheAccount) {
  ASSERT_TRUE(add("crm",
                  {"@Example.COM",
                   "Bob@B\xc3\xbc"
                   "cher.example"},
                  true));
  for (int i = 0; i < 2; ++i) {  // the second time from the cache
    auto account = accounts.verify("crm", secret("correct-horse"));
    ASSERT_TRUE(account);
    EXPECT_EQ(account->name, "crm");
    EXPECT_EQ(account->send_as, (std::vector<std::string>{"@example.com", "bob@xn--bcher-kva.example"}));
    EXPECT_TRUE(account->admin);
    EXPECT_EQ(account->created, parts.clock.now());
  }
}

TEST_F(AccountsTest, WrongPasswordAndUnknownAccountLookTheSame) {
  ASSERT_TRUE(add("crm"));
  auto wrong = accounts.verify("crm", secret("wrong"));
  auto unknown = accounts.verify("nobody", secret("correct-horse"));
  auto no_name = accounts.verify("a b", secret("correct-horse"));
  EXPECT_EQ(kind(wrong), ErrorKind::Invalid);
  EXPECT_EQ(wrong.error().public_text, unknown.error().public_text);
  EXPECT_EQ(kind(unknown), ErrorKind::Invalid);
  EXPECT_EQ(kind(no_name), ErrorKind::Invalid);
}

/// What the calling thread has cost so far, whatever else the machine does.
std::chrono::nanoseconds own_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

TEST_F(AccountsTest, AnUnknownAccountCostsWhatAWrongPasswordDoes) {
  ASSERT_TRUE(add("crm"));
  // The least of a few: even a thread's own time grows when the processor is shared.
  const auto cost = [&](const std::string& name) {
    auto least = std::chrono::nanoseconds::max();
    for (int i = 0; i < 5; ++i) {
      const auto before = own_time();
      EXPECT_EQ(kind(accounts.verify(name, secret("wrong"))), ErrorKind::Invalid);
      least = std::min(least, own_time() - before);
    }
    return least;
  };
  const auto wrong = cost("crm");
  EXPECT_GT(cost("nobody"), wrong / 2);
  EXPECT_GT(cost("a b"), wrong / 2) << "no name of an account";
}

TEST_F(AccountsTest, AnUnknownAccountsVerifierIsStableAndLooksLikeAnother) {
  ASSERT_TRUE(add("crm"));
  const auto real = accounts.scram_verifier("crm").value();
  const auto made_up = accounts.scram_verifier("nobody").value();
  EXPECT_EQ(made_up.salt, accounts.scram_verifier("nobody").value().salt);
  EXPECT_NE(made_up.salt, accounts.scram_verifier("nobody2").value().salt);
  EXPECT_EQ(made_up.iterations, real.iterations);
  EXPECT_EQ(made_up.salt.size(), real.salt.size());
}

TEST_F(AccountsTest, ANewPasswordReplacesTheOldOneAtOnce) {
  ASSERT_TRUE(add("crm"));
  ASSERT_TRUE(accounts.verify("crm", secret("correct-horse")));
  ASSERT_TRUE(accounts.set_password("crm", secret("battery-staple")));
  EXPECT_EQ(kind(accounts.verify("crm", secret("correct-horse"))), ErrorKind::Invalid) << "not from the cache either";
  EXPECT_TRUE(accounts.verify("crm", secret("battery-staple")));
}

TEST_F(AccountsTest, ARemovedAccountIsGone) {
  ASSERT_TRUE(add("crm"));
  ASSERT_TRUE(add("erp"));
  ASSERT_TRUE(accounts.verify("crm", secret("correct-horse")));
  ASSERT_TRUE(accounts.remove("crm"));
  EXPECT_EQ(kind(accounts.verify("crm", secret("correct-horse"))), ErrorKind::Invalid);
  EXPECT_EQ(kind(accounts.find("crm")), ErrorKind::NotFound);
  EXPECT_EQ(accounts.remove("crm").error().kind, ErrorKind::NotFound);
  EXPECT_EQ(accounts.set_password("crm", secret("x")).error().kind, ErrorKind::NotFound);
  const auto left = accounts.list().value();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].name, "erp");
}

TEST_F(AccountsTest, ATakenNameIsRefusedAndKeepsItsPassword) {
  ASSERT_TRUE(add("crm"));
  EXPECT_EQ(accounts.add({"crm", {"@other.example"}, true, {}}, secret("mine")).error().kind, ErrorKind::Invalid);
  EXPECT_FALSE(accounts.verify("crm", secret("mine")));
  EXPECT_FALSE(accounts.find("crm").value().admin);
}

TEST_F(AccountsTest, WithoutRedisEverythingIsTemporary) {
  ASSERT_TRUE(add("crm"));
  parts.server.kill();
  EXPECT_EQ(kind(accounts.verify("crm", secret("correct-horse"))), ErrorKind::Temporary) << "although it was cached";
  EXPECT_EQ(kind(accounts.verify("nobody", secret("x"))), ErrorKind::Temporary);
  EXPECT_EQ(accounts.scram_verifier("crm").error().kind, ErrorKind::Temporary);
  parts.server.start();
  EXPECT_TRUE(accounts.verify("crm", secret("correct-horse")));
}

TEST_F(AccountsTest, NoPasswordStandsInRedis) {
  ASSERT_TRUE(add("crm"));
  auto dump = parts.redis_command({"HGETALL", "account:{0}:of:crm"});
  for (std::size_t i = 0; i < dump.size(); ++i) EXPECT_EQ(dump[i].text().find("correct-horse"), std::string::npos);
}

struct Entry {
  const char* name;
  std::string account;
  std::vector<std::string> send_as;
};
void PrintTo(const Entry& entry, std::ostream* out) { *out << entry.name; }
class BadAccounts : public AccountsTest, public testing::WithParamInterface<Entry> {};
TEST_P(BadAccounts, AreRefused) {
  EXPECT_EQ(add(GetParam().account, GetParam().send_as).error().kind, ErrorKind::Invalid);
  EXPECT_TRUE(accounts.list().value().empty());
}
INSTANTIATE_TEST_SUITE_P(
    All, BadAccounts,
    testing::Values(Entry{"NoName", "", {"@example.com"}}, Entry{"Blank", "a b", {"@example.com"}},
                    Entry{"Colon", "a:b", {"@example.com"}}, Entry{"LineEnd", "a\nb", {"@example.com"}},
                    Entry{"TooLong", std::string(129, 'a'), {"@example.com"}},
                    Entry{"NotUtf8", "\xff", {"@example.com"}}, Entry{"NoSendAs", "a", {}},
                    Entry{"NotAnAddress", "a", {"example.com"}}, Entry{"NotADomain", "a", {"@exa mple.com"}},
                    Entry{"Literal", "a", {"@[192.0.2.1]"}}, Entry{"OneOfTwo", "a", {"@example.com", "@"}}),
    [](const auto& info) { return info.param.name; });

TEST_F(AccountsTest, AnEmptyPasswordIsRefused) {
  EXPECT_EQ(accounts.add({"crm", {"@example.com"}, false, {}}, Secret()).error().kind, ErrorKind::Invalid);
  ASSERT_TRUE(add("crm"));
  EXPECT_EQ(accounts.set_password("crm", Secret()).error().kind, ErrorKind::Invalid);
}

/// What somebody who can write to Redis, but has no master key, does to an account.
struct AccountsAlteration {
  const char* name;
  std::vector<std::vector<std::string>> commands;
};
void PrintTo(const AccountsAlteration& alteration, std::ostream* out) { *out << alteration.name; }
class AlteredAccounts : public AccountsTest, public testing::WithParamInterface<AccountsAlteration> {};

TEST_P(AlteredAccounts, AreRefusedAndLogged) {
  ASSERT_TRUE(add("crm"));
  ASSERT_TRUE(accounts.add({"evil", {"@evil.example"}, true, {}}, secret("evil-password")));
  ASSERT_TRUE(accounts.verify("crm", secret("correct-horse")));
  for (const auto& command : GetParam().commands) parts.redis_command(command);
  EXPECT_EQ(kind(accounts.verify("crm", secret("correct-horse"))), ErrorKind::Permanent);
  EXPECT_EQ(kind(accounts.verify("crm", secret("evil-password"))), ErrorKind::Permanent);
  EXPECT_EQ(kind(accounts.find("crm")), ErrorKind::Permanent);
  EXPECT_EQ(accounts.scram_verifier("crm").error().kind, ErrorKind::Permanent);
  EXPECT_FALSE(accounts.set_password("crm", secret("new")));
  EXPECT_NE(accounts.list().error().public_text.find("crm"), std::string::npos) << "the operator learns which one";
  EXPECT_NE(parts.log_file.text().find(" error account.altered account=crm\n"), std::string::npos);
  EXPECT_TRUE(accounts.remove("crm"));
}

const std::string crm = "account:{0}:of:crm";
const std::string evil = "account:{0}:of:evil";

INSTANTIATE_TEST_SUITE_P(
    All, AlteredAccounts,
    testing::Values(AccountsAlteration{"MoreAddresses", {{"HSET", crm, "send_as", "@example.com\n@victim.example"}}},
                    AccountsAlteration{"OtherAddress", {{"HSET", crm, "send_as", "@victim.example"}}},
                    AccountsAlteration{"NoAddresses", {{"HDEL", crm, "send_as"}}},
                    AccountsAlteration{"Admin", {{"HSET", crm, "admin", "1"}}},
                    AccountsAlteration{"NoAdminField", {{"HDEL", crm, "admin"}}},
                    AccountsAlteration{"Older", {{"HSET", crm, "created", "1"}}},
                    AccountsAlteration{"RightsMovedBetweenFields",
                                       {{"HSET", crm, "send_as", ""}, {"HSET", crm, "admin", "@example.com"}}},
                    AccountsAlteration{"VerifierGarbage", {{"HSET", crm, "verifier", "garbage"}}},
                    AccountsAlteration{"WholeRecordOfAnother", {{"COPY", evil, crm, "REPLACE"}}}),
    [](const auto& info) { return info.param.name; });

TEST_F(AccountsTest, AnothersVerifierDoesNotOpenAnAccount) {
  ASSERT_TRUE(add("crm"));
  ASSERT_TRUE(accounts.add({"evil", {"@example.com"}, false, {}}, secret("evil-password")));
  auto verifier = parts.redis_command({"HGET", evil, "verifier"});
  parts.redis_command({"HSET", crm, "verifier", std::string(verifier.text())});
  EXPECT_EQ(kind(accounts.verify("crm", secret("evil-password"))), ErrorKind::Permanent);
}

}  // namespace
}  // namespace sealpost::test
