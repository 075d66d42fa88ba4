// SPDX-License-Identifier: Apache-2.0
// Codes of a pickup: attempts, locks and dates, on a real Redis under a clock that stands still.
#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "tests/unit/notify/pickup_fixture.h"

namespace sealpost {
namespace {

using test::PickupTest;

TEST_F(PickupTest, CodeIsForgivenItsSpelling) {
  const auto notice = notified("bob@example.net");
  std::string typed = ascii_lower(notice.code);
  std::replace(typed.begin(), typed.end(), '-', ' ');
  EXPECT_TRUE(open(notice.token, typed));
}

TEST_F(PickupTest, FiveWrongCodesLockTheLink) {
  const auto notice = notified("bob@example.net");
  for (const unsigned left : {4U, 3U, 2U, 1U, 0U}) EXPECT_EQ(attempts_left(notice, wrong_code(left)), left);
  EXPECT_EQ(fault_of(notice, wrong_code()), PickupFault::Locked);
  EXPECT_EQ(fault_of(notice, notice.code), PickupFault::Locked) << "the right code comes too late";
  EXPECT_EQ(pickup->look(notice.token).error().fault, PickupFault::Locked);
  restart();
  EXPECT_EQ(fault_of(notice, notice.code), PickupFault::Locked) << "after a restart too";
}

TEST_F(PickupTest, WhatCannotBeACodeCountsToo) {
  const auto notice = notified("bob@example.net");
  for (const std::string& typed : {std::string("-"), std::string("x"), std::string(5000, '-'), std::string(1, '\0')}) {
    EXPECT_EQ(fault_of(notice, typed), PickupFault::WrongCode);
  }
  EXPECT_EQ(attempts_left(notice, "again"), 0U);
}

TEST_F(PickupTest, EmptyCodeIsWrongButNoAttempt) {
  const auto notice = notified("bob@example.net");
  EXPECT_EQ(fault_of(notice, wrong_code()), PickupFault::WrongCode);
  for (const char* typed : {"", " ", "\t", "\r\n", "   \n ", ""}) EXPECT_EQ(attempts_left(notice, typed), 4U);
  EXPECT_EQ(store->find(notice.token)->attempts, 1U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(fault_of(notice, wrong_code()), PickupFault::WrongCode);
  EXPECT_EQ(fault_of(notice, ""), PickupFault::Locked);
}

TEST_F(PickupTest, RightCodeForgetsTheWrongOnesBefore) {
  const auto notice = notified("bob@example.net");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(fault_of(notice, wrong_code()), PickupFault::WrongCode);
  EXPECT_TRUE(open(notice.token, notice.code));
  EXPECT_EQ(attempts_left(notice, wrong_code()), 4U);
}

TEST_F(PickupTest, AttemptIsCountedBeforeTheCodeIsCompared) {
  // A crash between the two must not give a guess for nothing: the count stands whether the comparison happens or not.
  const auto notice = notified("bob@example.net");
  const auto link = store->find(notice.token);
  ASSERT_TRUE(link);
  std::set<unsigned> counts;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(store->try_code(*link, Secret::copy_of(wrong_code()), clock.now()));
    counts.insert(store->find(notice.token)->attempts);
  }
  EXPECT_EQ(counts, (std::set<unsigned>{1, 2, 3, 4, 5}));
  const auto locked = store->try_code(*link, Secret::copy_of(notice.code), clock.now());
  EXPECT_TRUE(locked->locked);
  EXPECT_FALSE(locked->correct) << "the code is not even looked at";
}

TEST_F(PickupTest, RightCodesDoNotLockTheLinkWhileRedisIsFull) {
  const auto notice = notified("bob@example.net");
  EXPECT_EQ(fault_of(notice, wrong_code()), PickupFault::WrongCode);
  ASSERT_TRUE(keys->redis.command({"CONFIG", "SET", "maxmemory", "1"}));
  clock.advance(std::chrono::seconds(31));  // nothing is waited for after the wrong code any more
  const Time first_use = clock.now();
  for (unsigned i = 0; i < max_code_attempts + 2; ++i) {
    EXPECT_EQ(fault_of(notice, notice.code), PickupFault::Failed) << "no room for a session";
    clock.advance(std::chrono::seconds(1));
  }
  EXPECT_EQ(store->find(notice.token)->attempts, 0U);
  EXPECT_EQ(store->find(notice.token)->first_used, first_use);
  EXPECT_EQ(attempts_left(notice, wrong_code()), 4U) << "wrong ones count all the same";
  ASSERT_TRUE(keys->redis.command({"CONFIG", "SET", "maxmemory", "0"}));
  EXPECT_TRUE(open(notice.token, notice.code));
}

TEST_F(PickupTest, ManyGuessersTogetherGetFiveGuesses) {
  const auto notice = notified("bob@example.net");
  constexpr std::size_t guessers = 16;
  std::atomic<int> compared{0};
  std::atomic<int> locked{0};
  std::atomic<int> others{0};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < guessers; ++i) {
    threads.emplace_back([&, i] {
      for (std::size_t n = 0; n < 10; ++n) {
        const auto opened = open(notice.token, wrong_code(i * 10 + n));
        if (opened) {
          ++others;
        } else if (opened.error().fault == PickupFault::WrongCode) {
          ++compared;
        } else {
          ++(opened.error().fault == PickupFault::Locked ? locked : others);
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(compared, 5);
  EXPECT_EQ(locked, static_cast<int>(guessers) * 10 - 5);
  EXPECT_EQ(others, 0);
}

TEST_F(PickupTest, CodeExpires) {
  const auto notice = notified("bob@example.net");
  clock.advance(day * 30 - std::chrono::milliseconds(1));
  EXPECT_TRUE(pickup->look(notice.token));
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(pickup->look(notice.token).error().fault, PickupFault::Expired);
  EXPECT_EQ(fault_of(notice, notice.code), PickupFault::Expired);
}

TEST_F(PickupTest, CodeWorksForADayAfterItsFirstUse) {
  const auto notice = notified("bob@example.net");
  ASSERT_TRUE(open(notice.token, notice.code));
  clock.advance(std::chrono::hours(23));
  EXPECT_TRUE(open(notice.token, notice.code)) << "and this use does not prolong it";
  clock.advance(std::chrono::hours(1) - std::chrono::milliseconds(1));
  EXPECT_TRUE(open(notice.token, notice.code));
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(fault_of(notice, notice.code), PickupFault::Expired);
}

TEST_F(PickupTest, SeveralCodesAreValidAtOnce) {
  const auto first = notified("bob@example.net");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(fault_of(first, wrong_code()), PickupFault::WrongCode);
  const auto second = resent("bob@example.net");
  ASSERT_FALSE(second.token.empty());
  EXPECT_NE(second.token, first.token);
  EXPECT_TRUE(open(second.token, second.code));
  EXPECT_EQ(fault_of(first, first.code), PickupFault::Locked) << "its own lock stays";

  const auto eve = notified("eve@example.net");
  const auto eves_second = resent("eve@example.net");
  EXPECT_TRUE(open(eve.token, eve.code)) << "an earlier code stays valid";
  EXPECT_TRUE(open(eves_second.token, eves_second.code));
}

}  // namespace
}  // namespace sealpost
