// SPDX-License-Identifier: Apache-2.0
// Ids: ULID form, order in time, shard in the last four bits, strict reading.
#include "base/message_id.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/fakes.h"

namespace sealpost {
namespace {

/// Gives the same octet for ever.
class ConstantRandom final : public Random {
 public:
  explicit ConstantRandom(unsigned char value) : value_(value) {}
  void fill(std::span<unsigned char> out) override { std::fill(out.begin(), out.end(), value_); }

 private:
  unsigned char value_;
};

TEST(MessageId, IsAUlid) {
  // The time of the ULID specification's own example, 01ARYZ6S41: 1469918176385 ms.
  const test::ManualClock clock(1'469'918'176'385);
  ConstantRandom zeros(0);
  EXPECT_EQ(MessageId::generate_in(0, clock, zeros).text(), "01ARYZ6S410000000000000000");
  ConstantRandom ones(0xff);
  EXPECT_EQ(MessageId::generate_in(15, clock, ones).text(), "01ARYZ6S41ZZZZZZZZZZZZZZZZ");
}

TEST(MessageId, CarriesItsShard) {
  const test::ManualClock clock;
  test::SeededRandom random;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    const MessageId id = MessageId::generate_in(shard, clock, random);
    EXPECT_EQ(id.shard(), shard);
    const auto parsed = MessageId::parse(id.text());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, id);
    EXPECT_EQ(parsed->shard(), shard);
  }
}

TEST(MessageId, SpreadsOverAllShardsAndNeverRepeats) {
  const test::ManualClock clock;
  test::SeededRandom random;
  std::set<unsigned> shards;
  std::set<std::string> ids;
  for (int i = 0; i < 2000; ++i) {
    const MessageId id = MessageId::generate(clock, random);
    shards.insert(id.shard());
    ids.insert(id.text());
  }
  EXPECT_EQ(shards.size(), shard_count);
  EXPECT_EQ(ids.size(), 2000U);
}

TEST(MessageId, SortsByTime) {
  test::ManualClock clock;
  test::SeededRandom random;
  std::string last;
  for (int i = 0; i < 100; ++i) {
    const std::string id = MessageId::generate(clock, random).text();
    EXPECT_LT(last, id);
    last = id;
    clock.advance(std::chrono::milliseconds(1));
  }
}

class BadMessageId : public ::testing::TestWithParam<std::string> {};
TEST_P(BadMessageId, IsRefused) {
  const auto parsed = MessageId::parse(GetParam());
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().kind, ErrorKind::Invalid);
}
INSTANTIATE_TEST_SUITE_P(Forms, BadMessageId,
                         ::testing::Values("", "01ARYZ6S41000000000000000", "01ARYZ6S4100000000000000000",
                                           "81ARYZ6S410000000000000000", "01aryz6s410000000000000000",
                                           "01ARYZ6S41000000000000000I", "01ARYZ6S41000000000000000L",
                                           "01ARYZ6S41000000000000000O", "01ARYZ6S41000000000000000U",
                                           "01ARYZ6S41000000000000000*", "01ARYZ6S41 00000000000000 0",
                                           std::string("01ARYZ6S4100000000000000\0"
                                                       "0",
                                                       26)));

TEST(DeliveryId, RoundTrips) {
  for (const auto* text :
       {"01ARYZ6S410000000000000000-1", "01ARYZ6S410000000000000000-1000", "01ARYZ6S410000000000000000-4294967295"}) {
    const auto id = DeliveryId::parse(text);
    ASSERT_TRUE(id) << text;
    EXPECT_EQ(id->text(), text);
  }
}

class BadDeliveryId : public ::testing::TestWithParam<const char*> {};
TEST_P(BadDeliveryId, IsRefused) { EXPECT_FALSE(DeliveryId::parse(GetParam())); }
INSTANTIATE_TEST_SUITE_P(Forms, BadDeliveryId,
                         ::testing::Values("", "-", "-1", "01ARYZ6S410000000000000000", "01ARYZ6S410000000000000000-",
                                           "01ARYZ6S410000000000000000-0", "01ARYZ6S410000000000000000-01",
                                           "01ARYZ6S410000000000000000--1", "01ARYZ6S410000000000000000-+1",
                                           "01ARYZ6S410000000000000000-1 ", "01ARYZ6S410000000000000000-1x",
                                           "01ARYZ6S410000000000000000-4294967296", "01ARYZ6S410000000000000000-1-1",
                                           "x-1"));

}  // namespace
}  // namespace sealpost
