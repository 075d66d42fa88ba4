// SPDX-License-Identifier: Apache-2.0
// What throws in a thread of the deliverer (memory was short, say) ends neither the thread nor the relay.
#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <stdexcept>

#include "relay/delivery/deliverer.h"
#include "tests/unit/relay/delivery/deliverer_fixture.h"

namespace sealpost::test {
namespace {

Outcome unknown_user(const Claim& claim) {
  if (claim.delivery.notice) return Delivered{"250 ok"};
  return Failed{550, "5.1.1", "550 5.1.1 no such user"};
}

/// Has no memory as often as it is told.
class ShortOfMemory final : public Clock {
 public:
  explicit ShortOfMemory(const Clock& clock) : clock_(clock) {}
  [[nodiscard]] Time now() const override {
    if (failures_ > 0 && failures_-- > 0) throw std::bad_alloc();
    return clock_.now();
  }
  void fail(int times) { failures_ = times; }
  [[nodiscard]] bool over() const { return failures_ <= 0; }

 private:
  const Clock& clock_;
  mutable std::atomic<int> failures_{0};
};

/// Throws what it is told to, that often.
class BrokenRandom final : public Random {
 public:
  BrokenRandom(Random& random, int times, bool memory) : random_(random), left_(times), memory_(memory) {}
  void fill(std::span<unsigned char> out) override {
    if (left_ > 0 && left_-- > 0) {
      if (memory_) throw std::bad_alloc();
      throw std::runtime_error("no random numbers");
    }
    random_.fill(out);
  }

 private:
  Random& random_;
  std::atomic<int> left_;
  bool memory_;
};

class DelivererFaults : public DelivererTest {
 protected:
  void start_with(Random& bad_random) {
    hop.play(unknown_user);
    deliverer = std::make_unique<Deliverer>(
        *queue, permits, suppressions, hop, abandon, master, clock, bad_random, log, options,
        DelivererHooks{[](const std::string&, bool) {}, [](const DeliveryEvent&) { return Status(); }});
    deliverer->start();
  }
};

TEST_F(DelivererFaults, DispatcherAndHeartbeatGoOn) {
  ShortOfMemory short_clock(clock);
  MailQueue its_queue(redis, master, short_clock, random, log, std::chrono::seconds(60));
  const auto id = put(*queue, {"bob@example.net"});
  short_clock.fail(20);
  deliverer = std::make_unique<Deliverer>(
      its_queue, permits, suppressions, hop, abandon, master, clock, random, log, options,
      DelivererHooks{[](const std::string&, bool) {}, [](const DeliveryEvent&) { return Status(); }});
  deliverer->start();
  EXPECT_TRUE(eventually([&] { return short_clock.over(); }));
  EXPECT_TRUE(becomes(id, DeliveryState::Delivered, 1));
  deliverer.reset();
}

TEST_F(DelivererFaults, AnOutcomeIsRecordedOnceThereIsMemory) {
  BrokenRandom bad_random(random, 2, true);
  start_with(bad_random);
  const auto id = put(*queue, {"bob@example.net"});
  EXPECT_TRUE(becomes(id, DeliveryState::Bounced, 1));
  ASSERT_TRUE(hop.wait_for_attempts(2));
  EXPECT_EQ(notices().size(), 1U);
}

TEST_F(DelivererFaults, WhatCannotBeRecordedAtAllIsHeld) {
  BrokenRandom bad_random(random, 1'000'000, false);
  start_with(bad_random);
  const auto id = put(*queue, {"bob@example.net"});
  EXPECT_TRUE(eventually([&] { return show(id).state == DeliveryState::Held; }));
  EXPECT_NE(show(id).last_response.find("the outcome cannot be recorded: internal error"), std::string::npos);
  EXPECT_TRUE(notices().empty());
}

TEST_F(DelivererFaults, WhatHasArrivedIsNotHeldForAConfirmationThatCannotBeMade) {
  BrokenRandom bad_random(random, 1'000'000, false);
  start_with(bad_random);
  hop.play([](const Claim&) { return Delivered{"250 ok"}; });
  Addressee to = addressee("bob@example.net");
  to.dsn.success = true;
  const Envelope from = envelope(queue->new_id());
  ASSERT_TRUE(queue->put(seal(1), from, std::vector<Addressee>{to}));
  EXPECT_TRUE(becomes(from.id, DeliveryState::Delivered, 1));
  EXPECT_TRUE(notices().empty());
}

}  // namespace
}  // namespace sealpost::test
