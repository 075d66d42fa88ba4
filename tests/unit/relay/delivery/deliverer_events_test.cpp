// SPDX-License-Identifier: Apache-2.0
// What a deliverer tells of each attempt, before the outcome is recorded.
#include <gmock/gmock.h>

#include "tests/unit/relay/delivery/deliverer_fixture.h"

namespace sealpost {
namespace {

using test::DelivererTest;
using testing::Each;
using testing::ElementsAre;

const std::string remote = "mx.example.net [192.0.2.1:25] TLSv1.3 X: ";

TEST_F(DelivererTest, EachOutcomeIsToldWithItsResponse) {
  hop.play([](const Claim& claim) -> Outcome {
    if (claim.delivery.recipient == "later@d.example") return Deferred{"450 4.2.0 later", "4.2.0", 450};
    if (claim.delivery.recipient == "never@d.example") return Failed{550, "5.7.1", "550 5.7.1 no"};
    return Delivered{"250 2.0.0 ok"};
  });
  start();
  EXPECT_TRUE(becomes(put(*queue, {"bob@d.example"}), DeliveryState::Delivered, 1));
  EXPECT_TRUE(becomes(put(*queue, {"later@d.example"}), DeliveryState::Deferred, 1));
  EXPECT_TRUE(becomes(put(*queue, {"never@d.example"}), DeliveryState::Bounced, 1));
  EXPECT_THAT(told(), ElementsAre("delivered " + remote + "250 2.0.0 ok", "deferred " + remote + "450 4.2.0 later",
                                  "bounced " + remote + "550 5.7.1 no"));
}

TEST_F(DelivererTest, NoticesAreNotTold) {
  start();
  const std::string text = "Subject: x\r\n\r\nx\r\n";
  const Envelope from = envelope(queue->new_id(), "");
  ASSERT_TRUE(queue->put(Notice(Notice::Kind::WebhookEvent, WipedBuffer(text.begin(), text.end())), from,
                         addressee("bob@d.example")));
  ASSERT_TRUE(becomes(from.id, DeliveryState::Delivered, 1));
  EXPECT_TRUE(told().empty());
}

TEST_F(DelivererTest, AnEventThatCannotBePutNowIsTriedAgainBeforeTheOutcomeIsRecorded) {
  event_faults = {Error::temporary("away"), Error::temporary("away")};
  start();
  EXPECT_TRUE(becomes(put(*queue, {"bob@d.example"}), DeliveryState::Delivered, 1));
  EXPECT_EQ(told().size(), 3U);
  EXPECT_THAT(told(), Each("delivered " + remote + "250 2.0.0 ok"));
}

TEST_F(DelivererTest, AnEventThatCannotBePutAtAllHoldsNothingUp) {
  event_faults = {Error::internal("a fault")};
  start();
  EXPECT_TRUE(becomes(put(*queue, {"bob@d.example"}), DeliveryState::Delivered, 1));
  EXPECT_EQ(told().size(), 1U);
}

}  // namespace
}  // namespace sealpost
