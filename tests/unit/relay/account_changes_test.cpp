// SPDX-License-Identifier: Apache-2.0
// What makes a login void: any change of the account that it was for.
#include <gtest/gtest.h>

#include "relay/accounts.h"
#include "tests/unit/relay/relay_parts.h"

namespace sealpost::test {
namespace {

class AccountChanges : public testing::Test {
 protected:
  AccountChanges() {
    add();
    logged_in = accounts.verify("crm", Secret::copy_of("correct-horse")).value();
  }
  void add() { ASSERT_TRUE(accounts.add({"crm", {"@example.com"}, false, {}}, Secret::copy_of("correct-horse"))); }
  std::string outcome() {
    const auto unchanged = accounts.unchanged(logged_in);
    if (unchanged) return "unchanged";
    return unchanged.error().kind == ErrorKind::Invalid ? "changed" : "unknown";
  }

  RelayParts parts;
  Accounts accounts{parts.redis, parts.master, parts.clock, parts.random, parts.log};
  Account logged_in;
};

TEST_F(AccountChanges, NoneLeavesTheLoginValid) {
  EXPECT_EQ(outcome(), "unchanged");
  logged_in = accounts.find("crm").value();
  EXPECT_EQ(outcome(), "unchanged") << "as after SCRAM";
}

TEST_F(AccountChanges, RemovalEndsIt) {
  ASSERT_TRUE(accounts.remove("crm"));
  EXPECT_EQ(outcome(), "changed");
}

TEST_F(AccountChanges, AnotherAccountOfThatNameDoesNotInheritIt) {
  ASSERT_TRUE(accounts.remove("crm"));
  add();
  EXPECT_EQ(outcome(), "changed") << "with the same password, rights and time, too";
}

TEST_F(AccountChanges, ANewPasswordEndsIt) {
  ASSERT_TRUE(accounts.set_password("crm", Secret::copy_of("correct-horse")));
  EXPECT_EQ(outcome(), "changed");
}

TEST_F(AccountChanges, AnAlteredRecordEndsIt) {
  parts.redis_command({"HSET", "account:{0}:of:crm", "send_as", "@example.org"});
  EXPECT_EQ(outcome(), "changed");
}

TEST_F(AccountChanges, WithoutRedisNothingIsKnown) {
  parts.server.kill();
  EXPECT_EQ(outcome(), "unknown");
}

}  // namespace
}  // namespace sealpost::test
