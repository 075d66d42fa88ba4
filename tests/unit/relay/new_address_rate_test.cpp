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
  EXPECT_TRUE(rate.take("crm", 2).value());
  EXPECT_TRUE(rate.allows("crm").value());
  EXPECT_FALSE(rate.take("crm", 2).value()) << "all or nothing";
  EXPECT_TRUE(rate.take("crm", 1).value());
  EXPECT_FALSE(rate.allows("crm").value());
  EXPECT_FALSE(rate.take("crm", 1).value());
  EXPECT_TRUE(rate.take("erp", 3).value()) << "each account for itself";
}

TEST_F(NewAddressRateTest, AnotherNodeCountsTheSame) {
  NewAddressRate node(parts.redis, parts.clock, limit);
  EXPECT_TRUE(rate.take("crm", 3).value());
  EXPECT_FALSE(node.take("crm", 1).value());
}

TEST_F(NewAddressRateTest, ANewPeriodStartsAnew) {
  EXPECT_TRUE(rate.take("crm", 3).value());
  parts.clock.advance(std::chrono::hours(1));
  EXPECT_TRUE(rate.allows("crm").value());
  EXPECT_TRUE(rate.take("crm", 3).value());
}

TEST_F(NewAddressRateTest, CountersExpire) {
  ASSERT_TRUE(rate.take("crm", 1).value());
  auto keys = parts.redis_command({"KEYS", "account:{0}:new:*"});
  ASSERT_EQ(keys.size(), 1U);
  const auto left = parts.redis_command({"PTTL", std::string(keys[0].text())}).integer();
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 3'600'000);
}

TEST_F(NewAddressRateTest, WithoutRedisItIsTemporary) {
  parts.server.kill();
  EXPECT_EQ(rate.allows("crm").error().kind, ErrorKind::Temporary);
  EXPECT_EQ(rate.take("crm", 1).error().kind, ErrorKind::Temporary);
}

}  // namespace
}  // namespace sealpost::test
