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

  std::size_t limit(const std::string& destination = "a.example") {
    return destinations.limits(now).of(destination).most;
  }
  bool doubtful(const std::string& destination = "a.example") {
    return destinations.limits(now).of(destination).doubtful;
  }
  void ended(const Attempt& attempt, int times = 1, const std::string& destination = "a.example",
             milliseconds took = milliseconds(50)) {
    for (int i = 0; i < times; ++i) destinations.ended(destination, now - took, attempt, now);
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
  EXPECT_EQ(small.limits(now).of("a.example").most, 2U);
  small.ended("a.example", now, delivered(), now);
  EXPECT_EQ(small.limits(now).of("a.example").most, 2U);
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
  now += minutes(1);
  EXPECT_FALSE(rests());
  EXPECT_EQ(limit(), 1U) << "one probe";
  ended(delivered());
  EXPECT_EQ(limit(), 2U);
}

TEST_F(DestinationsTest, ARestIsToldWhenItBeginsAndWhenItEndsEarly) {
  const auto tell = [this](const Attempt& attempt) { return destinations.ended("a.example", now, attempt, now); };
  EXPECT_FALSE(tell(delivered()));
  const auto begun = tell(refused());
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->length, minutes(1));
  EXPECT_EQ(begun->why, "connection refused");
  EXPECT_FALSE(tell(refused())) << "it rests already";
  const auto over = tell(delivered());
  ASSERT_TRUE(over);
  EXPECT_FALSE(over->length);
  EXPECT_FALSE(tell(delivered()));
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

TEST_F(DestinationsTest, DeferralsUnseenTakeLittleOfTheTime) {
  ended(refused());
  for (int i = 0; i < 98; ++i) EXPECT_TRUE(rests());
  EXPECT_EQ(limit(), 2U);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(rests());
  EXPECT_EQ(limit(), 0U);
  EXPECT_EQ(limit("b.example"), 5U);
  now += milliseconds(500);
  EXPECT_EQ(limit(), 5U);
}

TEST_F(DestinationsTest, AttemptsThatFailTogetherCountOnce) {
  ended(refused(), 20);
  now += minutes(1);
  EXPECT_FALSE(rests());
}

TEST_F(DestinationsTest, DoubtfulOnesHaveHalfOfTheWorkersAtMost) {
  EXPECT_EQ(destinations.limits(now).doubtful, 4U);
  EXPECT_EQ(Destinations({20, 1, {minutes(1)}}).limits(now).doubtful, 1U) << "even of one";
}

TEST_F(DestinationsTest, DoubtLastsUntilAnAnswer) {
  EXPECT_TRUE(doubtful()) << "nobody knows it";
  ended(refused());
  EXPECT_TRUE(doubtful()) << "refused before it ever answered";
  ended({Deferred{"450 4.7.1 greylisted", "4.7.1", 450}, {}});
  EXPECT_FALSE(doubtful());
  ended(refused());
  EXPECT_FALSE(doubtful()) << "a refusal takes no time";
}

TEST_F(DestinationsTest, WhoTakesLongIsDoubtfulWhileAnAttemptRuns) {
  ended(delivered());
  const auto first = now;
  destinations.begun("a.example", first);
  destinations.begun("a.example", first);
  now += seconds(9);
  EXPECT_FALSE(doubtful());
  now += seconds(1);
  EXPECT_TRUE(doubtful());
  destinations.ended("a.example", first, delivered(), now);
  EXPECT_TRUE(doubtful()) << "the other one runs still";
  destinations.ended("a.example", first, delivered(), now);
  EXPECT_FALSE(doubtful()) << "it took its time and answered";
}

TEST_F(DestinationsTest, WhoHungIsDoubtfulUntilItAnswers) {
  ended(delivered());
  ended(timed_out(), 1, "a.example", seconds(300));
  EXPECT_FALSE(rests()) << "it was reached";
  EXPECT_TRUE(doubtful());
  ended(delivered());
  EXPECT_FALSE(doubtful());
}

/// Attempts that hang count, also while their destination rests because another one was refused.
TEST_F(DestinationsTest, WhoRestsIsNotOutOfDoubt) {
  ended(delivered());
  destinations.begun("a.example", now);
  now += seconds(10);
  ended(refused());
  EXPECT_TRUE(rests());
  EXPECT_TRUE(doubtful());
  EXPECT_EQ(limit(), 5U) << "deferrals of what is not tried";
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
  destinations.begun("b.example", now);
  now += std::chrono::hours(1) + seconds(1);
  (void)destinations.limits(now);
  EXPECT_EQ(destinations.size(), 1U) << "what runs is attempted";
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

TEST_F(DestinationsTest, MemoryIsBoundedAndTheLatestStay) {
  ended(delivered());
  for (int i = 0; i < 12'000; ++i) {
    now += milliseconds(1);
    ended(refused(), 1, std::to_string(i));
  }
  EXPECT_EQ(destinations.size(), 10'000U);
  EXPECT_TRUE(destinations.resting("11999", now));
  EXPECT_FALSE(destinations.resting("0", now));
}

}  // namespace
}  // namespace sealpost
