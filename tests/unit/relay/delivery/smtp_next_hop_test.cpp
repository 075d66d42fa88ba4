// SPDX-License-Identifier: Apache-2.0
// Connections that are kept and used again, those that went stale meanwhile, and which of them a notification may take.
#include "relay/delivery/smtp_next_hop.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <net/if.h>

#include <array>
#include <future>
#include <memory>

#include "tests/unit/relay/delivery/smtp_fixture.h"

namespace sealpost {
namespace {

using test::Answer;
using test::kind_of;
using test::make_claim;
using test::PiecesBody;
using test::SmtpServer;

class SmtpNextHopTest : public ::testing::Test {
 protected:
  SmtpTarget target() {
    SmtpTarget made;
    made.host = "127.0.0.1";
    made.port = server.port();
    made.helo = "relay.example.org";
    return made;
  }
  Attempt attempt() {
    PiecesBody body;
    return next_hop.attempt(make_claim(), body);
  }
  SmtpServer server;
  PollableFlag stop;
  SmtpNextHop next_hop{target(), {}, stop};
};

TEST_F(SmtpNextHopTest, OneConnectionServesOneDeliveryAfterTheOther) {
  for (int i = 0; i < 3; ++i) {
    const Attempt done = attempt();
    EXPECT_EQ(kind_of(done.outcome), "delivered");
    EXPECT_EQ(done.trace.host, "127.0.0.1");
    EXPECT_EQ(done.trace.address, "127.0.0.1:" + std::to_string(server.port()));
  }
  EXPECT_EQ(server.connections(), 1U);
  EXPECT_EQ(server.messages().size(), 3U);
}

TEST_F(SmtpNextHopTest, AConnectionIsGivenUpAfterAHundredTransactions) {
  for (int i = 0; i < 101; ++i) ASSERT_EQ(kind_of(attempt().outcome), "delivered");
  EXPECT_EQ(server.connections(), 2U);
  EXPECT_TRUE(server.wait_for("QUIT"));
}

TEST_F(SmtpNextHopTest, AConnectionThatTheServerClosedIsReplaced) {
  ASSERT_EQ(kind_of(attempt().outcome), "delivered");
  server.disconnect();
  EXPECT_EQ(kind_of(attempt().outcome), "delivered");
  EXPECT_EQ(server.connections(), 2U);
}

TEST_F(SmtpNextHopTest, ConnectionsThatNobodyNeedsAnyMoreAreClosed) {
  // None is fresh once it was used: each delivery closes what the ones before it left.
  SmtpNextHop hop(target(), {NotifyTls::Required, 128, std::chrono::milliseconds(0)}, stop);
  PiecesBody body;
  ASSERT_EQ(kind_of(hop.attempt(make_claim(), body).outcome), "delivered");
  EXPECT_TRUE(server.wait_for("QUIT"));
}

TEST_F(SmtpNextHopTest, AServerThatHangsUpOnTheNextMailIsAskedOnceMoreOnAFreshConnection) {
  server.answer("MAIL", {"250 ok", Answer::close(), "250 ok"});
  ASSERT_EQ(kind_of(attempt().outcome), "delivered");
  EXPECT_EQ(kind_of(attempt().outcome), "delivered");
  EXPECT_EQ(server.connections(), 2U);
  EXPECT_EQ(server.messages().size(), 2U);
}

TEST_F(SmtpNextHopTest, AServerThatHangsUpOnEveryMailIsNotAskedForEver) {
  server.answer("MAIL", {"250 ok", Answer::close()});
  ASSERT_EQ(kind_of(attempt().outcome), "delivered");
  EXPECT_EQ(kind_of(attempt().outcome), "deferred");
  EXPECT_EQ(server.connections(), 2U);
}

TEST_F(SmtpNextHopTest, AMessageWhoseReplyWasLostIsNotSentAgainAtOnce) {
  server.answer(".", {"250 ok", Answer::close()});
  ASSERT_EQ(kind_of(attempt().outcome), "delivered");
  const Attempt second = attempt();
  EXPECT_EQ(kind_of(second.outcome), "deferred");
  EXPECT_EQ(server.messages().size(), 2U);
}

TEST_F(SmtpNextHopTest, NobodyThereDefersAndNamesTheHost) {
  SmtpTarget nowhere = target();
  {
    const SmtpServer gone;
    nowhere.port = gone.port();
  }
  SmtpNextHop hop(std::move(nowhere), {}, stop);
  PiecesBody body;
  const Attempt done = hop.attempt(make_claim(), body);
  EXPECT_EQ(kind_of(done.outcome), "deferred");
  EXPECT_EQ(test::enhanced_of(done.outcome), "4.4.1");
  EXPECT_EQ(test::code_of(done.outcome), 0);
  EXPECT_EQ(done.trace.host, "127.0.0.1");
}

TEST_F(SmtpNextHopTest, RaisingTheFlagEndsAllAttemptsOnKeptAndFreshConnections) {
  ASSERT_EQ(kind_of(attempt().outcome), "delivered");
  server.answer("MAIL", {Answer::silence()});
  auto first = std::async(std::launch::async, [this] { return attempt(); });
  auto second = std::async(std::launch::async, [this] { return attempt(); });
  EXPECT_TRUE(server.wait_for("MAIL", 3));
  stop.raise();
  EXPECT_EQ(kind_of(first.get().outcome), "abandoned");
  EXPECT_EQ(kind_of(second.get().outcome), "abandoned");
}

/// An address of this machine that is not loopback, as the network has it; empty when it has none.
std::string own_address() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> all(list, &freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    if ((entry->ifa_flags & IFF_LOOPBACK) != 0 || (entry->ifa_flags & IFF_UP) == 0) continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    const auto* address = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
    return inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size()) != nullptr ? text.data() : "";
  }
  return {};
}

TEST_F(SmtpNextHopTest, ANotificationWaitsForTlsAndSealedMailTakesTheSameConnection) {
  test::SmtpServerOptions options;
  options.address = own_address();
  if (options.address.empty()) GTEST_SKIP() << "this machine has no address but loopback's";
  SmtpServer network(options);
  SmtpTarget there = target();
  there.host = options.address;
  there.port = network.port();
  SmtpNextHop hop(std::move(there), {}, stop);
  Claim notification = make_claim();
  notification.delivery.notification = true;
  PiecesBody body;
  const Attempt held_back = hop.attempt(notification, body);
  EXPECT_EQ(kind_of(held_back.outcome), "deferred");
  EXPECT_EQ(test::enhanced_of(held_back.outcome), "4.7.10");
  EXPECT_EQ(network.line("MAIL"), "") << "nothing was said of it";
  EXPECT_EQ(body.given(), 0U);
  EXPECT_EQ(kind_of(hop.attempt(make_claim(), body).outcome), "delivered");
  EXPECT_EQ(network.connections(), 1U);
}

struct TravelCase {
  const char* name;
  bool notification;
  NotifyTls policy;
  Route::Kind route;
  bool secure;
  bool loopback;
  bool may;
};
void PrintTo(const TravelCase& c, std::ostream* out) { *out << c.name; }
class NotificationTls : public ::testing::TestWithParam<TravelCase> {};

TEST_P(NotificationTls, DecidesWhichConnectionsCarryACode) {
  const TravelCase& c = GetParam();
  DeliveryRecord delivery = make_claim().delivery;
  delivery.notification = c.notification;
  EXPECT_EQ(may_travel(delivery, c.policy, c.route, c.secure, c.loopback), c.may);
  // A code that a sender passes on is as secret.
  delivery.notification = false;
  delivery.sender_code = c.notification;
  EXPECT_EQ(may_travel(delivery, c.policy, c.route, c.secure, c.loopback), c.may);
}

constexpr auto notify_required = NotifyTls::Required;
constexpr auto route_smtp = Route::Kind::Smtp;

INSTANTIATE_TEST_SUITE_P(
    All, NotificationTls,
    ::testing::Values(TravelCase{"ClearToTheNetworkIsHeldBack", true, notify_required, route_smtp, false, false, false},
                      TravelCase{"OverTls", true, notify_required, route_smtp, true, false, true},
                      TravelCase{"ToLoopback", true, notify_required, route_smtp, false, true, true},
                      TravelCase{"OverLmtp", true, notify_required, Route::Kind::Lmtp, false, false, true},
                      TravelCase{"Opportunistic", true, NotifyTls::Opportunistic, route_smtp, false, false, true},
                      TravelCase{"SealedMailNeedsNone", false, notify_required, route_smtp, false, false, true}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sealpost
