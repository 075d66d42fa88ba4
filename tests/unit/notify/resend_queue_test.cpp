// SPDX-License-Identifier: Apache-2.0
// What strangers can make wait, and how often they fill the log.
#include "notify/resend_queue.h"

#include <gtest/gtest.h>

#include "notify/minute_tally.h"
#include "tests/support/fakes.h"

namespace sealpost {
namespace {

EmailAddress user(std::size_t number) {
  return EmailAddress::parse("user" + std::to_string(number) + "@example.net").value();
}
std::string network(std::size_t number) { return "2001:db8:" + std::to_string(number) + "::"; }

TEST(ResendQueue, GivesOutInTheOrderOfTheRequests) {
  ResendQueue queue;
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(queue.add(user(i), network(0)));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(queue.take(), user(i));
  EXPECT_TRUE(queue.empty());
}

TEST(ResendQueue, AddressWaitsOnce) {
  ResendQueue queue;
  for (std::size_t i = 0; i < 100; ++i) EXPECT_TRUE(queue.add(user(1), network(0))) << "which is no drop";
  EXPECT_TRUE(queue.add(EmailAddress::parse("USER1@Example.NET").value(), network(1)));
  EXPECT_EQ(queue.take(), user(1));
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.add(user(1), network(0)));
  EXPECT_FALSE(queue.empty()) << "it may ask again once it was served";
}

TEST(ResendQueue, OneNetworkTakesNoMoreThanItsShare) {
  ResendQueue queue;
  std::size_t number = 0;
  while (number < ResendQueue::max_waiting_per_network) EXPECT_TRUE(queue.add(user(number++), network(0)));
  EXPECT_FALSE(queue.add(user(number), network(0)));
  EXPECT_TRUE(queue.add(user(number), network(1))) << "others are not held back";
  queue.take();
  EXPECT_TRUE(queue.add(user(++number), network(0))) << "one was served";
  EXPECT_FALSE(queue.add(user(++number), network(0)));
}

TEST(ResendQueue, AllTogetherAreBounded) {
  ResendQueue queue;
  for (std::size_t i = 0; i < ResendQueue::max_waiting; ++i) ASSERT_TRUE(queue.add(user(i), network(i)));
  EXPECT_FALSE(queue.add(user(ResendQueue::max_waiting), network(ResendQueue::max_waiting)));
}

TEST(MinuteTally, TellsAtOnceThenOnceAMinuteHowManyThereWere) {
  test::ManualClock clock;
  MinuteTally tally;
  EXPECT_EQ(tally.count(clock.now()), 1U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(tally.count(clock.now()), std::nullopt);
  clock.advance(std::chrono::minutes(1) - std::chrono::milliseconds(1));
  EXPECT_EQ(tally.count(clock.now()), std::nullopt);
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(tally.count(clock.now()), 5U);
  clock.advance(-std::chrono::hours(1));
  EXPECT_EQ(tally.count(clock.now()), 1U) << "a clock that was set back";
}

}  // namespace
}  // namespace sealpost
