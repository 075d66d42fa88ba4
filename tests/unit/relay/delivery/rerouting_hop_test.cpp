// SPDX-License-Identifier: Apache-2.0
// Deliveries go to the next hop of the settings, unless an operator sent them elsewhere.
#include "relay/delivery/rerouting_hop.h"

#include <gtest/gtest.h>

#include "conf/values.h"
#include "tests/unit/relay/delivery/smtp_fixture.h"

namespace sealpost {
namespace {

using test::kind_of;
using test::make_claim;
using test::PiecesBody;

/// Says its name as its reply.
class NamedHop final : public NextHop {
 public:
  explicit NamedHop(std::string name) : name_(std::move(name)) {}
  Attempt attempt(const Claim&, DeliveryBody&) override { return {Delivered{name_}, {}}; }

 private:
  std::string name_;
};

class ReroutingHopTest : public ::testing::Test {
 protected:
  std::string taken_by(ReroutingHop& hop, const std::string& destination) {
    Claim claim = make_claim();
    claim.delivery.destination = destination;
    PiecesBody body;
    const auto attempt = hop.attempt(claim, body);
    return kind_of(attempt.outcome) + " " + response_of(attempt.outcome);
  }
  ReroutingHop hop(const std::string& usual) {
    return {usual, std::make_unique<NamedHop>("usual"), [this](const Route& route) -> Result<std::unique_ptr<NextHop>> {
              ++made;
              if (route.host == "broken.example") return Error::internal("no such hop");
              return std::unique_ptr<NextHop>(std::make_unique<NamedHop>(to_text(route)));
            }};
  }
  int made = 0;
};

TEST_F(ReroutingHopTest, OfMxRouting) {
  auto mx = hop("");
  EXPECT_EQ(taken_by(mx, "d.example"), "delivered usual");
  EXPECT_EQ(taken_by(mx, "smtp://b.example:25"), "delivered smtp://b.example:25");
  EXPECT_EQ(taken_by(mx, "smtp://b.example:25"), "delivered smtp://b.example:25");
  EXPECT_EQ(made, 1) << "the same hop, with its connections";
  mx.tidy();
  EXPECT_EQ(taken_by(mx, "lmtp://[2001:db8::1]:24"), "delivered lmtp://[2001:db8::1]:24");
}

TEST_F(ReroutingHopTest, OfAFixedRoute) {
  auto fixed = hop("smtp://a.example:25");
  EXPECT_EQ(taken_by(fixed, "smtp://a.example:25"), "delivered usual");
  EXPECT_EQ(taken_by(fixed, "smtp://b.example:25"), "delivered smtp://b.example:25");
  EXPECT_EQ(taken_by(fixed, "d.example"), "delivered mx") << "rerouted to mx";
  EXPECT_EQ(taken_by(fixed, "e.example"), "delivered mx");
  EXPECT_EQ(made, 2);
}

TEST_F(ReroutingHopTest, ANoticeGoesTheUsualWayWhateverItsRecordSays) {
  auto mx = hop("");
  Claim claim = make_claim();
  claim.delivery.destination = "smtp://thief.example:25";
  claim.delivery.notice = true;
  PiecesBody body;
  EXPECT_EQ(response_of(mx.attempt(claim, body).outcome), "usual");
  EXPECT_EQ(made, 0);
}

TEST_F(ReroutingHopTest, WhatCannotBeReachedWaits) {
  auto mx = hop("");
  EXPECT_TRUE(taken_by(mx, "smtp://broken.example:25").starts_with("deferred cannot be sent to smtp://broken.example"));
  EXPECT_TRUE(taken_by(mx, "gopher://b.example").starts_with("deferred cannot be sent to gopher://b.example"));
}

}  // namespace
}  // namespace sealpost
