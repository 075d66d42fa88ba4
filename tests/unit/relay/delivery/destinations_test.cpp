// SPDX-License-Identifier: Apache-2.0
// How a destination's limit grows and shrinks, when it rests, and what slow ones leave to the others.
#include "relay/delivery/destinations.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class DestinationsTest : public ::testing::Test {
 protected:
  static Attempt delivered() { return {Delivered{"250 ok"}, {}}; }
  static Attempt refused() { return {Deferred{"connection refused", "4.4.1"}, {}, false}; }
  static Attempt timed_out() { return {Deferred{"timed out", "4.4.2"}, {}}; }

  std::size_t limit(const std::string& destination = "a.example", std::size_t flying = 1) {
    return destinations.limits({{destination, flying}}, now).of(destination);
  }
  void ended(const Attempt& attempt, int times = 1, const std::string& destination = "a.example",
             milliseconds took = milliseconds(50)) {
    for (int i = 0; i < times; ++i) destinations.ended(destination, attempt, took, now);
  }
  bool rests() { return destinations.resting("a.example", now).has_value(); }

  Destinations::TimePoint now = std::chrono::steady_clock::now();
  Destinations destinations{{20, 8, {minutes(1), minutes(5), std::chrono::hours(4)}}};
};

TEST_F(DestinationsTest, BeginsSmallAndGrowsWithSuccessUpToTheLimit) {
  EXPECT_EQ(limit(), 5U);
  ended(delivered(), 4);
  EXPECT_EQ(limit(), 9U);
  ended(delivered(), 40);
  EXPECT_EQ(limit(), 20U);
}

TEST_F(DestinationsTest, ASmallLimitIsTheBeginning) {
  Destinations small({2, 8, {minutes(1)}});
  EXPECT_EQ(small.limits({}, now).of("a.example"), 2U);
  small.ended("a.example", delivered(), milliseconds(1), now);
  EXPECT_EQ(small.limits({{"a.example", 1}}, now).of("a.example"), 2U);
}

TEST_F(DestinationsTest, ARefusalOfARecipientIsNoFailureOfTheDestination) {
  ended({Failed{550, "5.1.1", "550 no"}, {}});
  EXPECT_EQ(limit(), 6U);
  ended({Deferred{"450 4.7.1 greylisted", "4.7.1", 450}, {}});
  EXPECT_EQ(limit(), 7U);
}

TEST_F(DestinationsTest, WhoCannotBeReachedRestsAndThenOneGoesAhead) {
  ended(delivered(), 40);
  ended(refused());
  EXPECT_EQ(destinations.resting("a.example", now)->why, "connection refused");
  EXPECT_EQ(limit(), 1U);
  now += minutes(1);
  EXPECT_FALSE(rests());
  EXPECT_EQ(limit("a.example", 0), 1U) << "one probe";
  EXPECT_EQ(limit("a.example", 1), 1U) << "and the others wait for it";
  ended(delivered());
  EXPECT_EQ(limit(), 2U);
}

TEST_F(DestinationsTest, RestsGrowAsTheScheduleDoesButNeverBeyondAQuarterOfAnHour) {
  for (const auto rest : {minutes(1), minutes(5), minutes(15), minutes(15)}) {
    ended(refused());
    now += rest - milliseconds(1);
    EXPECT_TRUE(rests()) << rest.count();
    now += milliseconds(1);
    EXPECT_FALSE(rests()) << rest.count();
  }
  ended(delivered());
  ended(refused());
  now += minutes(1);
  EXPECT_FALSE(rests()) << "after a success it begins anew";
}

TEST_F(DestinationsTest, AttemptsThatFailTogetherCountOnce) {
  ended(refused(), 20);
  now += minutes(1);
  EXPECT_FALSE(rests());
}

TEST_F(DestinationsTest, SlowOnesHaveHalfOfTheWorkersAtMost) {
  for (int i = 0; i < 10; ++i) ended(timed_out(), 1, "slow" + std::to_string(i), seconds(300));
  EXPECT_FALSE(destinations.resting("slow0", now)) << "it was reached";
  const auto limits = destinations.limits({{"slow0", 1}}, now);
  std::size_t more = 0;
  for (int i = 0; i < 10; ++i) more += limits.of("slow" + std::to_string(i));
  EXPECT_EQ(more, 4U) << "of eight workers, the one in flight included";
  EXPECT_EQ(limits.of("quick"), 5U);
}

TEST_F(DestinationsTest, SlowOnesTakeTurnsWhetherAnythingWaitsForThemOrNot) {
  std::map<std::string, std::size_t> shares;
  for (int i = 0; i < 10; ++i) ended(timed_out(), 1, "slow" + std::to_string(i), seconds(300));
  for (int round = 0; round < 5; ++round) {
    const auto limits = destinations.limits({}, now);
    for (int i = 0; i < 10; ++i) {
      const std::string name = "slow" + std::to_string(i);
      shares[name] += limits.of(name);
    }
  }
  for (const auto& [name, share] : shares) EXPECT_GT(share, 0U) << name;
}

TEST_F(DestinationsTest, WhoHangsWithASingleAttemptRestsToo) {
  for (int i = 0; i < 2; ++i) ended(timed_out(), 1, "a.example", seconds(300));
  EXPECT_FALSE(rests()) << "from five to two, and to one";
  ended(timed_out(), 1, "a.example", seconds(300));
  EXPECT_TRUE(rests());
}

TEST_F(DestinationsTest, WhatFailsDuringARestIsNewsAndNoLongerRest) {
  ended(refused());
  now += seconds(30);
  EXPECT_EQ(destinations.resting("a.example", now)->since, seconds(30));
  ended(refused());
  EXPECT_EQ(destinations.resting("a.example", now)->since, seconds(0));
  now += seconds(30);
  EXPECT_FALSE(rests());
}

TEST_F(DestinationsTest, WhatNobodyAttemptsIsForgotten) {
  ended(refused());
  now += std::chrono::hours(1) + seconds(1);
  EXPECT_TRUE(destinations.limits({}, now).special.empty());
}

TEST_F(DestinationsTest, WhoAnsweredIsSlowNoMore) {
  ended(timed_out(), 1, "a.example", seconds(300));
  EXPECT_EQ(limit(), 2U);
  ended(delivered(), 1, "a.example", seconds(60));
  EXPECT_EQ(limit(), 3U);
}

TEST_F(DestinationsTest, OtherNodesPermitsAreLookedForAgainAfterASecond) {
  destinations.others_have_the_rest("a.example", 1, now);
  EXPECT_EQ(limit(), 1U);
  now += seconds(1);
  EXPECT_EQ(limit(), 5U);
}

TEST_F(DestinationsTest, AStopTeachesNothing) {
  ended({Abandoned{"the relay is stopping"}, {}});
  EXPECT_EQ(limit(), 5U);
}

TEST_F(DestinationsTest, MemoryIsBounded) {
  for (int i = 0; i < 20'000; ++i) ended(refused(), 1, std::to_string(i));
  EXPECT_TRUE(destinations.limits({}, now).special.empty()) << "what rests needs no limit";
  now += minutes(1);
  EXPECT_LE(destinations.limits({}, now).special.size(), 10'000U);
}

}  // namespace
}  // namespace sealpost
