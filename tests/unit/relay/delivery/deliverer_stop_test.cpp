// SPDX-License-Identifier: Apache-2.0
// Stopping: attempts may end in their own time until the deadline, not longer; nothing is lost, and nothing is sent
// twice without need.
#include <gtest/gtest.h>
#include <poll.h>

#include <csignal>
#include <future>

#include "tests/unit/relay/delivery/deliverer_fixture.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;
using test::DelivererTest;

class StoppingDeliverer : public DelivererTest {
 protected:
  /// An attempt that lasts until the relay abandons it.
  std::function<Outcome(const Claim&)> until_abandoned(Outcome outcome) {
    return [this, outcome](const Claim&) {
      pollfd polled{abandon.descriptor(), POLLIN, 0};
      EXPECT_EQ(poll(&polled, 1, 60'000), 1);
      return outcome;
    };
  }
};

TEST_F(StoppingDeliverer, WhatWasNotHandedOverGoesBackAsItWas) {
  hop.play(until_abandoned(Abandoned{"the relay is stopping"}));
  start();
  const auto id = put(*queue, {"bob@example.net"});
  ASSERT_TRUE(hop.wait_for_attempts(1));
  stop_in(0ms);
  const DeliveryRecord record = show(id);
  EXPECT_EQ(record.state, DeliveryState::Queued);
  EXPECT_EQ(record.attempts, 0U);
  EXPECT_EQ(record.next_attempt, record.created) << "due at once";
  EXPECT_EQ(keys("queue:*:leases:*").size(), 0U);
}

TEST_F(StoppingDeliverer, AnUnknownOutcomeIsDeferred) {
  hop.play(until_abandoned(Deferred{"outcome unknown: the relay is stopping", "4.4.2"}));
  start();
  const auto id = put(*queue, {"bob@example.net"});
  ASSERT_TRUE(hop.wait_for_attempts(1));
  stop_in(0ms);
  const DeliveryRecord record = show(id);
  EXPECT_EQ(record.state, DeliveryState::Deferred);
  EXPECT_EQ(record.attempts, 1U);
  EXPECT_NE(record.last_response.find("outcome unknown"), std::string::npos);
  EXPECT_EQ(keys("queue:*:leases:*").size(), 0U);
}

TEST_F(StoppingDeliverer, AnAttemptMayEndInItsOwnTime) {
  std::promise<void> end;
  const auto ended = end.get_future().share();
  hop.play([ended](const Claim&) {
    ended.wait();
    return Delivered{"250 ok"};
  });
  start();
  const auto id = put(*queue, {"bob@example.net"});
  ASSERT_TRUE(hop.wait_for_attempts(1));
  auto stopped = std::async(std::launch::async, [this] { stop_in(10min); });
  EXPECT_EQ(stopped.wait_for(100ms), std::future_status::timeout);
  EXPECT_FALSE(abandon.raised());
  end.set_value();
  ASSERT_EQ(stopped.wait_for(60s), std::future_status::ready);
  EXPECT_EQ(show(id).state, DeliveryState::Delivered);
}

TEST_F(StoppingDeliverer, TakesNothingNew) {
  options.workers = 1;
  std::promise<void> end;
  const auto ended = end.get_future().share();
  hop.play([ended](const Claim&) {
    ended.wait();
    return Delivered{"250 ok"};
  });
  start();
  const auto first = put(*queue, {"bob@example.net"});
  ASSERT_TRUE(hop.wait_for_attempts(1));
  auto stopped = std::async(std::launch::async, [this] { stop_in(10min); });
  EXPECT_EQ(stopped.wait_for(100ms), std::future_status::timeout);
  const auto second = put(*queue, {"carol@example.net"});
  deliverer->kick();
  end.set_value();  // the one worker has nothing else to do now
  ASSERT_EQ(stopped.wait_for(60s), std::future_status::ready);
  EXPECT_EQ(show(first).state, DeliveryState::Delivered);
  EXPECT_EQ(show(second).state, DeliveryState::Queued);
  EXPECT_EQ(hop.seen().size(), 1U);
}

TEST_F(StoppingDeliverer, AnOutcomeIsRecordedOnceRedisIsBack) {
  std::promise<void> end;
  const auto ended = end.get_future().share();
  hop.play([ended](const Claim&) {
    ended.wait();
    return Delivered{"250 ok"};
  });
  start();
  const auto id = put(*queue, {"bob@example.net"});
  ASSERT_TRUE(hop.wait_for_attempts(1));
  server.kill();
  end.set_value();
  // The relay stops while the outcome waits: it waits for Redis within its time.
  auto stopped = std::async(std::launch::async, [this] { stop_in(10min); });
  EXPECT_EQ(stopped.wait_for(300ms), std::future_status::timeout);
  server.start();
  ASSERT_EQ(stopped.wait_for(60s), std::future_status::ready);
  EXPECT_EQ(show(id).state, DeliveryState::Delivered);
  EXPECT_EQ(show(id).attempts, 1U);
  EXPECT_EQ(hop.seen().size(), 1U);
}

TEST_F(StoppingDeliverer, ARedisThatStaysAwayIsNotWaitedForBeyondTheDeadline) {
  hop.play(until_abandoned(Abandoned{"the relay is stopping"}));
  start();
  put(*queue, {"bob@example.net"});
  ASSERT_TRUE(hop.wait_for_attempts(1));
  server.kill();
  auto stopped = std::async(std::launch::async, [this] { stop_in(100ms); });
  EXPECT_EQ(stopped.wait_for(60s), std::future_status::ready);
}

TEST_F(StoppingDeliverer, AStalledRedisIsLeftWhenItsClientIsClosed) {
  hop.play(until_abandoned(Abandoned{"the relay is stopping"}));
  start();
  put(*queue, {"bob@example.net"});
  ASSERT_TRUE(hop.wait_for_attempts(1));
  ::kill(server.pid(), SIGSTOP);
  const auto begun = std::chrono::steady_clock::now();
  auto stopped = std::async(std::launch::async, [this] { stop_in(0ms); });
  EXPECT_EQ(stopped.wait_for(200ms), std::future_status::timeout) << "a call waits for Redis";
  redis.close();
  EXPECT_EQ(stopped.wait_for(60s), std::future_status::ready);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 19s) << "the client's own time-out is 20 s";
  ::kill(server.pid(), SIGCONT);
}

}  // namespace
}  // namespace sealpost
