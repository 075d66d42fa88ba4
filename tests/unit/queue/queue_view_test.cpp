// SPDX-License-Identifier: Apache-2.0
// The operator's view: listing with filters and cursor, summary, one delivery, and actions with and without a dry run.
#include "queue/queue_view.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "queue/permits.h"
#include "queue/retry_schedule.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;

class QueueViewTest : public test::QueueTest {
 protected:
  std::set<std::string> listed(const DeliveryFilter& filter) {
    std::set<std::string> ids;
    const auto page = view.list(filter, 1000, "");
    EXPECT_TRUE(page) << page.error().internal_detail;
    for (const auto& record : page->deliveries) ids.insert(record.recipient);
    EXPECT_EQ(page->cursor, "");
    return ids;
  }
  using Recipients = std::set<std::string>;
  std::unique_ptr<MailQueue> queue = process();
};

/// Through a fixed route its permits are those of every domain, but not of webhooks.
TEST_F(QueueViewTest, ARouteSharesWhatMayBeAttemptedAtOnce) {
  for (const char* to : {"a@d.example", "b@e.example", "abc@webhook.invalid"}) put(*queue, {to});
  Permits permits(redis, "node", 20);
  ASSERT_TRUE(permits.hold({{"smtp://hub.example:25", 5}, {"e.example", 7}}));
  auto summary = view.summary().value();
  ASSERT_TRUE(share_concurrency(redis, "smtp://hub.example:25", summary));
  std::map<std::string, std::size_t> at_once;
  for (const auto& row : summary.destinations) at_once[row.domain] = row.concurrency;
  EXPECT_EQ(at_once, (std::map<std::string, std::size_t>{{"d.example", 5}, {"e.example", 7}, {"webhook.invalid", 0}}));
}

TEST_F(QueueViewTest, FiltersByEverything) {
  put(*queue, {"old@one.example"}, "crm");
  clock.advance(2h);
  put(*queue, {"Anna@One.example", "b@two.example"}, "erp");
  put(*queue, {"c@two.example"}, "crm");
  for (const auto& claim : claim_all(*queue)) {
    if (claim.delivery.recipient == "b@two.example") {
      ASSERT_TRUE(queue->deferred(claim, "450 4.2.1 Mailbox BUSY", clock.now() + 5min));
    } else if (claim.delivery.recipient == "c@two.example") {
      ASSERT_TRUE(queue->delivered(claim, "250 ok"));
    } else {
      ASSERT_TRUE(queue->release(claim));
    }
  }
  const auto with = [](auto set) {
    DeliveryFilter filter;
    set(filter);
    return filter;
  };
  EXPECT_EQ(listed({}).size(), 4U);
  EXPECT_EQ(listed(with([](auto& f) { f.state = DeliveryState::Queued; })),
            (Recipients{"old@one.example", "Anna@One.example"}));
  EXPECT_EQ(listed(with([](auto& f) { f.state = DeliveryState::Delivered; })), Recipients{"c@two.example"});
  EXPECT_EQ(listed(with([](auto& f) { f.domain = "TWO.example"; })), (Recipients{"b@two.example", "c@two.example"}));
  EXPECT_EQ(listed(with([](auto& f) { f.recipient = "anna@ONE.example"; })), Recipients{"Anna@One.example"});
  EXPECT_EQ(listed(with([](auto& f) { f.account = "crm"; })), (Recipients{"old@one.example", "c@two.example"}));
  EXPECT_EQ(listed(with([](auto& f) { f.error = "mailbox busy"; })), Recipients{"b@two.example"});
  EXPECT_EQ(listed(with([](auto& f) { f.older_than = 1h; })), Recipients{"old@one.example"});
  EXPECT_EQ(listed(with([](auto& f) { f.sender = "Sender@example.com"; })).size(), 4U);
  EXPECT_TRUE(listed(with([](auto& f) { f.sender = "other@example.com"; })).empty());
  EXPECT_TRUE(listed(with([](auto& f) {
                f.domain = "two.example";
                f.account = "crm";
                f.state = DeliveryState::Deferred;
              })).empty());
}

TEST_F(QueueViewTest, FindsAQuotedLocalPart) {
  put(*queue, {"\"Anna B\"@one.example"});
  DeliveryFilter filter;
  filter.recipient = "\"anna b\"@ONE.example";
  EXPECT_EQ(listed(filter).size(), 1U);
}

TEST_F(QueueViewTest, ACursorVisitsEachDeliveryOnce) {
  std::set<std::string> expected;
  for (int i = 0; i < 40; ++i) {
    const MessageId id = put(*queue, {"a@d.example", "b@d.example"});
    expected.insert({id.text() + "-1", id.text() + "-2"});
    if (i % 3 == 0) clock.advance(1ms);
  }
  for (const std::size_t limit : {1U, 7U, 79U, 80U, 81U}) {
    std::set<std::string> seen;
    std::string cursor;
    std::size_t pages = 0;
    do {
      const auto page = view.list({}, limit, cursor);
      ASSERT_TRUE(page);
      ASSERT_LE(page->deliveries.size(), limit);
      for (const auto& record : page->deliveries) {
        EXPECT_TRUE(seen.insert(record.id.text()).second) << record.id.text() << " twice";
      }
      cursor = page->cursor;
      ASSERT_LE(++pages, 81U);
    } while (!cursor.empty());
    EXPECT_EQ(seen, expected) << "pages of " << limit;
  }
}

/// Deliveries that stay are visited once, whatever comes, finishes or is forgotten between the pages.
TEST_F(QueueViewTest, ACursorHoldsWhileTheQueueChanges) {
  std::set<std::string> staying;
  std::vector<MessageId> going;
  for (int i = 0; i < 60; ++i) {
    const MessageId id = put(*queue, {"a@d.example"});
    if (i % 3 == 0) {
      going.push_back(id);
    } else {
      staying.insert(id.text() + "-1");
    }
    clock.advance(1ms);
  }
  std::map<std::string, Claim> claims;
  for (auto& claim : claim_all(*queue)) claims.emplace(claim.delivery.id.message().text(), std::move(claim));
  std::multiset<std::string> seen;
  std::string cursor;
  do {
    const auto page = view.list({}, 7, cursor);
    ASSERT_TRUE(page) << page.error().internal_detail;
    for (const auto& record : page->deliveries) seen.insert(record.id.text());
    cursor = page->cursor;
    put(*queue, {"new@d.example"});
    for (int i = 0; i < 3 && !going.empty(); ++i) {
      ASSERT_TRUE(queue->delivered(claims.at(going.back().text()), "250 ok"));
      going.pop_back();
    }
    ASSERT_TRUE(queue->trim_history(Duration(0)));
  } while (!cursor.empty());
  for (const auto& id : staying) EXPECT_EQ(seen.count(id), 1U) << id;
  for (const auto& id : seen) EXPECT_EQ(seen.count(id), 1U) << id << " was listed twice";
}

TEST_F(QueueViewTest, TheDeliveryThatACursorNamesMayBeGone) {
  for (int i = 0; i < 10; ++i) put(*queue, {"a@d.example"});
  const auto first = view.list({}, 4, "");
  ASSERT_TRUE(first);
  const auto named = first->deliveries.back().id;
  ASSERT_EQ(view.act(QueueAction::Drop, {named}, false)->changed, 1U);
  clock.advance(1h);
  ASSERT_EQ(queue->trim_history(1min).value(), 1U);
  EXPECT_EQ(view.list({}, 100, first->cursor)->deliveries.size(), 6U);
}

TEST_F(QueueViewTest, RefusesCursorsThatAreNotOurs) {
  for (const auto* cursor : {"x", "AAAA", "MDFBUlo", "../..", "MDFBUllaNlM0MTAwMDAwMDAwMDAwMDAwMDAtMSBpbmY"}) {
    const auto page = view.list({}, 10, cursor);
    ASSERT_FALSE(page) << cursor;
    EXPECT_EQ(page.error().kind, ErrorKind::Invalid);
  }
}

TEST_F(QueueViewTest, CountsStatesAsTheSummaryDoesAndTheOldestThatWaits) {
  const auto counted = [&] {
    auto counts = view.counts();
    EXPECT_TRUE(counts);
    EXPECT_EQ(counts->states, view.summary().value().states);
    return *counts;
  };
  EXPECT_FALSE(counted().oldest);
  EXPECT_EQ(counted().states.size(), 7U);
  const Time first = clock.now();
  const MessageId one = put(*queue, {"a@one.example"});
  clock.advance(30min);
  const Time second = clock.now();
  put(*queue, {"b@two.example", "c@two.example"});
  EXPECT_EQ(counted().oldest, first) << "queued";
  EXPECT_EQ(counted().states[DeliveryState::Queued], 3U);
  auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 3U);
  EXPECT_EQ(counted().oldest, first) << "being sent";
  for (const auto& claim : claims) {
    if (claim.delivery.id.message() == one) {
      ASSERT_TRUE(queue->held(claim, "look"));
    } else {
      ASSERT_TRUE(queue->deferred(claim, "450 busy", clock.now() + 5min));
    }
  }
  EXPECT_EQ(counted().oldest, first) << "held";
  ASSERT_TRUE(view.act(QueueAction::Drop, {DeliveryId(one, 1)}, false));
  EXPECT_EQ(counted().oldest, second) << "deferred; what is dropped does not wait";
}

TEST_F(QueueViewTest, TheOldestIsFoundAmongVeryManyDestinations) {
  const Time first = clock.now();
  put(*queue, {"a@first.example"});
  clock.advance(1min);
  for (int i = 0; i < 100; ++i) put(*queue, {"b@d" + std::to_string(i) + ".example"});
  EXPECT_EQ(view.counts().value().oldest, first);
}

TEST_F(QueueViewTest, SummarisesStatesAndDestinations) {
  put(*queue, {"a@one.example"});
  const Time first = clock.now();
  clock.advance(30min);
  const MessageId two = put(*queue, {"b@two.example", "c@two.example", "d@two.example"});
  for (const auto& claim : claim_all(*queue)) {
    if (claim.delivery.id.message() == two && claim.delivery.id.number() == 1) {
      ASSERT_TRUE(queue->deferred(claim, "450 busy", clock.now() + 5min));
    } else if (claim.delivery.id.message() == two && claim.delivery.id.number() == 2) {
      ASSERT_TRUE(queue->held(claim, "look"));
    } else if (claim.delivery.id.message() == two) {
      ASSERT_TRUE(queue->delivered(claim, "250 ok"));
    }
  }
  auto summary = view.summary();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->states[DeliveryState::Sending], 1U);
  EXPECT_EQ(summary->states[DeliveryState::Deferred], 1U);
  EXPECT_EQ(summary->states[DeliveryState::Held], 1U);
  EXPECT_EQ(summary->states[DeliveryState::Delivered], 1U);
  EXPECT_EQ(summary->states[DeliveryState::Queued], 0U);
  EXPECT_EQ(summary->oldest, first);
  ASSERT_EQ(summary->destinations.size(), 2U);
  const auto& one = summary->destinations[1];
  EXPECT_EQ(one.domain, "one.example");
  EXPECT_EQ(one.sending, 1U);
  EXPECT_EQ(one.ages.at(2), 1U);
  const auto& other = summary->destinations[0];
  EXPECT_EQ(other.deferred, 1U);
  EXPECT_EQ(other.held, 1U);
  EXPECT_EQ(other.ages.at(0), 2U);
  EXPECT_EQ(other.next_attempt, clock.now() + 5min);
}

TEST_F(QueueViewTest, RatesAreAMeanOverFiveMinutes) {
  clock.advance(60s - std::chrono::milliseconds(to_milliseconds(clock.now()) % 60'000));  // a minute begins
  put(*queue, {"a@one.example", "b@one.example", "c@one.example", "d@one.example", "e@one.example"});
  const auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 5U);
  ASSERT_TRUE(queue->delivered(claims[0], "250 ok"));
  ASSERT_TRUE(queue->delivered(claims[1], "250 ok"));
  ASSERT_TRUE(queue->bounced(claims[2], "550 no"));
  ASSERT_TRUE(queue->deferred(claims[3], "451 later", clock.now() + 1h));
  ASSERT_TRUE(queue->held(claims[4], "look"));
  const auto rates = [this] { return view.summary().value().rates; };
  EXPECT_DOUBLE_EQ(rates().accepted, 1);
  EXPECT_DOUBLE_EQ(rates().delivered, 0.4);
  EXPECT_DOUBLE_EQ(rates().bounced, 0.2);
  EXPECT_DOUBLE_EQ(rates().deferred, 0.2);
  clock.advance(4min + 59s);
  EXPECT_DOUBLE_EQ(rates().accepted, 1);
  clock.advance(31s);  // half of that minute has left the window
  EXPECT_DOUBLE_EQ(rates().accepted, 0.5);
  clock.advance(30s);
  EXPECT_DOUBLE_EQ(rates().accepted, 0);
  for (const auto& key : keys("queue:*:rates:*")) EXPECT_GT(redis.command({"TTL", key})->integer(), 0) << key;
}

TEST_F(QueueViewTest, LatencyIsEstimatedFromClasses) {
  EXPECT_FALSE(read_latency(redis, clock.now()).value());
  for (int i = 0; i < 100; ++i) put(*queue, {"a@one.example"});
  auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 100U);
  clock.advance(200ms);
  for (int i = 0; i < 90; ++i) ASSERT_TRUE(queue->delivered(claims[i], "250 ok"));
  clock.advance(4s);
  for (int i = 90; i < 98; ++i) ASSERT_TRUE(queue->delivered(claims[i], "250 ok"));
  clock.advance(3h);
  ASSERT_TRUE(queue->delivered(claims[98], "250 ok"));
  ASSERT_TRUE(queue->delivered(claims[99], "250 ok"));
  EXPECT_FALSE(read_latency(redis, clock.now() + 10min).value()) << "of the last five minutes";
  const auto late = read_latency(redis, clock.now()).value();
  ASSERT_TRUE(late);
  EXPECT_DOUBLE_EQ(late->p50, 7200) << "only those two";
  const auto early = read_latency(redis, clock.now() - 3h).value();
  ASSERT_TRUE(early);
  EXPECT_GT(early->p50, 0.1);
  EXPECT_LE(early->p50, 0.25);
  EXPECT_GT(early->p95, 2.5);
  EXPECT_LE(early->p95, 5);
  EXPECT_LE(early->p99, 5);
}

TEST_F(QueueViewTest, ActsOnWhatWaitsOnly) {
  const MessageId id = put(*queue, {"a@one.example", "b@one.example", "c@one.example"});
  const DeliveryId waiting(id, 1);
  const DeliveryId sending(id, 2);
  const DeliveryId finished(id, 3);
  for (const auto& claim : claim_all(*queue)) {
    if (claim.delivery.id == waiting) {
      ASSERT_TRUE(queue->deferred(claim, "450 busy", clock.now() + 5min));
    }
    if (claim.delivery.id == finished) {
      ASSERT_TRUE(queue->delivered(claim, "250 ok"));
    }
  }
  struct Step {
    QueueAction action;
    std::size_t changed;
    DeliveryState after;
  };
  for (const auto& step :
       {Step{QueueAction::Release, 0, DeliveryState::Deferred}, Step{QueueAction::Retry, 1, DeliveryState::Deferred},
        Step{QueueAction::Hold, 1, DeliveryState::Held}, Step{QueueAction::Hold, 0, DeliveryState::Held},
        Step{QueueAction::Retry, 0, DeliveryState::Held}, Step{QueueAction::Release, 1, DeliveryState::Queued},
        Step{QueueAction::Drop, 1, DeliveryState::Dropped}, Step{QueueAction::Release, 0, DeliveryState::Dropped}}) {
    const DeliveryState before = view.show(waiting)->state;
    const auto dry = view.act(step.action, {waiting, sending, finished}, true);
    ASSERT_TRUE(dry);
    EXPECT_EQ(dry->matched, 3U);
    EXPECT_EQ(dry->changed, step.changed);
    EXPECT_EQ(view.show(waiting)->state, before) << "a dry run changed something";
    const auto done = view.act(step.action, {waiting, sending, finished}, false);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->changed, step.changed);
    EXPECT_EQ(view.show(waiting)->state, step.after);
  }
  EXPECT_EQ(view.show(sending)->state, DeliveryState::Sending);
  EXPECT_EQ(view.show(finished)->state, DeliveryState::Delivered);
  const auto none = view.act(QueueAction::Drop, {DeliveryId(queue->new_id(), 1)}, false);
  EXPECT_EQ(none->matched, 0U);
  EXPECT_TRUE(claim_all(*process()).empty());
}

TEST_F(QueueViewTest, ActsByFilter) {
  for (int i = 0; i < 3; ++i) put(*queue, {"a@one.example", "b@two.example"});
  DeliveryFilter filter;
  filter.domain = "one.example";
  EXPECT_EQ(actions.count(QueueAction::Hold, filter)->changed, 3U);
  EXPECT_EQ(actions.act(QueueAction::Hold, filter, "operator", 100)->changed, 3U);
  EXPECT_EQ(view.summary()->states[DeliveryState::Held], 3U);
  filter.state = DeliveryState::Held;
  EXPECT_EQ(actions.act(QueueAction::Drop, filter, "operator", 100)->changed, 3U);
  EXPECT_EQ(view.summary()->states[DeliveryState::Dropped], 3U);
  EXPECT_EQ(claim_all(*queue).size(), 3U);
}

TEST_F(QueueViewTest, ShowsNothingOfWhatIsNotThere) {
  const auto none = view.show(DeliveryId(queue->new_id(), 1));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::NotFound);
  EXPECT_TRUE(view.list({}, 10, "")->deliveries.empty());
  EXPECT_TRUE(view.summary()->destinations.empty());
}

TEST(RetrySchedule, RepeatsItsLastStep) {
  const std::vector<std::chrono::milliseconds> steps = {1min, 5min, 1h};
  EXPECT_EQ(retry_pause(steps, 0), 1min);
  EXPECT_EQ(retry_pause(steps, 1), 1min);
  EXPECT_EQ(retry_pause(steps, 2), 5min);
  EXPECT_EQ(retry_pause(steps, 3), 1h);
  EXPECT_EQ(retry_pause(steps, 1000), 1h);
  EXPECT_EQ(retry_pause({}, 1), 1h);
}

}  // namespace
}  // namespace sealpost
