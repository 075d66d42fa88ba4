// SPDX-License-Identifier: Apache-2.0
// Records that somebody altered in Redis, or that another version wrote: each is set aside, and holds nobody else up.
#include <gtest/gtest.h>

#include "queue/keys.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost {
namespace {

struct Damage {
  const char* name;
  const char* record;  ///< delivery or message
  std::size_t field;   ///< 0: the whole record
  const char* value;   ///< nothing: the record is removed
};
void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

class DamagedRecord : public test::QueueTest, public ::testing::WithParamInterface<Damage> {
 protected:
  std::unique_ptr<MailQueue> queue = process();

  void damage(const MessageId& id) {
    const Damage& how = GetParam();
    const bool delivery = std::string(how.record) == "delivery";
    const std::string key = delivery ? queue_keys::delivery(DeliveryId(id, 1)) : queue_keys::message(id);
    if (how.value == nullptr) {
      ASSERT_TRUE(redis.command({"DEL", key}));
    } else if (how.field == 0) {
      ASSERT_TRUE(redis.command({"SET", key, how.value}));
    } else {
      alter(key, how.field, how.value);
    }
  }
};

TEST_P(DamagedRecord, IsSetAsideAndHoldsNobodyUp) {
  const MessageId bad = put(*queue, {"a@d.example"});
  damage(bad);
  std::set<std::string> good;
  for (int i = 0; i < 3; ++i) good.insert(put(*queue, {"b@d.example"}).text());
  std::set<std::string> claimed;
  while (claimed.size() < good.size()) {
    const auto claims = claim_all(*queue, 1);
    ASSERT_EQ(claims.size(), 1U) << "a place at the destination was lost";
    claimed.insert(claims[0].delivery.id.message().text());
    ASSERT_TRUE(queue->delivered(claims[0], "250 ok"));
  }
  EXPECT_EQ(claimed, good);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(queue->heartbeat());
  EXPECT_TRUE(claim_all(*queue).empty()) << "it comes again and again";
  EXPECT_EQ(keys("queue:*:leases:*").size(), 0U);
}

TEST_P(DamagedRecord, IsShownAndCanBeDropped) {
  const MessageId bad = put(*queue, {"a@d.example"});
  damage(bad);
  EXPECT_TRUE(claim_all(*queue).empty());
  ASSERT_TRUE(view.summary());
  const bool shown = GetParam().value != nullptr;  // of one that is not there at all, nothing can be shown
  DeliveryFilter held;
  held.state = DeliveryState::Held;
  const auto page = view.list(held, 10, "").value();
  ASSERT_EQ(page.deliveries.size(), shown ? 1U : 0U);
  if (!shown) return;
  EXPECT_NE(page.deliveries[0].last_response.find("cannot be read"), std::string::npos);
  EXPECT_EQ(view.act(QueueAction::Retry, {DeliveryId(bad, 1)}, false).value().changed, 0U);
  EXPECT_EQ(view.act(QueueAction::Drop, {DeliveryId(bad, 1)}, false).value().changed, 1U);
  EXPECT_TRUE(view.list(held, 10, "").value().deliveries.empty());
}

/// A record that is dropped unread was the last that needed its message, or one of two.
TEST_P(DamagedRecord, DroppedLeavesNoContent) {
  const bool of_delivery = std::string(GetParam().record) == "delivery" && GetParam().field == 0;
  if (!of_delivery) GTEST_SKIP() << "the message's record tells nothing, or the delivery's can be read";
  const MessageId bad = put(*queue, {"a@d.example", "b@e.example"});
  damage(bad);
  ASSERT_EQ(view.act(QueueAction::Drop, {DeliveryId(bad, 1)}, false).value().changed, 1U);
  EXPECT_FALSE(keys("queue:*:body:*").empty()) << "the other one's";
  const auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 1U);
  ASSERT_TRUE(queue->delivered(claims[0], "250 ok"));
  EXPECT_TRUE(keys("queue:*:body:*").empty());
  EXPECT_EQ(queue->trim_history(Duration(-1000)).value(), 1U);
  EXPECT_TRUE(keys("queue:*:message:*").empty());
  EXPECT_TRUE(keys("queue:*:delivery:*").empty());
  EXPECT_TRUE(keys("queue:*:account:*").empty());
}

class DamagedPair : public test::QueueTest, public ::testing::WithParamInterface<std::size_t> {};

/// Neither tells anything any more: the delivery goes all the same.
TEST_P(DamagedPair, CanBeDropped) {
  const auto queue = process();
  const MessageId bad = put(*queue, {"a@d.example"});
  ASSERT_TRUE(redis.command({"SET", queue_keys::delivery(DeliveryId(bad, 1)), "x"}));
  alter(queue_keys::message(bad), GetParam(), "many");
  EXPECT_EQ(view.act(QueueAction::Drop, {DeliveryId(bad, 1)}, false).value().changed, 1U);
  EXPECT_TRUE(keys("queue:*:delivery:*").empty());
}
/// When it was accepted; how many are open, have records, and its pieces.
INSTANTIATE_TEST_SUITE_P(Numbers, DamagedPair, ::testing::Values(6, 8, 9, 10));

INSTANTIATE_TEST_SUITE_P(
    All, DamagedRecord,
    ::testing::Values(Damage{"NoMessage", "message", 0, nullptr}, Damage{"GarbageMessage", "message", 0, "\xc1"},
                      Damage{"MessageOfAnotherVersion", "message", 1, "2"},
                      Damage{"MessageKindThatIsNone", "message", 7, "9"},
                      Damage{"InjectedSender", "message", 3, "a@b>\r\nRCPT TO:<x@y"},
                      Damage{"ForeignEnvid", "message", 4, "X\r\nDATA"},
                      Damage{"GarbageDelivery", "delivery", 0, "\xc1"}, Damage{"TextForARecord", "delivery", 0, "x"},
                      Damage{"DeliveryOfAnotherVersion", "delivery", 1, "2"},
                      Damage{"StateThatIsNone", "delivery", 2, "16"}, Damage{"TextForANumber", "delivery", 3, "many"},
                      Damage{"RecipientWithoutADomain", "delivery", 10, "bob"},
                      Damage{"InjectedRecipient", "delivery", 10, "a@b>\r\nRCPT TO:<x@y"},
                      Damage{"InjectedOrcpt", "delivery", 16, "rfc822;a\r\nDATA"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sealpost
