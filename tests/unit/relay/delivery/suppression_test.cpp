// SPDX-License-Identifier: Apache-2.0
// What outcomes of deliveries do to the bounces of an address: failures that are its own count once, success ends the
// run, and nothing else touches it.
#include <gtest/gtest.h>

#include <atomic>

#include "relay/delivery/deliverer.h"
#include "tests/unit/relay/delivery/deliverer_fixture.h"

namespace sealpost::test {
namespace {

class AddressBounces : public DelivererTest {
 protected:
  std::uint32_t bounces() {
    const auto run = suppressions.look(std::vector<EmailAddress>{address("bob@example.net")}).value().front();
    return run ? run->bounces : 0;
  }
  MessageId put_flagged(bool bounced_before) {
    Addressee to = addressee("Bob@example.net");
    to.bounced_before = bounced_before;
    const Envelope from = envelope(queue->new_id());
    EXPECT_TRUE(queue->put(seal(1), from, std::vector<Addressee>{to}));
    return from.id;
  }
  static PlayedHop::Play fails(const Failed& failed) {
    return [failed](const Claim& claim) -> Outcome {
      if (claim.delivery.notice) return Delivered{"250 ok"};
      return failed;
    };
  }
  const Failed unknown{550, "5.1.1", "550 5.1.1 no such user", Refused::Recipient};
};

TEST_F(AddressBounces, CountUntilMailIsRefused) {
  hop.play(fails(unknown));
  start();
  for (std::uint32_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(becomes(put_flagged(i > 1), DeliveryState::Bounced, 1));
    EXPECT_EQ(bounces(), i);
  }
  const auto page = suppressions.list(10, {}).value();
  ASSERT_EQ(page.suppressions.size(), 1U);
  EXPECT_EQ(page.suppressions[0].address, "bob@example.net");
  EXPECT_EQ(page.suppressions[0].response, "550 5.1.1 no such user");
}

TEST_F(AddressBounces, OtherFailuresDoNotCount) {
  start();
  for (const auto& failed : {Failed{550, "5.7.1", "550 5.7.1 spam", Refused::Recipient},
                             Failed{552, "5.2.2", "552 5.2.2 full", Refused::Recipient},
                             Failed{550, "5.1.8", "550 5.1.8 who are you", Refused::Sender}}) {
    hop.play(fails(failed));
    ASSERT_TRUE(becomes(put_flagged(false), DeliveryState::Bounced, 1));
  }
  EXPECT_EQ(bounces(), 0U);
}

TEST_F(AddressBounces, ExpiryDoesNotCount) {
  options.retry = {options.max_age};
  hop.play([](const Claim& claim) -> Outcome {
    if (claim.delivery.notice) return Delivered{"250 ok"};
    return Deferred{"450 4.1.1 not now", "4.1.1", 450};
  });
  start();
  const auto id = put_flagged(false);
  ASSERT_TRUE(becomes(id, DeliveryState::Deferred, 1));
  clock.advance(options.max_age);
  ASSERT_TRUE(becomes(id, DeliveryState::Bounced, 2));
  EXPECT_EQ(bounces(), 0U);
}

TEST_F(AddressBounces, OfTheRelaysOwnMailDoNotCount) {
  hop.play([this](const Claim&) -> Outcome { return unknown; });
  start();
  const std::string text = "Subject: x\r\n\r\nx\r\n";
  for (const auto kind : {Notice::Kind::Notification, Notice::Kind::Bounce, Notice::Kind::KeyEvent}) {
    const Envelope from = envelope(queue->new_id(), "");
    ASSERT_TRUE(queue->put(Notice(kind, WipedBuffer(text.begin(), text.end())), from, addressee("bob@example.net")));
    ASSERT_TRUE(becomes(from.id, DeliveryState::Bounced, 1));
  }
  EXPECT_EQ(bounces(), 0U);
}

TEST_F(AddressBounces, EndWithASuccess) {
  hop.play(fails(unknown));
  start();
  ASSERT_TRUE(becomes(put_flagged(false), DeliveryState::Bounced, 1));
  ASSERT_TRUE(becomes(put_flagged(true), DeliveryState::Bounced, 1));
  EXPECT_EQ(bounces(), 2U);
  hop.play([](const Claim&) { return Delivered{"250 ok"}; });
  ASSERT_TRUE(becomes(put_flagged(true), DeliveryState::Delivered, 1));
  EXPECT_EQ(bounces(), 0U);
}

TEST_F(AddressBounces, ADeliveryThatWasNotFlaggedAsksNothing) {
  ASSERT_TRUE(suppressions.count(address("bob@example.net"), DeliveryId(MessageId::generate(clock, random), 1), "550"));
  start();
  ASSERT_TRUE(becomes(put_flagged(false), DeliveryState::Delivered, 1));
  EXPECT_EQ(bounces(), 1U) << "no round trip for every message";
}

TEST_F(AddressBounces, CountOnceThoughACrashRepeatsTheFailure) {
  const auto other = process(std::chrono::seconds(0));
  std::atomic<bool> crashed = false;
  hop.play([&](const Claim& claim) -> Outcome {
    if (claim.delivery.notice) return Delivered{"250 ok"};
    // The lease is lost between the attempt and its record, as after a crash that came just then.
    if (!crashed.exchange(true)) {
      EXPECT_EQ(other->reap().value(), 1U);
    }
    return unknown;
  });
  start();
  ASSERT_TRUE(becomes(put_flagged(false), DeliveryState::Bounced, 1));
  ASSERT_TRUE(hop.wait_for_attempts(2));
  EXPECT_EQ(bounces(), 1U);
}

TEST_F(AddressBounces, ARowThatIsDamagedHoldsNoDelivery) {
  hop.play(fails(unknown));
  start();
  ASSERT_TRUE(becomes(put_flagged(false), DeliveryState::Bounced, 1));
  const std::string slot = keys("suppression:*:rows").at(0);
  ASSERT_TRUE(redis.command({"SET", slot, "no set"}));
  ASSERT_TRUE(becomes(put_flagged(true), DeliveryState::Bounced, 1));
  hop.play([](const Claim&) { return Delivered{"250 ok"}; });
  ASSERT_TRUE(becomes(put_flagged(true), DeliveryState::Delivered, 1));
}

TEST_F(AddressBounces, WorkInAFullRedis) {
  hop.play(fails(unknown));
  const auto id = put_flagged(false);
  ASSERT_TRUE(redis.command({"CONFIG", "SET", "maxmemory", "1000"}));
  start();
  ASSERT_TRUE(eventually([&] {
    // Above half of maxmemory the record of a finished delivery may be gone at once.
    const auto record = view.show(DeliveryId(id, 1));
    return record ? record->state == DeliveryState::Bounced : record.error().kind == ErrorKind::NotFound;
  }));
  EXPECT_EQ(bounces(), 1U);
}

}  // namespace
}  // namespace sealpost::test
