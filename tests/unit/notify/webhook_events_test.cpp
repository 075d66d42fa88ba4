// SPDX-License-Identifier: Apache-2.0
// Which event is told to whom: the account's own webhooks that want it, once each, and what it says.
#include "notify/webhook_events.h"

#include <gmock/gmock.h>

#include "queue/queue_view.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Types = std::set<EventType>;

class WebhookEventsTest : public QueueTest {
 protected:
  Webhook add(const Types& types, const std::string& account = "crm", Time since = Time()) {
    return webhooks.add(account, since, WebhookUrl::parse("https://hooks.example.com/").value(), types, false).value();
  }
  /// A delivery of that account, as it stands in the queue.
  DeliveryRecord delivery(const std::string& account = "crm", const std::string& recipient = "bob@example.net") {
    return view.show(DeliveryId(put(*queue, {recipient}, account), 1)).value();
  }
  Status tell(EventType type, const DeliveryRecord& record) { return events.ended({type, record, "250 2.0.0 ok"}); }
  /// {destination, JSON} of what waits for webhooks.
  std::vector<std::pair<std::string, std::string>> waiting() {
    std::vector<std::pair<std::string, std::string>> found;
    for (const auto& claim : claim_all(*events_queue)) {
      auto body = events_queue->open(claim).value();
      const std::string text = read_all(*body);
      found.emplace_back(claim.delivery.destination, text.substr(text.find("\r\n\r\n") + 4));
    }
    return found;
  }

  std::unique_ptr<MailQueue> queue = process();
  /// That of the webhooks' deliverer: it sees no mail.
  std::unique_ptr<MailQueue> events_queue =
      std::make_unique<MailQueue>(redis, master, clock, random, log, 60s, Schedule::Webhooks);
  Webhooks webhooks{redis, master, clock, random, log};
  bool full = false;
  int queued = 0;
  WebhookEvents events{
      webhooks, *events_queue, view, master, clock, log, [this] { return full; }, [this] { ++queued; }};
};

TEST_F(WebhookEventsTest, AnEventSaysWhatHappened) {
  const auto webhook = add({EventType::Delivered});
  auto record = delivery();
  record.attempts = 2;
  ASSERT_TRUE(tell(EventType::Delivered, record));
  EXPECT_EQ(queued, 1);
  const auto found = waiting();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].first, "webhook:" + webhook.id);
  EXPECT_EQ(webhook_of_destination(found[0].first), webhook.id);
  EXPECT_EQ(found[0].second, R"({"type":"delivered","timestamp":")" + to_rfc3339(clock.now()) +
                                 R"(","data":{"message":")" + record.id.message().text() + R"(","delivery":")" +
                                 record.id.text() +
                                 R"(","from":"sender@example.com","recipient":"bob@example.net","attempts":3,)"
                                 R"("response":"250 2.0.0 ok","next_attempt":null,"key":{"fingerprint":")" +
                                 std::string(64, 'a') + R"(","state":"interim"}}})");
}

TEST_F(WebhookEventsTest, OnlyTheAccountsOwnThatWantItAreTold) {
  const auto both = add({EventType::Delivered, EventType::Bounced});
  const auto bounced = add({EventType::Bounced});
  add({EventType::Bounced}, "erp");
  ASSERT_TRUE(tell(EventType::Bounced, delivery()));
  std::set<std::string> told;
  for (const auto& [destination, json] : waiting()) told.insert(destination);
  EXPECT_EQ(told, (std::set<std::string>{"webhook:" + both.id, "webhook:" + bounced.id}));
  ASSERT_TRUE(tell(EventType::Deferred, delivery()));
  EXPECT_TRUE(waiting().empty());
}

TEST_F(WebhookEventsTest, AnAttemptIsToldOnceAndTheNextOneAgain) {
  add({EventType::Deferred});
  auto record = delivery();
  const DeliveryEvent deferred{EventType::Deferred, record, "450 4.2.0 later", clock.now() + 5min};
  ASSERT_TRUE(events.ended(deferred));
  ASSERT_TRUE(events.ended(deferred)) << "as after a crash before the outcome was recorded";
  record.attempts = 1;
  ASSERT_TRUE(events.ended(deferred));
  const auto found = waiting();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_THAT(found[0].second, HasSubstr("\"next_attempt\":\"" + to_rfc3339(clock.now() + 5min) + "\""));
}

TEST_F(WebhookEventsTest, AnAttemptThatEndedOtherwiseAfterACrashIsToldToo) {
  add({EventType::Deferred, EventType::Delivered});
  const auto record = delivery();
  ASSERT_TRUE(tell(EventType::Deferred, record));
  ASSERT_TRUE(tell(EventType::Delivered, record)) << "the same attempt: the first outcome was not recorded";
  EXPECT_EQ(waiting().size(), 2U);
}

TEST_F(WebhookEventsTest, WhatAnEarlierAccountOfThatNameDidIsNotTold) {
  const auto record = delivery();
  clock.advance(1ms);
  add({EventType::Delivered, EventType::PickedUp}, "crm", clock.now());
  ASSERT_TRUE(tell(EventType::Delivered, record));
  KeyRecord key;
  key.fingerprint = std::string(64, 'a');
  ASSERT_TRUE(events.picked_up("bob@example.net", key));
  EXPECT_TRUE(waiting().empty());
  ASSERT_TRUE(tell(EventType::Delivered, delivery()));
  EXPECT_EQ(waiting().size(), 1U);
}

TEST_F(WebhookEventsTest, MailAndEventsAreClaimedApart) {
  add({EventType::Delivered});
  const auto record = delivery();
  ASSERT_TRUE(tell(EventType::Delivered, record));
  const auto mail = claim_all(*queue);
  ASSERT_EQ(mail.size(), 1U);
  EXPECT_EQ(mail[0].delivery.id, record.id);
  EXPECT_EQ(waiting().size(), 1U);
  EXPECT_EQ(view.summary()->destinations.size(), 2U) << "an operator sees both";
}

TEST_F(WebhookEventsTest, EventsLeaveNothingBehindForLong) {
  add({EventType::Delivered});
  ASSERT_TRUE(tell(EventType::Delivered, delivery()));
  const auto once = keys("queue:*:once:*");
  ASSERT_EQ(once.size(), 1U);
  EXPECT_LE(redis.command({"PTTL", once[0]})->integer(), 3'600'000);
}

TEST_F(WebhookEventsTest, OthersMailToTheRecipientHidesNoPickup) {
  const auto mine = add({EventType::PickedUp});
  const auto record = delivery();
  for (int i = 0; i < 300; ++i) put(*queue, {"bob@example.net"}, "erp");
  KeyRecord key;
  key.fingerprint = std::string(64, 'a');
  ASSERT_TRUE(events.picked_up("bob@example.net", key));
  const auto found = waiting();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].second, HasSubstr(record.id.message().text()));
}

TEST_F(WebhookEventsTest, NoticesAreNobodysMail) {
  add({EventType::Delivered}, "");
  auto record = delivery();
  record.notice = true;
  ASSERT_TRUE(tell(EventType::Delivered, record));
  record.notice = false;
  record.account.clear();
  ASSERT_TRUE(tell(EventType::Delivered, record));
  EXPECT_TRUE(waiting().empty());
}

TEST_F(WebhookEventsTest, APickupIsToldToEachAccountWhoseMailItOpens) {
  const auto crm = add({EventType::PickedUp});
  add({EventType::PickedUp}, "erp");
  add({EventType::PickedUp}, "other");
  const auto first = delivery("crm");
  const auto second = delivery("crm");
  delivery("erp", "carol@example.net");
  KeyRecord key;
  key.address = "bob@example.net";
  key.fingerprint = std::string(64, 'a');
  ASSERT_TRUE(events.picked_up("bob@example.net", key));
  ASSERT_TRUE(events.picked_up("bob@example.net", key)) << "and once";
  const auto found = waiting();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].first, "webhook:" + crm.id);
  EXPECT_THAT(found[0].second, HasSubstr(R"("type":"picked_up")"));
  EXPECT_THAT(found[0].second, HasSubstr(R"("recipient":"bob@example.net")"));
  for (const auto& record : {first, second}) EXPECT_THAT(found[0].second, HasSubstr(record.id.message().text()));
  key.fingerprint = std::string(64, 'b');
  ASSERT_TRUE(events.picked_up("bob@example.net", key));
  EXPECT_TRUE(waiting().empty()) << "a pair that no mail was sealed to";
}

TEST_F(WebhookEventsTest, AFullStoreDropsEventsAndNotMail) {
  add({EventType::Delivered});
  full = true;
  EXPECT_TRUE(tell(EventType::Delivered, delivery()));
  EXPECT_TRUE(waiting().empty());
}

TEST_F(WebhookEventsTest, AStoreThatIsAwayIsSaidSo) {
  add({EventType::Delivered});
  const auto record = delivery();
  server.kill();
  const auto told = tell(EventType::Delivered, record);
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().kind, ErrorKind::Temporary);
  server.start();
}

}  // namespace
}  // namespace sealpost::test
