// SPDX-License-Identifier: Apache-2.0
// Permits of several nodes on one Redis: never more than there are, given back, and nobody's for ever.
#include "queue/permits.h"

#include "queue/keys.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost {
namespace {

using test::QueueTest;

class PermitsTest : public QueueTest {
 protected:
  std::size_t held(Permits& node, std::size_t wanted, const std::string& destination = "example.net") {
    return node.hold({{destination, wanted}}).value().at(destination);
  }
  /// As if the node had not renewed what it holds.
  void let_expire(const std::string& holder) {
    ASSERT_TRUE(redis.command({"HSET", queue_keys::permits("example.net"), holder, "3 1"}));
  }
  Permits a{redis, "a", 5};
  Permits b{redis, "b", 5};
};

TEST_F(PermitsTest, ADestinationHasSoManyOverAllNodes) {
  EXPECT_EQ(held(a, 3), 3U);
  EXPECT_EQ(held(b, 3), 2U);
  EXPECT_EQ(held(a, 5), 3U) << "no more are left";
  EXPECT_EQ(held(b, 5, "other.example"), 5U) << "each destination has its own";
}

TEST_F(PermitsTest, WhatIsNotUsedGoesBack) {
  EXPECT_EQ(held(a, 5), 5U);
  EXPECT_EQ(held(b, 1), 0U);
  ASSERT_TRUE(a.renew([] { return Permits::Counts{{"example.net", 2}}; }));
  EXPECT_EQ(held(b, 5), 3U);
  ASSERT_TRUE(a.renew([] { return Permits::Counts{}; }));
  EXPECT_EQ(held(b, 5), 5U);
  EXPECT_EQ(redis.command({"HLEN", queue_keys::permits("example.net")})->integer(), 1);
}

TEST_F(PermitsTest, OfANodeThatIsSilentForAMinuteTheyAreTheOthers) {
  EXPECT_EQ(held(a, 3), 3U);
  ASSERT_NO_FATAL_FAILURE(let_expire("a"));
  EXPECT_EQ(held(b, 5), 5U);
}

TEST_F(PermitsTest, ANodeHasItsOwnAgainAfterARestart) {
  EXPECT_EQ(held(a, 5), 5U);
  Permits again(redis, "a", 5);
  EXPECT_EQ(held(again, 4), 4U);
  EXPECT_EQ(held(b, 5), 1U);
}

TEST_F(PermitsTest, NothingStaysBehind) {
  EXPECT_EQ(held(a, 3), 3U);
  const auto seconds = redis.command({"TTL", queue_keys::permits("example.net")})->integer();
  EXPECT_GT(seconds, 30);
  EXPECT_LE(seconds, 60);
}

TEST_F(PermitsTest, WhoHasEnoughAsksNobody) {
  EXPECT_EQ(held(a, 3), 3U);
  server.kill();
  EXPECT_EQ(held(a, 3), 3U);
  EXPECT_FALSE(a.hold({{"example.net", 4}}));
}

TEST_F(PermitsTest, AnEntryThatNobodyCanReadIsNobodys) {
  ASSERT_TRUE(redis.command({"HSET", queue_keys::permits("example.net"), "c", "many"}));
  EXPECT_EQ(held(a, 5), 5U);
}

}  // namespace
}  // namespace sealpost
