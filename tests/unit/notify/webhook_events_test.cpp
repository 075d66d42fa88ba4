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
  Webhook add(const Types& types, const std::string& account = "crm") {
    return webhooks.add(account, WebhookUrl::parse("https://hooks.example.com/").value(), types, false).value();
  }
  /// A delivery of that account, as it stands in the queue.
  DeliveryRecord delivery(const std::string& account = "crm", const std::string& recipient = "bob@example.net") {
    return view.show(DeliveryId(put(*queue, {recipient}, account), 1)).value();
  }
  Status tell(EventType type, const DeliveryRecord& record) { return events.ended({type, record, "250 2.0.0 ok"}); }
  /// {destination, JSON} of what waits for webhooks.
  std::vector<std::pair<std::string, std::string>> waiting() {
    std::vector<std::pair<std::string, std::string>> found;
    for (const auto& claim : claim_all(*queue)) {
      if (!is_webhook_destination(claim.delivery.destination)) continue;
      auto body = queue->open(claim).value();
      const std::string text = read_all(*body);
      found.emplace_back(claim.delivery.destination, text.substr(text.find("\r\n\r\n") + 4));
    }
    return found;
  }

  std::unique_ptr<MailQueue> queue = process();
  Webhooks webhooks{redis, master, clock, random, log};
  bool full = false;
  int queued = 0;
  WebhookEvents events{webhooks, *queue, view, master, clock, log, [this] { return full; }, [this] { ++queued; }};
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
