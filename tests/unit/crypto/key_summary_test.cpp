// SPDX-License-Identifier: Apache-2.0
// The directory's numbers follow what becomes of pairs, and pairs that an earlier version left are entered once.
#include "crypto/key_summary.h"

#include <gmock/gmock.h>

#include "crypto/certificate.h"
#include "crypto/directory_entry.h"
#include "tests/unit/crypto/key_fixture.h"

namespace sealpost {
namespace {

using test::address;
using test::day;

class KeySummaryTest : public test::KeyTest {
 protected:
  KeyRecord assigned(const std::string& mailbox) {
    return one_->directory.find_or_assign(address(mailbox), introduction).value().key;
  }
  /// A certificate of the recipient's own that ends after so long.
  void replace(const std::string& mailbox, Duration ends) {
    const OwnPair own{"certificate of " + mailbox + std::to_string(made_),
                      certificate_fingerprint(std::to_string(made_)), clock.now() + ends};
    ++made_;
    const auto replaced = one_->life.replace(mailbox, own);
    ASSERT_TRUE(replaced) << replaced.error().error.public_text;
  }
  KeySummary summary(std::size_t rows = 10) { return read_key_summary(one_->redis, clock.now(), rows).value(); }
  std::vector<std::string> soonest(std::size_t rows = 10) {
    std::vector<std::string> addresses;
    for (const auto& own : summary(rows).soonest) addresses.push_back(own.address);
    return addresses;
  }

  std::unique_ptr<test::Node> one_ = node();
  int made_ = 0;
};

TEST_F(KeySummaryTest, AnEmptyDirectoryHasNoNumbers) {
  const KeySummary empty = summary();
  EXPECT_EQ(empty.not_picked_up + empty.ended + empty.ending, 0U);
  EXPECT_FALSE(empty.oldest_not_picked_up);
  EXPECT_TRUE(empty.soonest.empty());
}

TEST_F(KeySummaryTest, CountsWhatNobodyPickedUp) {
  const Time first = clock.now();
  for (const char* mailbox : {"picked@example.com", "kept@example.com", "forgotten@example.com", "revoked@example.com",
                              "replaced@example.com", "waits@example.com"}) {
    assigned(mailbox);
    clock.advance(std::chrono::seconds(1));
  }
  EXPECT_EQ(summary().not_picked_up, 6U);
  EXPECT_EQ(summary().oldest_not_picked_up, first);
  ASSERT_TRUE(one_->life.mark_picked_up("picked@example.com", {}));
  EXPECT_EQ(summary().not_picked_up, 5U);
  EXPECT_EQ(summary().oldest_not_picked_up, first + std::chrono::seconds(1));
  ASSERT_TRUE(one_->life.keep("kept@example.com", {}));
  EXPECT_EQ(summary().not_picked_up, 5U) << "a wish to keep it is no pickup";
  ASSERT_TRUE(one_->life.forget("forgotten@example.com", {}));
  EXPECT_EQ(summary().not_picked_up, 4U);
  ASSERT_TRUE(one_->life.revoke("revoked@example.com", {}, RevocationReason::Superseded));
  EXPECT_EQ(summary().not_picked_up, 3U);
  replace("replaced@example.com", 90 * day);
  EXPECT_EQ(summary().not_picked_up, 2U);
  assigned("revoked@example.com");
  EXPECT_EQ(summary().not_picked_up, 3U) << "a new pair waits anew";
}

TEST_F(KeySummaryTest, CountsOwnCertificatesThatEnd) {
  for (const char* mailbox : {"late@example.com", "soon@example.com", "sooner@example.com"}) assigned(mailbox);
  replace("late@example.com", 31 * day);
  replace("soon@example.com", 30 * day);
  replace("sooner@example.com", 2 * day);
  EXPECT_EQ(summary().ending, 2U);
  EXPECT_EQ(summary().ended, 0U);
  EXPECT_THAT(soonest(), testing::ElementsAre("sooner@example.com", "soon@example.com"));
  EXPECT_THAT(soonest(1), testing::ElementsAre("sooner@example.com"));
  EXPECT_EQ(summary(1).ending, 2U) << "all count, whatever is shown";
  clock.advance(2 * day);
  EXPECT_EQ(summary().ended, 1U);
  EXPECT_EQ(summary().ending, 2U) << "late@ comes within sight";
  EXPECT_EQ(summary().soonest.front().ends, clock.now());
  replace("sooner@example.com", 365 * day);
  EXPECT_EQ(summary().ended, 0U) << "renewed";
  ASSERT_TRUE(one_->life.revoke("soon@example.com", {}, RevocationReason::Superseded));
  EXPECT_EQ(summary().ending, 1U) << "what is revoked ends no more";
}

TEST_F(KeySummaryTest, EarlierPairsAreEnteredOnce) {
  assigned("a@example.com");
  assigned("b@example.com");
  assigned("c@example.com");
  ASSERT_TRUE(one_->life.mark_picked_up("b@example.com", {}));
  replace("c@example.com", day);
  const auto remove_sets = [&] {
    for (unsigned shard = 0; shard < shard_count; ++shard) {
      const std::string prefix = "keys:{" + std::to_string(shard) + "}:";
      ASSERT_TRUE(one_->redis.command({"DEL", prefix + "not_picked_up", prefix + "own_ends"}));
    }
  };
  remove_sets();
  // An entry that cannot be read stops nobody, nor does an address without a current pair.
  ASSERT_TRUE(
      one_->redis.command({"HSET", directory_prefix("x@example.com") + "address:x@example.com", "current", "?"}));
  ASSERT_TRUE(
      one_->redis.command({"HSET", directory_prefix("y@example.com") + "address:y@example.com", "pair:1", "?"}));
  EXPECT_EQ(summary().not_picked_up, 0U);
  ASSERT_TRUE(index_earlier_pairs(one_->redis));
  EXPECT_EQ(summary().not_picked_up, 1U);
  EXPECT_THAT(soonest(), testing::ElementsAre("c@example.com"));
  remove_sets();
  ASSERT_TRUE(index_earlier_pairs(one_->redis));
  EXPECT_EQ(summary().not_picked_up, 0U) << "it was done before, and is not done at every start";
}

}  // namespace
}  // namespace sealpost
