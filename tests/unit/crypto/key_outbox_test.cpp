// SPDX-License-Identifier: Apache-2.0
// Notifications that are owed: when they fall due, who gets them, what a crash changes, and how many an address gets a
// day.
#include "crypto/key_outbox.h"

#include <set>

#include "crypto/directory_entry.h"
#include "crypto/key_directory.h"
#include "tests/unit/crypto/key_fixture.h"

namespace sealpost {
namespace {

using test::address;

constexpr auto second = std::chrono::seconds(1);

class KeyOutboxTest : public test::KeyTest {
 protected:
  void SetUp() override {
    settings.policy = KeyPolicy::Interim;
    node_ = node();
  }
  KeyDirectory& directory() { return node_->directory; }
  void assign(std::string_view mailbox) {
    ASSERT_TRUE(directory().find_or_assign(address(mailbox), introduction)->assigned);
  }
  std::vector<OutboxRow> claim(std::size_t max = 100) { return directory().claim_outbox(max).value(); }
  /// Sends whatever is due now; how many that were.
  std::size_t serve() {
    const auto rows = claim();
    for (const auto& row : rows) EXPECT_TRUE(directory().settle_outbox(row));
    return rows.size();
  }

  std::unique_ptr<test::Node> node_;
  const EmailAddress bob_ = address("Bob@example.com");
};

TEST_F(KeyOutboxTest, RowIsDueAfterAMinuteWhenNobodyReleasesIt) {
  assign("Bob@example.com");
  clock.advance(59 * second);
  EXPECT_TRUE(claim().empty());
  clock.advance(second);
  const auto rows = claim();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].address, "Bob@example.com");
  EXPECT_EQ(rows[0].fingerprint, (*directory().find(bob_))->fingerprint);
  EXPECT_EQ(rows[0].introduction.account, "crm");
  EXPECT_EQ(rows[0].introduction.sender, "sender@example.com");
}

TEST_F(KeyOutboxTest, OwedAreAllThatWereNotSettled) {
  EXPECT_EQ(notifications_owed(node_->redis).value(), 0U);
  for (const char* mailbox : {"a@example.com", "b@example.com", "c@example.com"}) assign(mailbox);
  EXPECT_EQ(notifications_owed(node_->redis).value(), 3U);
  ASSERT_TRUE(directory().release_notification(address("a@example.com")));
  const auto rows = claim();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(notifications_owed(node_->redis).value(), 3U) << "being made";
  EXPECT_TRUE(directory().settle_outbox(rows[0]));
  EXPECT_EQ(notifications_owed(node_->redis).value(), 2U);
}

TEST_F(KeyOutboxTest, ReleasedRowIsDueAtOnceAndGivenToOneOnly) {
  assign("bob@example.com");
  ASSERT_TRUE(directory().release_notification(bob_));
  EXPECT_EQ(claim().size(), 1U);
  EXPECT_TRUE(claim().empty());
  ASSERT_TRUE(directory().release_notification(bob_)) << "of a row that is being served";
  EXPECT_TRUE(claim().empty());
}

TEST_F(KeyOutboxTest, ReleaseWithoutARowDoesNothing) {
  ASSERT_TRUE(directory().release_notification(bob_));
  EXPECT_TRUE(claim().empty());
}

TEST_F(KeyOutboxTest, ClaimOfACrashedNodeRunsOutWithTheSameRowId) {
  assign("bob@example.com");
  ASSERT_TRUE(directory().release_notification(bob_));
  const auto first = claim();
  clock.advance(59 * second);
  EXPECT_TRUE(claim().empty());
  clock.advance(second);
  const auto second_claim = node()->directory.claim_outbox(100).value();
  ASSERT_EQ(second_claim.size(), 1U);
  EXPECT_EQ(second_claim[0].row_id, first[0].row_id);
}

TEST_F(KeyOutboxTest, SettledRowIsGone) {
  assign("bob@example.com");
  ASSERT_TRUE(directory().release_notification(bob_));
  EXPECT_EQ(serve(), 1U);
  clock.advance(day);
  EXPECT_TRUE(claim().empty());
  EXPECT_TRUE(node_->redis.command({"KEYS", "keys:*outbox*"})->size() == 0) << "nothing is left behind";
}

TEST_F(KeyOutboxTest, RowsSurviveARestartOfRedis) {
  assign("bob@example.com");
  server.kill();
  server.start();
  clock.advance(std::chrono::minutes(1));
  auto rows = directory().claim_outbox(10);
  if (!rows) rows = directory().claim_outbox(10);  // the first call may find the dead connection
  EXPECT_EQ(rows->size(), 1U);
}

TEST_F(KeyOutboxTest, ClaimsAsManyAsAsked) {
  for (int i = 0; i < 30; ++i) assign("user" + std::to_string(i) + "@example.com");
  clock.advance(std::chrono::minutes(1));
  std::set<std::string> seen;
  for (const std::size_t max : {1U, 7U, 100U}) {
    const auto rows = claim(max);
    EXPECT_LE(rows.size(), max);
    for (const auto& row : rows) EXPECT_TRUE(seen.insert(row.row_id).second);
  }
  EXPECT_EQ(seen.size(), 30U);
}

TEST_F(KeyOutboxTest, SettlingAnOldRowKeepsTheNewerOne) {
  assign("bob@example.com");
  clock.advance(std::chrono::minutes(1));
  const auto old = claim();
  clock.advance(day * 91);
  assign("bob@example.com");
  ASSERT_TRUE(directory().settle_outbox(old.at(0)));
  ASSERT_TRUE(directory().release_notification(bob_));
  const auto rows = claim();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_NE(rows[0].row_id, old[0].row_id);
}

TEST_F(KeyOutboxTest, AlteredRowIsNotServed) {
  assign("bob@example.com");
  clock.advance(std::chrono::minutes(1));
  const std::string rows = directory_prefix("bob@example.com") + "outbox:rows";
  std::string row(node_->redis.command({"HGET", rows, "bob@example.com"})->text());
  row.replace(row.find("sender@"), 6, "forged");
  ASSERT_TRUE(node_->redis.command({"HSET", rows, "bob@example.com", row}));
  EXPECT_TRUE(claim().empty());
}

TEST_F(KeyOutboxTest, CancelledRowIsGoneAndCountsForNothing) {
  assign("Bob@example.com");
  ASSERT_TRUE(directory().cancel_notification(bob_));
  EXPECT_EQ(node_->redis.command({"KEYS", "keys:*outbox*"})->size(), 0U);
  EXPECT_EQ(node_->redis.command({"KEYS", "keys:*notices*"})->size(), 0U);
  clock.advance(std::chrono::minutes(1));
  EXPECT_EQ(serve(), 0U);
  EXPECT_TRUE(*directory().order_notification(bob_, introduction));
  EXPECT_EQ(serve(), 1U) << "for the message that was accepted";
}

TEST_F(KeyOutboxTest, CancelLeavesWhatAnotherMessageReleased) {
  assign("bob@example.com");
  ASSERT_TRUE(*directory().order_notification(bob_, introduction));
  ASSERT_TRUE(directory().cancel_notification(bob_));
  EXPECT_EQ(serve(), 1U);
  clock.advance(day);
  EXPECT_EQ(serve(), 0U);
}

TEST_F(KeyOutboxTest, CancelLeavesWhatANodeWithAFastClockReleased) {
  assign("bob@example.com");
  clock.advance(10 * second);
  ASSERT_TRUE(directory().release_notification(bob_));
  clock.advance(-5 * second);
  ASSERT_TRUE(directory().cancel_notification(bob_));
  clock.advance(5 * second);
  EXPECT_EQ(serve(), 1U);
}

TEST_F(KeyOutboxTest, CancelLeavesWhatIsDueOrClaimed) {
  assign("bob@example.com");
  clock.advance(std::chrono::minutes(1));
  ASSERT_TRUE(directory().cancel_notification(bob_));
  const auto rows = claim();
  ASSERT_EQ(rows.size(), 1U);
  ASSERT_TRUE(directory().cancel_notification(bob_));
  clock.advance(std::chrono::minutes(1));
  EXPECT_EQ(serve(), 1U) << "the claim of a crashed node runs out";
}

TEST_F(KeyOutboxTest, CancelWithoutARowDoesNothing) {
  ASSERT_TRUE(directory().cancel_notification(bob_));
  EXPECT_EQ(serve(), 0U);
}

TEST_F(KeyOutboxTest, OneFurtherNotificationADay) {
  EXPECT_FALSE(*directory().order_notification(bob_, introduction)) << "no pair, nothing to say";
  assign("bob@example.com");
  EXPECT_TRUE(*directory().order_notification(bob_, introduction)) << "the one that waits falls due";
  EXPECT_FALSE(*directory().order_notification(bob_, introduction)) << "it has already";
  ASSERT_EQ(serve(), 1U);
  EXPECT_TRUE(*directory().order_notification(bob_, introduction));
  EXPECT_EQ(serve(), 1U) << "due at once";
  EXPECT_FALSE(*directory().order_notification(bob_, {"other-account", "x@example.com"})) << "over all accounts";
  clock.advance(day - second);
  EXPECT_FALSE(*directory().order_notification(bob_, introduction));
  clock.advance(second);
  EXPECT_TRUE(*directory().order_notification(bob_, introduction));
}

TEST_F(KeyOutboxTest, AFourthNoticeOfTheDayWaits) {
  settings.interim_lifetime = std::chrono::hours(1);
  node_ = node();
  for (int i = 0; i < 3; ++i) {
    assign("bob@example.com");
    ASSERT_TRUE(directory().release_notification(bob_));
    EXPECT_EQ(serve(), 1U);
    clock.advance(std::chrono::hours(1));
  }
  assign("bob@example.com");
  EXPECT_FALSE(*directory().order_notification(bob_, introduction)) << "released, but for later";
  ASSERT_TRUE(directory().release_notification(bob_));
  EXPECT_EQ(serve(), 0U);
  clock.advance(std::chrono::hours(21) - second);
  EXPECT_EQ(serve(), 0U);
  clock.advance(second);
  EXPECT_EQ(serve(), 1U) << "a day after the first of the three";
}

}  // namespace
}  // namespace sealpost
