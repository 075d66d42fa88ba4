// SPDX-License-Identifier: Apache-2.0
// What operators do: by ids and by filter, counted before, in steps, two of them at once; and that the audit trail has
// it.
#include "queue/queue_actions.h"

#include <gmock/gmock.h>

#include <thread>

#include "queue/filter_text.h"
#include "queue/keys.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class QueueActionsTest : public QueueTest {
 protected:
  DeliveryRecord show(const MessageId& id) { return view.show(DeliveryId(id, 1)).value(); }
  std::vector<std::string> trail() {
    std::vector<std::string> lines;
    const auto entries = audit.latest(0, 100).value();
    for (const auto& [shard, sequence, event, mac] : entries) {
      lines.push_back(event.actor + " " + event.action + " [" + event.subject + "] " + event.detail);
    }
    return lines;
  }
  ActionResult act(const QueueOrder& order, const MessageId& id) {
    return actions.act(order, std::vector{DeliveryId(id, 1)}, "operator", 10).value();
  }
  std::unique_ptr<MailQueue> queue = process();
};

TEST_F(QueueActionsTest, EachStepIsInTheTrailBeforeAndAfterIt) {
  const MessageId id = put(*queue, {"a@d.example"});
  EXPECT_EQ(act(QueueAction::Hold, id).changed, 1U);
  const auto filter = parse_filter({{"domain", "d.example"}, {"state", "held"}, {"older_than", "0s"}}).value();
  EXPECT_EQ(actions.count(QueueAction::Release, filter)->changed, 1U);
  EXPECT_EQ(actions.act(QueueAction::Release, filter, "account boss", 10)->changed, 1U);
  EXPECT_THAT(trail(), ElementsAre("operator queue.hold [" + id.text() + "-1] begun",
                                   "operator queue.hold [" + id.text() + "-1] 1 matched, 1 changed",
                                   "account boss queue.release [state=held domain=d.example older_than=0s] begun",
                                   "account boss queue.release [state=held domain=d.example older_than=0s] 1 matched, "
                                   "1 changed"));
  EXPECT_TRUE(audit.verify(0, [](const AuditEntry&) {})->faults.empty());
}

TEST_F(QueueActionsTest, TellsOfEachThatWasNamedWhyItIsNotReached) {
  const MessageId delivered = put(*queue, {"a@d.example"});
  ASSERT_TRUE(queue->delivered(claim_all(*queue).at(0), "250 ok"));
  const MessageId waiting = put(*queue, {"a@d.example"});
  const DeliveryId unknown(queue->new_id(), 1);
  const auto done = actions.act(QueueAction::Release,
                                std::vector{DeliveryId(delivered, 1), DeliveryId(waiting, 1), unknown}, "operator", 10);
  ASSERT_TRUE(done);
  std::vector<std::string> told;
  for (const auto& [id, why] : done->unreached) told.push_back(id.text() + " " + why);
  EXPECT_THAT(told, ElementsAre(delivered.text() + "-1 it is delivered", waiting.text() + "-1 it is queued",
                                unknown.text() + " there is no such delivery"));
  const auto by_filter =
      actions.act(QueueAction::Release, parse_filter({{"state", "waiting"}}).value(), "operator", 10);
  EXPECT_EQ(by_filter->matched, 1U);
  EXPECT_TRUE(by_filter->unreached.empty()) << "nobody named it";
}

TEST_F(QueueActionsTest, AFilterOfWhatHasEndedIsNone) {
  for (const char* state : {"delivered", "bounced", "dropped"}) {
    EXPECT_FALSE(check_action_filter(parse_filter({{"state", state}}).value())) << state;
  }
  for (const char* state : {"queued", "sending", "deferred", "held", "waiting"}) {
    EXPECT_TRUE(check_action_filter(parse_filter({{"state", state}}).value())) << state;
  }
}

TEST_F(QueueActionsTest, WhatIsRefusedLeavesNoDeed) {
  const auto filter = parse_filter({{"state", "held"}}).value();
  const auto refused = actions.act(QueueAction::Release, filter, "operator", 10, "AAAA");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Invalid);
  EXPECT_TRUE(trail().empty());
}

TEST_F(QueueActionsTest, ABounceIsLeftToWhoeverClaimsItNext) {
  const MessageId waiting = put(*queue, {"a@d.example"});
  const MessageId held = put(*queue, {"b@d.example"});
  ASSERT_EQ(act(QueueAction::Hold, held).changed, 1U);
  ASSERT_EQ(act(QueueAction::Bounce, waiting).changed, 1U);
  ASSERT_EQ(act(QueueAction::Bounce, held).changed, 1U);
  EXPECT_EQ(show(held).state, DeliveryState::Queued);
  EXPECT_EQ(show(held).history.back().text, "operator: bounce");
  const auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 2U);
  for (const auto& claim : claims) EXPECT_TRUE(claim.delivery.to_be_bounced);
}

TEST_F(QueueActionsTest, ALaterOrderTakesABounceBack) {
  const MessageId id = put(*queue, {"a@d.example"});
  for (const auto later : {QueueAction::Hold, QueueAction::Retry}) {
    ASSERT_EQ(act(QueueAction::Bounce, id).changed, 1U);
    ASSERT_EQ(act(later, id).changed, 1U);
    EXPECT_FALSE(show(id).to_be_bounced);
    if (later == QueueAction::Hold) {
      ASSERT_EQ(act(QueueAction::Release, id).changed, 1U);
    }
  }
  EXPECT_FALSE(claim_all(*queue).at(0).delivery.to_be_bounced);
}

TEST_F(QueueActionsTest, OnlySealedMailIsRerouted) {
  for (const auto kind : {Notice::Kind::Notification, Notice::Kind::SenderCode, Notice::Kind::KeyEvent}) {
    const MessageId id = queue->new_id();
    ASSERT_TRUE(queue->put(Notice(kind, WipedBuffer(16, 'x')), {id, {}, std::nullopt, {}, false, clock.now()},
                           addressee("bob@d.example")));
    for (const char* to : {"smtp://thief.example:25", "mx"}) {
      const auto done = act({QueueAction::Reroute, to}, id);
      EXPECT_EQ(done.matched, 1U);
      EXPECT_EQ(done.changed, 0U) << "its link and code travel as the settings say";
    }
    EXPECT_EQ(show(id).destination, "d.example");
    ASSERT_EQ(act(QueueAction::Hold, id).changed, 1U) << "all else can be done to it";
  }
}

TEST_F(QueueActionsTest, ReroutingMovesADeliveryInTheSchedule) {
  const MessageId id = put(*queue, {"a@d.example"});
  const MessageId other = put(*queue, {"b@d.example"});
  for (const auto& claim : claim_all(*queue)) {
    ASSERT_TRUE(queue->deferred(claim, "451 later", clock.now() + 1h));
  }
  ASSERT_EQ(act({QueueAction::Reroute, "smtp://backup.example:25"}, id).changed, 1U);
  EXPECT_EQ(show(id).destination, "smtp://backup.example:25");
  EXPECT_EQ(show(id).domain, "d.example");
  EXPECT_EQ(show(id).history.back().text, "operator: reroute to smtp://backup.example:25");
  const auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 1U) << "only it is due now";
  EXPECT_EQ(claims[0].delivery.destination, "smtp://backup.example:25");
  ASSERT_TRUE(queue->deferred(claims[0], "451 later", clock.now() + 1h));
  ASSERT_EQ(act({QueueAction::Reroute, "mx"}, id).changed, 1U);
  EXPECT_EQ(show(id).destination, "d.example");
  EXPECT_EQ(show(other).destination, "d.example");
  EXPECT_TRUE(keys("queue:*:due:smtp*").empty());
}

/// Its event would leave as mail.
TEST_F(QueueActionsTest, AWebhooksEventIsNotRerouted) {
  const MessageId id = queue->new_id();
  Addressee receiver = addressee("abc@webhook.invalid");
  receiver.destination = "webhook:abc";
  ASSERT_TRUE(queue->put(seal(1), envelope(id), std::vector{receiver}));
  const auto done = act({QueueAction::Reroute, "smtp://backup.example:25"}, id);
  EXPECT_EQ(done.matched, 1U);
  EXPECT_EQ(done.changed, 0U);
  EXPECT_EQ(show(id).destination, "webhook:abc");
  EXPECT_EQ(act(QueueAction::Hold, id).changed, 1U);
  EXPECT_EQ(act({QueueAction::Reroute, "mx"}, id).changed, 0U) << "held or not";
}

TEST_F(QueueActionsTest, TwoOperatorsAtOnceChangeEachDeliveryOnce) {
  for (int i = 0; i < 60; ++i) put(*queue, {"a@d.example", "b@e.example"});
  const auto filter = parse_filter({{"domain", "d.example"}}).value();
  std::array<std::size_t, 2> changed{};
  {
    std::vector<std::jthread> operators;
    for (std::size_t i = 0; i < changed.size(); ++i) {
      operators.emplace_back([&, i] {
        ActionResult step;
        do {
          step = actions.act(QueueAction::Hold, filter, "operator", 10, step.cursor).value();
          changed.at(i) += step.changed;
        } while (!step.cursor.empty());
      });
    }
  }
  EXPECT_EQ(changed[0] + changed[1], 60U);
  EXPECT_EQ(view.summary()->states[DeliveryState::Held], 60U);
}

/// A schedule that is no sorted set stops the second look; the first one's two hundred are done, and told.
TEST_F(QueueActionsTest, WhatBreaksOffTellsWhatItDidAndGoesOnThere) {
  std::vector<std::string> many;
  for (int i = 0; i < 300; ++i) many.push_back("user" + std::to_string(i) + "@d.example");
  put(*queue, many);
  clock.advance(1s);
  const MessageId id = put(*queue, {"last@odd.example"});
  const std::string due = queue_keys::due(id.shard(), "odd.example");
  ASSERT_TRUE(redis.command({"RENAME", due, "aside"}));
  ASSERT_TRUE(redis.command({"SET", due, "no sorted set"}));
  const auto filter = parse_filter({{"state", "waiting"}}).value();
  const auto begun = actions.act(QueueAction::Hold, filter, "operator", 10'000).value();
  ASSERT_TRUE(begun.broken);
  EXPECT_FALSE(begun.goes_on());
  EXPECT_EQ(begun.matched, 200U);
  EXPECT_EQ(begun.changed, 200U);
  EXPECT_EQ(trail().back(), "operator queue.hold [state=waiting] 200 matched, 200 changed, then broken off: " +
                                begun.broken->public_text);
  ASSERT_TRUE(redis.command({"RENAME", "aside", due}));
  const auto ended = actions.act(QueueAction::Hold, filter, "operator", 10'000, begun.cursor).value();
  EXPECT_FALSE(ended.broken);
  EXPECT_EQ(ended.matched, 101U);
  EXPECT_EQ(ended.cursor, "");
  EXPECT_EQ(view.counts()->states[DeliveryState::Held], 301U);
}

struct RouteCase {
  const char* text;
  const char* route;  ///< nullptr: refused
};
const std::string long_route = "smtp://" + std::string(300, 'a') + ".example:25";
class Reroute : public ::testing::TestWithParam<RouteCase> {};
TEST_P(Reroute, IsToWhatDeliveriesCanBeSentTo) {
  const auto route = parse_reroute(GetParam().text);
  ASSERT_EQ(route.ok(), GetParam().route != nullptr);
  if (route) {
    EXPECT_EQ(*route, GetParam().route);
  }
}
INSTANTIATE_TEST_SUITE_P(
    All, Reroute,
    ::testing::Values(RouteCase{"mx", "mx"}, RouteCase{"smtp://a.example", "smtp://a.example:25"},
                      RouteCase{"smtps://a.example", "smtps://a.example:465"},
                      RouteCase{"lmtp://127.0.0.1:24", "lmtp://127.0.0.1:24"},
                      RouteCase{"smtp://[2001:db8::1]:2525", "smtp://[2001:db8::1]:2525"},
                      RouteCase{"maildir:/tmp/x", nullptr}, RouteCase{"a.example", nullptr},
                      RouteCase{"smtp://user@a.example", nullptr}, RouteCase{"", nullptr},
                      RouteCase{"webhook:1", nullptr}, RouteCase{"smtp://a.example\r", nullptr},
                      RouteCase{"smtp://a.example\r:25", nullptr}, RouteCase{"smtp://a\x1b.example:25", nullptr},
                      RouteCase{"smtp://\x7f:25", nullptr}, RouteCase{"smtp://a_b.c d:25", nullptr},
                      RouteCase{"smtp://localhost:25", "smtp://localhost:25"}, RouteCase{long_route.c_str(), nullptr}));

}  // namespace
}  // namespace sealpost::test
