// SPDX-License-Identifier: Apache-2.0
// What is found by the id of a message and by the sender that is none.
#include <gmock/gmock.h>

#include "queue/keys.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost {
namespace {

class QueueLookup : public test::QueueTest {
 protected:
  std::vector<std::uint32_t> numbers_of(const MessageId& id) {
    const auto found = view.deliveries_of(id);
    EXPECT_TRUE(found) << found.error().internal_detail;
    std::vector<std::uint32_t> numbers;
    for (const auto& record : *found) {
      EXPECT_EQ(record.id.message(), id);
      numbers.push_back(record.id.number());
    }
    return numbers;
  }
  std::unique_ptr<MailQueue> queue = process();
};

TEST_F(QueueLookup, AMessagesDeliveriesInOrder) {
  std::vector<std::string> eleven;
  for (int i = 1; i <= 11; ++i) eleven.push_back("r" + std::to_string(i) + "@one.example");
  put(*queue, {"before@one.example"});
  const MessageId id = put(*queue, eleven);
  put(*queue, {"after@one.example"});
  EXPECT_THAT(numbers_of(id), testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
  EXPECT_THAT(numbers_of(queue->new_id()), testing::IsEmpty());
}

TEST_F(QueueLookup, WhatIsForgottenLeavesAGap) {
  const MessageId id = put(*queue, {"a@one.example", "b@one.example", "c@one.example"});
  const DeliveryId second(id, 2);
  ASSERT_TRUE(redis.command({"DEL", queue_keys::delivery(second)}));
  ASSERT_TRUE(redis.command({"ZREM", queue_keys::state(id.shard(), DeliveryState::Queued), second.text()}));
  EXPECT_THAT(numbers_of(id), testing::ElementsAre(1, 3));
}

TEST_F(QueueLookup, AnEmptySenderIsTheNullSender) {
  put(*queue, {"a@one.example"});
  const MessageId id = queue->new_id();
  Envelope from_nobody = envelope(id);
  from_nobody.mail_from.reset();
  ASSERT_TRUE(queue->put(test::seal(1), from_nobody, addressees({"b@one.example"})));
  DeliveryFilter filter;
  EXPECT_EQ(view.list(filter, 10, "")->deliveries.size(), 2U);
  filter.sender = "";
  const auto page = view.list(filter, 10, "");
  ASSERT_EQ(page->deliveries.size(), 1U);
  EXPECT_EQ(page->deliveries[0].recipient, "b@one.example");
}

}  // namespace
}  // namespace sealpost
