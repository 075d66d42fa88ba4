// SPDX-License-Identifier: Apache-2.0
// What a deliverer counts: outcomes when they are recorded, attempts when one was made.
#include <gtest/gtest.h>

#include "tests/support/metrics_text.h"
#include "tests/unit/relay/delivery/deliverer_fixture.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;
using test::DelivererTest;

class DelivererCounts : public DelivererTest {
 protected:
  DelivererCounts() {
    const auto outcome = [this](const char* name) {
      return registry_.counter("outcomes_total", "Outcomes.", {{"outcome", name}});
    };
    options.counts = {registry_.timing("attempt_seconds", "Attempts.", {60}),
                      registry_.timing("delivery_seconds", "Deliveries.", {1, 100, 1000}),
                      outcome("delivered"),
                      outcome("deferred"),
                      outcome("bounced"),
                      outcome("held")};
  }
  double outcomes(const std::string& name) {
    return test::sample(registry_.text({}), "outcomes_total{outcome=\"" + name + "\"}").value();
  }
  double value(const std::string& series) { return test::sample(registry_.text({}), series).value(); }

  metrics::Registry registry_;
};

TEST_F(DelivererCounts, ADeferralCountsEachTimeAndTheWholeWayOnce) {
  hop.play([](const Claim&) { return Deferred{"450 4.2.1 wait a while", "4.2.1", 450}; });
  start();
  const auto id = put(*queue, {"bob@example.net"});
  ASSERT_TRUE(becomes(id, DeliveryState::Deferred, 1));
  clock.advance(1min);
  ASSERT_TRUE(becomes(id, DeliveryState::Deferred, 2));
  hop.play([](const Claim&) { return Delivered{"250 ok"}; });
  clock.advance(5min);
  ASSERT_TRUE(becomes(id, DeliveryState::Delivered, 3));
  ASSERT_TRUE(eventually([&] { return outcomes("delivered") == 1; }));
  EXPECT_EQ(outcomes("deferred"), 2);
  EXPECT_EQ(outcomes("bounced"), 0);
  EXPECT_EQ(outcomes("held"), 0);
  EXPECT_EQ(value("attempt_seconds_count"), 3);
  EXPECT_EQ(value("delivery_seconds_count"), 1);
  EXPECT_EQ(value("delivery_seconds_sum"), 360) << "from the acceptance on";
  EXPECT_EQ(value("delivery_seconds_bucket{le=\"1000\"}"), 1);
  EXPECT_EQ(value("delivery_seconds_bucket{le=\"100\"}"), 0);
}

TEST_F(DelivererCounts, ABounceAndTheReportOfItAreTwoDeliveries) {
  hop.play([](const Claim& claim) -> Outcome {
    if (claim.delivery.notice) return Delivered{"250 ok"};
    return Failed{550, "5.1.1", "550 5.1.1 no such user"};
  });
  start();
  put(*queue, {"bob@example.net"});
  ASSERT_TRUE(eventually([&] { return outcomes("delivered") == 1; })) << "the report";
  EXPECT_EQ(outcomes("bounced"), 1);
  EXPECT_EQ(value("attempt_seconds_count"), 2);
}

TEST_F(DelivererCounts, WhatCannotBeReadIsHeldAndNoAttempt) {
  hop.play([](const Claim&) { return Unreadable{"look"}; });
  start();
  put(*queue, {"bob@example.net"});
  ASSERT_TRUE(eventually([&] { return outcomes("held") == 1; }));
  EXPECT_EQ(outcomes("delivered") + outcomes("deferred") + outcomes("bounced"), 0);
}

TEST_F(DelivererCounts, AnOutcomeThatWasNotRecordedCountsOnlyOnceItIs) {
  event_faults = {Error::temporary("away"), Error::temporary("away")};
  start();
  put(*queue, {"bob@example.net"});
  ASSERT_TRUE(eventually([&] { return outcomes("delivered") == 1; }));
  EXPECT_EQ(value("attempt_seconds_count"), 1);
  EXPECT_EQ(told().size(), 3U) << "tried three times";
}

TEST_F(DelivererCounts, WhatIsDeferredUnseenIsNoAttempt) {
  hop.reach([](const Claim&) { return false; });
  hop.play([](const Claim&) { return Deferred{"no connection", "4.4.1"}; });
  start();
  const auto first = put(*queue, {"bob@example.net"});
  ASSERT_TRUE(becomes(first, DeliveryState::Deferred, 1));
  const auto second = put(*queue, {"carol@example.net"});
  ASSERT_TRUE(becomes(second, DeliveryState::Deferred, 1));
  ASSERT_TRUE(eventually([&] { return outcomes("deferred") == 2; }));
  EXPECT_EQ(value("attempt_seconds_count"), 1);
}

}  // namespace
}  // namespace sealpost
