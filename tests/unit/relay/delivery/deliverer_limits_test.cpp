// SPDX-License-Identifier: Apache-2.0
// How many attempts run at once: delivery.workers in this process, delivery.destination_concurrency per destination.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <semaphore>

#include "tests/unit/relay/delivery/deliverer_fixture.h"

namespace sealpost {
namespace {

using test::DelivererTest;

class DelivererLimits : public DelivererTest {
 protected:
  /// Attempts wait at the gate for one leave each, and are counted while they do.
  void close_the_gate() {
    hop.play([this](const Claim& claim) {
      count(claim.delivery.destination, 1);
      gate.acquire();
      count(claim.delivery.destination, -1);
      return Delivered{"250 ok"};
    });
  }
  void count(const std::string& destination, int change) {
    const std::lock_guard lock(mutex);
    most_at_once = std::max(most_at_once, running += change);
    auto& there = running_there[destination];
    most_there = std::max(most_there, there += change);
  }
  /// Whatever may begin has begun before another may end: `at_once` of them, then one for each that ends.
  void let_through(int all, int at_once) {
    ASSERT_TRUE(test::eventually([&] {
      const std::lock_guard lock(mutex);
      return running == at_once;
    }));
    for (int ended = 1; ended <= all; ++ended) {
      gate.release();
      ASSERT_TRUE(hop.wait_for_attempts(introduced + static_cast<std::size_t>(std::min(at_once + ended, all))));
    }
  }
  /// From here on the destination is known to answer.
  void introduce(const std::string& destination) {
    const auto id = put(*queue, {"bob@" + destination});
    gate.release();
    ASSERT_TRUE(becomes(id, DeliveryState::Delivered, 1));
    ++introduced;
  }

  std::counting_semaphore<> gate{0};
  std::mutex mutex;
  std::map<std::string, int> running_there;
  std::size_t introduced = 0;
  int running = 0;
  int most_at_once = 0;
  int most_there = 0;
};

TEST_F(DelivererLimits, AsManyAttemptsAtOnceAsThereAreWorkers) {
  options.workers = 2;
  close_the_gate();
  start();
  introduce("known.example");
  for (int i = 0; i < 6; ++i) put(*queue, {"bob@known.example"});
  let_through(6, 2);
  deliverer->stop(std::chrono::steady_clock::now() + std::chrono::minutes(10));
  EXPECT_EQ(most_at_once, 2);
}

TEST_F(DelivererLimits, WhatNeverAnsweredLeavesHalfOfTheWorkersToWhatDid) {
  options.workers = 4;
  close_the_gate();
  start();
  introduce("known.example");
  hop.play([this](const Claim& claim) {
    count(claim.delivery.destination, 1);
    if (claim.delivery.destination != "known.example") gate.acquire();
    count(claim.delivery.destination, -1);
    return Delivered{"250 ok"};
  });
  for (int i = 0; i < 10; ++i) put(*queue, {"bob@silent" + std::to_string(i) + ".example"});
  const auto are_running = [this](int wanted) {
    const std::lock_guard lock(mutex);
    return running == wanted;
  };
  ASSERT_TRUE(eventually([&] { return are_running(2); }));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(becomes(put(*queue, {"bob@known.example"}), DeliveryState::Delivered, 1));
  EXPECT_TRUE(are_running(2));
  gate.release(10);
  EXPECT_TRUE(hop.wait_for_attempts(introduced + 30)) << "and all have their turn";
  deliverer->stop(std::chrono::steady_clock::now() + std::chrono::minutes(10));
}

TEST_F(DelivererLimits, AsManyAttemptsAtOnceToADestinationAsItMayHave) {
  options.workers = 8;
  options.destination_concurrency = 2;
  close_the_gate();
  for (int i = 0; i < 4; ++i) {
    put(*queue, {"bob@one.example"});
    put(*queue, {"bob@two.example"});
  }
  start();
  ASSERT_TRUE(hop.wait_for_attempts(4));
  gate.release(8);
  ASSERT_TRUE(hop.wait_for_attempts(8));
  deliverer->stop(std::chrono::steady_clock::now() + std::chrono::minutes(10));
  EXPECT_EQ(most_there, 2);
  EXPECT_LE(most_at_once, 4);
}

TEST_F(DelivererLimits, OneNodeLeavesToTheOtherWhatItHas) {
  options.workers = 16;
  close_the_gate();
  Permits other(redis, "node-b", 1000);
  ASSERT_EQ(other.hold({{"one.example", 998}})->at("one.example"), 998U);
  for (int i = 0; i < 5; ++i) put(*queue, {"bob@one.example"});
  put(*queue, {"bob@two.example"});
  start();
  ASSERT_TRUE(hop.wait_for_attempts(3));
  ASSERT_TRUE(other.renew([] { return Permits::Counts{}; }));
  ASSERT_TRUE(hop.wait_for_attempts(6)) << "what the other gave back is taken within seconds";
  gate.release(6);
  EXPECT_TRUE(eventually([&] { return view.summary().value().states.at(DeliveryState::Delivered) == 6; }));
  EXPECT_EQ(hop.seen().size(), 6U);
}

TEST_F(DelivererLimits, ADestinationThatCannotBeReachedIsAskedOnceAndNotByEachMessage) {
  options.workers = 8;
  hop.play([](const Claim& claim) -> Outcome {
    if (claim.delivery.destination == "dead.example") return Deferred{"connection refused", "4.4.1"};
    return Delivered{"250 ok"};
  });
  hop.reach([](const Claim& claim) { return claim.delivery.destination != "dead.example"; });
  const auto first = put(*queue, {"bob@dead.example"});
  start();
  ASSERT_TRUE(becomes(first, DeliveryState::Deferred, 1));
  std::vector<MessageId> later;
  for (int i = 0; i < 20; ++i) later.push_back(put(*queue, {"bob@dead.example"}));
  for (const auto& id : later) ASSERT_TRUE(becomes(id, DeliveryState::Deferred, 1));
  EXPECT_EQ(hop.seen().size(), 1U);
  EXPECT_EQ(show(later.back()).last_response, "not tried, since the attempt before ended so: connection refused");
  // The operator's word is followed.
  ASSERT_TRUE(view.act(QueueAction::Retry, {DeliveryId(later.back(), 1)}, false));
  ASSERT_TRUE(becomes(later.back(), DeliveryState::Deferred, 2));
  EXPECT_EQ(hop.seen().size(), 2U);
}

TEST_F(DelivererLimits, TheOperatorsWordForAWholeDomainIsAFewAttempts) {
  hop.play([this](const Claim&) -> Outcome {
    clock.advance(std::chrono::seconds(1));
    return Deferred{"connection refused", "4.4.1"};
  });
  hop.reach([](const Claim&) { return false; });
  std::vector<DeliveryId> all;
  for (int i = 0; i < 40; ++i) all.emplace_back(put(*queue, {"bob@dead.example"}), 1);
  start();
  const auto all_deferred = [&](std::uint32_t times) {
    for (const auto& id : all) {
      if (!becomes(id.message(), DeliveryState::Deferred, times)) return false;
    }
    return true;
  };
  ASSERT_TRUE(all_deferred(1));
  const std::size_t before = hop.seen().size();
  ASSERT_TRUE(view.act(QueueAction::Retry, all, false));
  ASSERT_TRUE(all_deferred(2));
  EXPECT_GE(hop.seen().size(), before + 1);
  EXPECT_LE(hop.seen().size(), before + 10) << "what the first ones learn holds for the others";
}

}  // namespace
}  // namespace sealpost
