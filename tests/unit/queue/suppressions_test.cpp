// SPDX-License-Identifier: Apache-2.0
// Bounces in a row: counted once each, refused for a time, forgotten by success, time and an operator; bounded, and in
// a full Redis too.
#include "queue/suppressions.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/eventually.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class SuppressionsTest : public QueueTest {
 protected:
  static constexpr hours week{24 * 7};

  DeliveryId delivery() { return {MessageId::generate(clock, random), 1}; }
  void bounce(const std::string& mailbox, int times = 1) {
    for (int i = 0; i < times; ++i) {
      ASSERT_TRUE(suppressions.count(address(mailbox), delivery(), "550 5.1.1 no such user"));
    }
  }
  std::optional<BounceRun> look(const std::string& mailbox) {
    return suppressions.look(std::vector<EmailAddress>{address(mailbox)}).value().front();
  }
  bool refused(const std::string& mailbox) {
    const auto run = look(mailbox);
    return run && run->until;
  }
  std::vector<std::string> listed(std::size_t limit = 100) {
    std::vector<std::string> names;
    std::string cursor;
    do {
      const auto page = suppressions.list(limit, cursor).value();
      EXPECT_LE(page.suppressions.size(), limit);
      for (const auto& run : page.suppressions) names.push_back(run.address);
      cursor = page.cursor;
    } while (!cursor.empty());
    return names;
  }

  Suppressions suppressions{redis, clock, {3, week}};
};

TEST_F(SuppressionsTest, AfterSoManyBouncesInARowMailIsRefusedForATime) {
  bounce("bob@example.net", 2);
  EXPECT_EQ(look("bob@example.net")->bounces, 2U);
  EXPECT_FALSE(refused("bob@example.net"));
  bounce("BOB@Example.NET");
  const auto run = look("Bob@example.net");
  ASSERT_TRUE(run && run->until) << "spellings of one address count together";
  EXPECT_EQ(run->bounces, 3U);
  EXPECT_EQ(run->last, clock.now());
  EXPECT_EQ(*run->until, clock.now() + week);
  EXPECT_EQ(run->response, "550 5.1.1 no such user");
  EXPECT_FALSE(look("carol@example.net"));
  clock.advance(week);
  EXPECT_FALSE(look("bob@example.net")) << "over";
  bounce("bob@example.net");
  EXPECT_EQ(look("bob@example.net")->bounces, 1U) << "and begun anew";
}

TEST_F(SuppressionsTest, ADeliveryCountsOnceHoweverOftenItIsRecorded) {
  const auto id = delivery();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(suppressions.count(address("bob@example.net"), id, "550"));
  }
  bounce("bob@example.net");
  ASSERT_TRUE(suppressions.count(address("bob@example.net"), id, "550")) << "after a crash, with another in between";
  EXPECT_EQ(look("bob@example.net")->bounces, 2U);
}

TEST_F(SuppressionsTest, WhatWasUnderWayMakesItLastNoLonger) {
  bounce("bob@example.net", 3);
  const auto until = *look("bob@example.net")->until;
  clock.advance(hours(1));
  bounce("bob@example.net");
  EXPECT_EQ(*look("bob@example.net")->until, until);
  EXPECT_EQ(look("bob@example.net")->bounces, 3U);
}

TEST_F(SuppressionsTest, ASuccessOrAnOperatorEndsTheRun) {
  bounce("bob@example.net", 2);
  EXPECT_TRUE(suppressions.clear(address("Bob@example.net")).value());
  bounce("bob@example.net", 2);
  EXPECT_FALSE(refused("bob@example.net"));
  bounce("bob@example.net");
  EXPECT_EQ(listed(), std::vector<std::string>{"bob@example.net"});
  EXPECT_TRUE(suppressions.clear(address("bob@example.net")).value());
  EXPECT_TRUE(listed().empty());
  EXPECT_FALSE(suppressions.clear(address("bob@example.net")).value()) << "there is none";
  EXPECT_TRUE(keys("suppression:*").empty());
}

TEST_F(SuppressionsTest, BouncesLongApartAreNotInARow) {
  bounce("bob@example.net", 2);
  clock.advance(week);
  bounce("bob@example.net");
  EXPECT_EQ(look("bob@example.net")->bounces, 1U);
}

TEST_F(SuppressionsTest, OffCountsNothingAndRefusesNothing) {
  bounce("bob@example.net", 3);
  Suppressions off(redis, clock, {0, week});
  ASSERT_TRUE(off.count(address("carol@example.net"), delivery(), "550"));
  EXPECT_EQ(keys("suppression:*:run:*").size(), 1U);
  EXPECT_FALSE(off.look(std::vector<EmailAddress>{address("bob@example.net")}).value().front());
}

TEST_F(SuppressionsTest, ManyAreLookedAtInTheirOrder) {
  std::vector<EmailAddress> all;
  for (int i = 0; i < 200; ++i) all.push_back(address("r" + std::to_string(i) + "@example.net"));
  for (int i = 0; i < 200; i += 3) bounce("r" + std::to_string(i) + "@example.net");
  const auto runs = suppressions.look(all).value();
  ASSERT_EQ(runs.size(), 200U);
  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_EQ(runs[i].has_value(), i % 3 == 0) << i;
    EXPECT_EQ(runs[i] ? runs[i]->address : all[i].directory_key(), all[i].directory_key());
  }
  EXPECT_TRUE(suppressions.look({}).value().empty());
}

TEST_F(SuppressionsTest, AreListedInPagesInTheOrderOfTheirAddresses) {
  std::vector<std::string> expected;
  for (int i = 0; i < 25; ++i) {
    expected.push_back("r" + std::to_string(i) + "@example.net");
    bounce(expected.back(), 3);
  }
  bounce("twice@example.net", 2);
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(listed(7), expected);
  EXPECT_EQ(listed(100), expected);
  EXPECT_EQ(suppressions.list(5, "no cursor!").error().kind, ErrorKind::Invalid);
  EXPECT_EQ(suppressions.find(address("R1@example.net")).value().suppressions.size(), 1U);
  EXPECT_TRUE(suppressions.find(address("twice@example.net")).value().suppressions.empty());
  clock.advance(week);
  EXPECT_TRUE(listed().empty());
}

TEST_F(SuppressionsTest, EveryKeyExpiresByItself) {
  Suppressions brief(redis, clock, {1, milliseconds(200)});
  ASSERT_TRUE(brief.count(address("bob@example.net"), delivery(), "550"));
  EXPECT_TRUE(eventually([this] { return keys("suppression:*").empty(); }));
}

TEST_F(SuppressionsTest, AShorterTimeOfOneRowEndsNoIndexOfTheOthers) {
  bounce("bob@example.net", 3);
  Suppressions brief(redis, clock, {1, milliseconds(1000)});
  for (int i = 0; i < 100; ++i) {  // some of them in the same slot
    ASSERT_TRUE(brief.count(address("r" + std::to_string(i) + "@example.net"), delivery(), "550"));
  }
  for (const auto& index : keys("suppression:*:suppressed")) {
    if (redis.command({"ZSCORE", index, "bob@example.net"}).value().is_nil()) continue;
    EXPECT_GT(redis.command({"PTTL", index}).value().integer(), 1000);
  }
}

TEST_F(SuppressionsTest, ASlotKeepsSoManyRowsAndForgetsThoseThatEndFirst) {
  constexpr std::size_t most = 2048;
  std::vector<std::string> of_one_slot;
  for (int i = 0; of_one_slot.size() < most + 10; ++i) {
    const std::string name = "r" + std::to_string(i) + "@example.net";
    if (redis::slot_of(name) % 16 == 5) of_one_slot.push_back(name);
  }
  for (const auto& name : of_one_slot) {
    bounce(name);
    clock.advance(milliseconds(1));
  }
  EXPECT_EQ(keys("suppression:{5}:run:*").size(), most);
  EXPECT_EQ(count("ZCARD", "suppression:{5}:rows"), most);
  EXPECT_FALSE(look(of_one_slot[9]));
  EXPECT_TRUE(look(of_one_slot[10]));
}

TEST_F(SuppressionsTest, RowsThatAreOverLeaveTheIndexes) {
  bounce("bob@example.net", 3);
  clock.advance(week);
  for (int i = 0; i < 200; ++i) bounce("r" + std::to_string(i) + "@example.net");  // every slot is written to
  for (const auto& index : keys("suppression:*:rows")) {
    EXPECT_TRUE(redis.command({"ZSCORE", index, "bob@example.net"}).value().is_nil());
  }
  EXPECT_TRUE(keys("suppression:*:suppressed").empty());
}

TEST_F(SuppressionsTest, WorkInAFullRedis) {
  bounce("bob@example.net", 2);
  redis.command({"CONFIG", "SET", "maxmemory", "1000"}).value();
  bounce("bob@example.net");
  EXPECT_TRUE(refused("bob@example.net"));
  EXPECT_TRUE(suppressions.clear(address("bob@example.net")).value());
}

TEST_F(SuppressionsTest, ARedisThatIsAwayIsSaid) {
  server.kill();
  EXPECT_EQ(suppressions.look(std::vector<EmailAddress>{address("b@example.net")}).error().kind, ErrorKind::Temporary);
  EXPECT_EQ(suppressions.count(address("b@example.net"), delivery(), "550").error().kind, ErrorKind::Temporary);
  EXPECT_EQ(suppressions.clear(address("b@example.net")).error().kind, ErrorKind::Temporary);
  EXPECT_EQ(suppressions.list(1, {}).error().kind, ErrorKind::Temporary);
  EXPECT_EQ(suppressions.find(address("b@example.net")).error().kind, ErrorKind::Temporary);
}

TEST_F(SuppressionsTest, ARowThatIsNotOursCountsAsNone) {
  bounce("bob@example.net", 3);
  const std::string row = keys("suppression:*:run:bob@example.net").at(0);
  for (const std::string damaged :
       {"", "x", "\x91\x01", "\x96\x02\x03\x04\x05\xa0\x90", "\x96\x01\xa1x\x04\x05\xa0\x90"}) {
    redis.command({"SET", row, damaged}).value();
    EXPECT_FALSE(look("bob@example.net"));
    EXPECT_TRUE(listed().empty());
    bounce("bob@example.net");
    EXPECT_EQ(look("bob@example.net")->bounces, 1U);
  }
}

TEST_F(SuppressionsTest, AResponseStaysOnOneLineAndShort) {
  ASSERT_TRUE(suppressions.count(address("b@example.net"), delivery(), "550 no\r\nX: \x1b[2J" + std::string(600, 'x')));
  const std::string response = look("b@example.net")->response;
  EXPECT_LE(response.size(), 120U);
  EXPECT_EQ(response.find_first_of("\r\n\x1b"), std::string::npos);
}

}  // namespace
}  // namespace sealpost::test
