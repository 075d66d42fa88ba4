// SPDX-License-Identifier: Apache-2.0
// notify.max_new_per_account on a real Redis, over all nodes.
#include "relay/new_address_rate.h"

#include "tests/unit/relay/relay_parts.h"

namespace sealpost::test {
namespace {

class NewAddressRateTest : public testing::Test {
 protected:
  RelayParts parts;
  const Rate limit{3, std::chrono::hours(1)};
  NewAddressRate rate{parts.redis, parts.clock, limit};
};

TEST_F(NewAddressRateTest, CountsUpToTheLimitAndNothingBeyond) {
  EXPECT_TRUE(rate.take("crm", {"a@x", "b@x"}).value());
  EXPECT_TRUE(rate.allows("crm", "c@x").value());
  EXPECT_FALSE(rate.take("crm", {"c@x", "d@x"}).value()) << "all or nothing";
  EXPECT_TRUE(rate.take("crm", {"c@x"}).value());
  EXPECT_FALSE(rate.allows("crm", "d@x").value());
  EXPECT_FALSE(rate.take("crm", {"d@x"}).value());
  EXPECT_TRUE(rate.take("erp", {"a@x", "b@x", "c@x"}).value()) << "each account for itself";
}

TEST_F(NewAddressRateTest, AnAddressCountsOnce) {
  EXPECT_TRUE(rate.take("crm", {"a@x", "b@x", "c@x"}).value());
  EXPECT_TRUE(rate.allows("crm", "a@x").value());
  EXPECT_TRUE(rate.take("crm", {"a@x", "c@x"}).value()) << "first mails at the same time are about one new address";
}

TEST_F(NewAddressRateTest, AnotherNodeCountsTheSame) {
  NewAddressRate node(parts.redis, parts.clock, limit);
  EXPECT_TRUE(rate.take("crm", {"a@x", "b@x", "c@x"}).value());
  EXPECT_FALSE(node.take("crm", {"d@x"}).value());
}

TEST_F(NewAddressRateTest, ANewPeriodStartsAnew) {
  EXPECT_TRUE(rate.take("crm", {"a@x", "b@x", "c@x"}).value());
  parts.clock.advance(std::chrono::hours(1));
  EXPECT_TRUE(rate.allows("crm", "d@x").value());
  EXPECT_TRUE(rate.take("crm", {"d@x", "e@x", "f@x"}).value());
}

TEST_F(NewAddressRateTest, CountersExpire) {
  ASSERT_TRUE(rate.take("crm", {"a@x"}).value());
  auto keys = parts.redis_command({"KEYS", "account:{0}:new:*"});
  ASSERT_EQ(keys.size(), 1U);
  const auto left = parts.redis_command({"PTTL", std::string(keys[0].text())}).integer();
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 3'600'000);
}

TEST_F(NewAddressRateTest, WithoutRedisItIsTemporary) {
  parts.server.kill();
  EXPECT_EQ(rate.allows("crm", "a@x").error().kind, ErrorKind::Temporary);
  EXPECT_EQ(rate.take("crm", {"a@x"}).error().kind, ErrorKind::Temporary);
}

}  // namespace
}  // namespace sealpost::test
