// SPDX-License-Identifier: Apache-2.0
// What follows from the outcome of an attempt: the schedule, the delay warning, the bounce and whom it must never go
// to.
#include "relay/delivery/deliverer.h"

#include <gtest/gtest.h>

#include "tests/unit/relay/delivery/deliverer_fixture.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;
using test::DelivererTest;

Outcome wait_a_while(const Claim& claim) {
  if (claim.delivery.notice) return Delivered{"250 ok"};
  return Deferred{"450 4.2.1 wait a while", "4.2.1", 450};
}
Outcome no_such_user(const Claim& claim) {
  if (claim.delivery.notice) return Delivered{"250 ok"};
  return Failed{550, "5.1.1", "550 5.1.1 no such user"};
}

TEST_F(DelivererTest, DeliversWithWhereAndHow) {
  start();
  const auto id = put(*queue, {"bob@example.net"});
  ASSERT_TRUE(becomes(id, DeliveryState::Delivered, 1));
  EXPECT_EQ(show(id).last_response, "mx.example.net [192.0.2.1:25] TLSv1.3 X: 250 2.0.0 ok");
  EXPECT_TRUE(notices().empty());
}

TEST_F(DelivererTest, RetriesFollowTheScheduleWhoseLastStepRepeats) {
  hop.play(wait_a_while);
  start();
  const auto id = put(*queue, {"bob@example.net"});
  std::uint32_t attempts = 0;
  for (const auto pause : {1min, 5min, 5min}) {
    ASSERT_TRUE(becomes(id, DeliveryState::Deferred, ++attempts)) << attempts;
    EXPECT_EQ(show(id).next_attempt, clock.now() + pause);
    EXPECT_NE(show(id).last_response.find("450 4.2.1 wait a while"), std::string::npos);
    clock.advance(pause);
  }
  hop.play([](const Claim&) { return Delivered{"250 ok"}; });
  EXPECT_TRUE(becomes(id, DeliveryState::Delivered, 4));
  EXPECT_TRUE(notices().empty());
}

TEST_F(DelivererTest, BouncesAtMaxAgeAndTriesOnceMoreJustThen) {
  options.retry = {4 * 24h};
  hop.play(wait_a_while);
  start();
  const auto id = put(*queue, {"bob@example.net"});
  const Time end = clock.now() + options.max_age;
  ASSERT_TRUE(becomes(id, DeliveryState::Deferred, 1));
  clock.advance(4 * 24h);
  ASSERT_TRUE(becomes(id, DeliveryState::Deferred, 2));
  EXPECT_EQ(show(id).next_attempt, end) << "never later than the end";
  clock.advance(24h);
  ASSERT_TRUE(becomes(id, DeliveryState::Bounced, 3));
  ASSERT_TRUE(eventually([this] { return notices().size() == 2; })) << "the warning, and the bounce";
  const auto bounce = notices()[1];
  EXPECT_NE(bounce.content.find("Status: 4.4.7\r\n"), std::string::npos) << bounce.content;
  EXPECT_NE(bounce.content.find("Remote-MTA: dns; mx.example.net\r\n"), std::string::npos);
}

TEST_F(DelivererTest, AFailureIsReportedToTheEnvelopeSender) {
  hop.play(no_such_user);
  start();
  const auto id = put(*queue, {"bob@example.net"});
  ASSERT_TRUE(becomes(id, DeliveryState::Bounced, 1));
  ASSERT_TRUE(eventually([this] { return notices().size() == 1; }));
  const auto bounce = notices()[0];
  EXPECT_EQ(bounce.delivery.recipient, "sender@example.com");
  EXPECT_EQ(bounce.delivery.destination, "example.com");
  EXPECT_EQ(bounce.delivery.mail_from, "");
  EXPECT_TRUE(bounce.delivery.dsn.never);
  EXPECT_NE(bounce.content.find("Status: 5.1.1\r\n"), std::string::npos) << bounce.content;
  EXPECT_NE(bounce.content.find("550 5.1.1 no such user"), std::string::npos);
  EXPECT_NE(bounce.content.find(std::string("Subject: ") + test::canary), std::string::npos) << "header fields";
  EXPECT_EQ(bounce.content.find("Content-Transfer-Encoding: base64\r\n\r\nMI"), std::string::npos) << "no content";
}

TEST_F(DelivererTest, AFixedRouteIsTheBouncesDestinationToo) {
  options.destination = "smtp://relay.example:25";
  hop.play(no_such_user);
  start();
  put(*queue, {"bob@example.net"});
  ASSERT_TRUE(eventually([this] { return notices().size() == 1; }));
  EXPECT_EQ(notices()[0].delivery.destination, options.destination);
}

TEST_F(DelivererTest, ReportsOfWhatNoServerSaidNameNoServer) {
  hop.play([](const Claim& claim) -> Outcome {
    if (claim.delivery.notice) return Delivered{"250 ok"};
    return Failed{0, "5.3.4", "the message is larger than the next hop takes"};
  });
  start();
  put(*queue, {"bob@example.net"});
  ASSERT_TRUE(eventually([this] { return notices().size() == 1; }));
  EXPECT_EQ(notices()[0].content.find("Remote-MTA"), std::string::npos) << notices()[0].content;
}

TEST_F(DelivererTest, WarnsOnce) {
  options.retry = {3h};
  hop.play(wait_a_while);
  start();
  const auto id = put(*queue, {"bob@example.net"});
  for (std::uint32_t attempts = 1; attempts <= 4; ++attempts) {
    ASSERT_TRUE(becomes(id, DeliveryState::Deferred, attempts));
    ASSERT_TRUE(eventually([&] { return notices().size() == (attempts <= 2 ? 0U : 1U); })) << attempts;
    clock.advance(3h);
  }
  const auto warning = notices().at(0);
  EXPECT_NE(warning.content.find("Action: delayed\r\n"), std::string::npos) << warning.content;
  EXPECT_NE(warning.content.find("Will-Retry-Until: "), std::string::npos);
  EXPECT_EQ(warning.delivery.recipient, "sender@example.com");
}

struct QuietCase {
  const char* name;
  bool null_sender;
  DsnRequest dsn;
};
void PrintTo(const QuietCase& c, std::ostream* out) { *out << c.name; }
class QuietFailures : public DelivererTest, public ::testing::WithParamInterface<QuietCase> {};

TEST_P(QuietFailures, AreToldToNobody) {
  hop.play(no_such_user);
  start();
  Envelope from = envelope(queue->new_id());
  if (GetParam().null_sender) from.mail_from.reset();
  Addressee to = addressee("bob@example.net");
  to.dsn = GetParam().dsn;
  ASSERT_TRUE(queue->put(test::seal(1), from, std::vector<Addressee>{to}));
  ASSERT_TRUE(becomes(from.id, DeliveryState::Bounced, 1));
  // A report would have been put before the state changed.
  EXPECT_EQ(keys("queue:*:message:*").size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(All, QuietFailures,
                         ::testing::Values(QuietCase{"NullSender", true, {}},
                                           QuietCase{"NotifyNever", false, {true, false, false, false, ""}},
                                           QuietCase{"NotifySuccessOnly", false, {false, true, false, false, ""}}),
                         [](const auto& info) { return info.param.name; });

class Notices : public DelivererTest, public ::testing::WithParamInterface<Notice::Kind> {};

TEST_P(Notices, NeverBounceAndOnlyALostNotificationIsNoted) {
  hop.play([](const Claim&) { return Failed{550, "5.1.1", "550 5.1.1 no such user"}; });
  start();
  const std::string text = "Subject: x\r\n\r\nx\r\n";
  const Envelope from = envelope(queue->new_id(), "");  // even with a sender
  ASSERT_TRUE(
      queue->put(Notice(GetParam(), WipedBuffer(text.begin(), text.end())), from, addressee("bob@example.net")));
  ASSERT_TRUE(becomes(from.id, DeliveryState::Bounced, 1));
  EXPECT_EQ(keys("queue:*:message:*").size(), 1U);
  const bool notification = GetParam() == Notice::Kind::Notification;
  EXPECT_EQ(failed(), notification ? std::vector<std::string>{"bob@example.net"} : std::vector<std::string>{});
}

TEST_P(Notices, ThatArriveAreNotedWhenTheyAreNotifications) {
  start();
  const std::string text = "Subject: x\r\n\r\nx\r\n";
  const Envelope from = envelope(queue->new_id(), "");
  ASSERT_TRUE(
      queue->put(Notice(GetParam(), WipedBuffer(text.begin(), text.end())), from, addressee("bob@example.net")));
  ASSERT_TRUE(becomes(from.id, DeliveryState::Delivered, 1));
  const bool notification = GetParam() == Notice::Kind::Notification;
  EXPECT_EQ(arrived(), notification ? std::vector<std::string>{"bob@example.net"} : std::vector<std::string>{});
  EXPECT_TRUE(failed().empty());
}

INSTANTIATE_TEST_SUITE_P(All, Notices,
                         ::testing::Values(Notice::Kind::Notification, Notice::Kind::Bounce, Notice::Kind::DelayWarning,
                                           Notice::Kind::Confirmation, Notice::Kind::KeyEvent));

/// A field of a record that somebody changes in Redis while the delivery waits.
struct DelivererAlteration {
  const char* name;
  bool notice;
  const char* record;
  std::size_t field;
  const char* value;
};
void PrintTo(const DelivererAlteration& c, std::ostream* out) { *out << c.name; }
class AlteredRecords : public DelivererTest, public ::testing::WithParamInterface<DelivererAlteration> {};

TEST_P(AlteredRecords, AreHeldAndSentToNobody) {
  const DelivererAlteration& alteration = GetParam();
  const std::string text = "Subject: x\r\n\r\nAuthentication code: x\r\n";
  const Envelope from = envelope(queue->new_id());
  if (alteration.notice) {
    const Notice notice(Notice::Kind::Notification, WipedBuffer(text.begin(), text.end()));
    ASSERT_TRUE(queue->put(notice, from, addressee("bob@example.net")));
  } else {
    ASSERT_TRUE(queue->put(test::seal(1), from, addressees({"bob@example.net"})));
  }
  const auto records = keys(std::string("queue:*:") + alteration.record + ":*");
  ASSERT_EQ(records.size(), 1U);
  alter(records.front(), alteration.field, alteration.value);
  start();
  ASSERT_TRUE(eventually([&] { return show(from.id).state == DeliveryState::Held; }));
  EXPECT_TRUE(hop.seen().empty());
}

INSTANTIATE_TEST_SUITE_P(
    All, AlteredRecords,
    ::testing::Values(DelivererAlteration{"NoticeToSomebodyElse", true, "delivery", 10, "eve@example.net"},
                      DelivererAlteration{"NoticeToAnotherServer", true, "delivery", 11, "evil.example"},
                      DelivererAlteration{"NoticeFromSomebodyElse", true, "message", 3, "eve@example.net"},
                      DelivererAlteration{"ReportToSomebodyElse", false, "message", 3, "eve@example.net"}),
    [](const auto& info) { return info.param.name; });

TEST_F(DelivererTest, ANextHopThatThrowsDefers) {
  hop.play([](const Claim&) -> Outcome { throw std::runtime_error("a fault of ours"); });
  start();
  const auto id = put(*queue, {"bob@example.net"});
  ASSERT_TRUE(becomes(id, DeliveryState::Deferred, 1));
  EXPECT_EQ(show(id).last_response, "internal error");
}

/// Without an attempt, and the sender is told.
TEST_F(DelivererTest, WhatAnOperatorGaveUpIsBounced) {
  const auto id = put(*queue, {"bob@d.example"});
  ASSERT_EQ(view.act(QueueAction::Bounce, {DeliveryId(id, 1)}, false)->changed, 1U);
  start();
  ASSERT_TRUE(becomes(id, DeliveryState::Bounced, 1));
  EXPECT_EQ(show(id).last_response, "given up by the operator of this relay");
  ASSERT_TRUE(hop.wait_for_attempts(1));
  const auto report = hop.seen().at(0);
  EXPECT_EQ(report.delivery.recipient, "sender@example.com");
  EXPECT_NE(report.content.find("given up by the operator of this relay"), std::string::npos);
}

}  // namespace
}  // namespace sealpost
