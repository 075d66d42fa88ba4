// SPDX-License-Identifier: Apache-2.0
// Why something waits: each reason has its paragraph, its time and its remedy, from records as the queue really writes
// them.
#include "queue/queue_why.h"

#include <gmock/gmock.h>

#include "tests/unit/queue/queue_fixture.h"

namespace sealpost::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class QueueWhyTest : public QueueTest {
 protected:
  Why why(const MessageId& id) {
    auto told = reasons.delivery(DeliveryId(id, 1));
    EXPECT_TRUE(told) << told.error().public_text;
    return told.value();
  }
  Claim claimed(const std::string& to = "bob@d.example") {
    put(*queue, {to});
    auto claims = claim_all(*queue);
    EXPECT_EQ(claims.size(), 1U);
    return std::move(claims.at(0));
  }
  std::unique_ptr<MailQueue> queue = process();
  Rests rests{redis, clock};
  QueueWhy reasons{redis, view, clock, {120h, 20, {}, 72h}};
};

TEST_F(QueueWhyTest, WhatIsDueSaysSo) {
  const MessageId id = put(*queue, {"bob@d.example"});
  const Why told = why(id);
  EXPECT_EQ(told.subject, id.text() + "-1");
  EXPECT_THAT(told.text,
              AllOf(StartsWith(id.text() + "-1 to bob@d.example is queued since 2026-09-21T14:13:20Z (0 s ago)"),
                    HasSubstr("goes out with the next free worker")));
  EXPECT_FALSE(told.until);
  EXPECT_THAT(told.remedies, Contains("sealpostctl queue retry " + id.text() + "-1"));
}

TEST_F(QueueWhyTest, WhatIsSentSaysSo) {
  const Claim claim = claimed();
  EXPECT_THAT(why(claim.delivery.id.message()).text, HasSubstr("is being sent at this moment"));
}

TEST_F(QueueWhyTest, ADeferralNamesReplyNextAttemptAndEnd) {
  const Claim claim = claimed();
  ASSERT_TRUE(queue->deferred(claim, "mx.d.example [192.0.2.1] TLSv1.3: 451 4.7.1 Greylisted", clock.now() + 5min));
  clock.advance(1min);
  const Why told = why(claim.delivery.id.message());
  EXPECT_THAT(told.text, AllOf(HasSubstr("when its 1st attempt ended with: 451 4.7.1 Greylisted."),
                               HasSubstr("tried next at 2026-09-21T14:18:20Z (in 4 min)"),
                               HasSubstr("It bounces at 2026-09-26T14:13:20Z (in 4 d) (delivery.max_age)")));
  EXPECT_EQ(told.until, clock.now() + 4min);
}

TEST_F(QueueWhyTest, ARestingDestinationIsNamedWithItsEnd) {
  const Claim claim = claimed();
  ASSERT_TRUE(
      queue->deferred(claim, "not tried, since the attempt before ended so: connection refused", clock.now() + 5min));
  ASSERT_TRUE(rests.begin("d.example", 90s, "connection refused"));
  EXPECT_THAT(why(claim.delivery.id.message()).text,
              AllOf(HasSubstr("was left out, since the destination could not be reached: connection refused."),
                    HasSubstr("d.example could not be reached (connection refused) and is left alone until "
                              "2026-09-21T14:14:50Z (in 90 s)")));
  const auto told = reasons.domain("D.example").value();
  EXPECT_THAT(told.text,
              AllOf(StartsWith("For d.example 1 delivery waits: 0 queued, 0 being sent, 1 deferred, 0 held."),
                    HasSubstr("is left alone until")));
  EXPECT_EQ(told.until, clock.now() + 90s);
  ASSERT_TRUE(rests.end("d.example"));
  EXPECT_THAT(reasons.domain("d.example")->text, HasSubstr("The last one that failed ended with: connection refused."));
}

/// They have no sender to be told, are sealed to nobody, and go nowhere else.
TEST_F(QueueWhyTest, ANoticeIsGivenUpAndNotRerouted) {
  const Envelope own{queue->new_id(), {}, std::nullopt, {}, false, clock.now()};
  const std::string text = "From: relay\r\n\r\nA link\r\n";
  ASSERT_TRUE(queue->put(Notice(Notice::Kind::Notification, WipedBuffer(text.begin(), text.end())), own,
                         addressee("bob@d.example")));
  ASSERT_TRUE(queue->deferred(claim_all(*queue).at(0), "451 later", clock.now() + 5min));
  const Why told = why(own.id);
  EXPECT_THAT(told.text, AllOf(HasSubstr("It is given up at 2026-09-26T14:13:20Z (in 5 d) (delivery.max_age)"),
                               Not(HasSubstr("bounces"))));
  const std::string id = own.id.text() + "-1";
  EXPECT_THAT(told.remedies, testing::ElementsAre("sealpostctl queue retry " + id, "sealpostctl queue drop " + id));
}

TEST_F(QueueWhyTest, AWebhooksEventHasAScheduleOfItsOwn) {
  const auto events = std::make_unique<MailQueue>(redis, master, clock, random, log, 60s, Schedule::Webhooks);
  const Envelope own{events->new_id(), {}, std::nullopt, {}, false, clock.now()};
  Addressee receiver = addressee("abc@webhook.invalid");
  receiver.destination = "webhook:abc";
  ASSERT_TRUE(events->put(Notice(Notice::Kind::WebhookEvent, WipedBuffer(3, 'x')), own, receiver));
  EXPECT_THAT(why(own.id).text, HasSubstr("goes out with the next free worker that webhooks have"));
  ASSERT_TRUE(events->deferred(claim_all(*events).at(0), "hooks.example [192.0.2.1]: 500", clock.now() + 5s));
  EXPECT_THAT(why(own.id).text,
              AllOf(HasSubstr("ended with: 500. As webhooks are, it is tried next at"),
                    HasSubstr("It is given up at 2026-09-24T14:13:20Z (in 3 d) if nothing changes.")));
  EXPECT_THAT(reasons.domain("webhook.invalid")->remedies,
              testing::ElementsAre("sealpostctl queue retry --domain webhook.invalid"));
}

TEST_F(QueueWhyTest, ThroughAFixedRouteItIsTheRouteThatRests) {
  QueueWhy fixed(redis, view, clock, {120h, 20, "smtp://hub.example:25", 72h});
  Addressee there = addressee("bob@d.example");
  there.destination = "smtp://hub.example:25";
  ASSERT_TRUE(queue->put(seal(1), envelope(queue->new_id()), std::vector{there}));
  ASSERT_TRUE(queue->deferred(claim_all(*queue).at(0), "connection refused", clock.now() + 30s));
  ASSERT_TRUE(rests.begin("smtp://hub.example:25", 90s, "connection refused"));
  const Why told = fixed.domain("d.example").value();
  EXPECT_THAT(told.text, AllOf(HasSubstr("All mail goes through smtp://hub.example:25."),
                               HasSubstr("smtp://hub.example:25 could not be reached (connection refused) and is left "
                                         "alone until 2026-09-21T14:14:50Z"),
                               Not(HasSubstr("The next attempt is due"))));
  EXPECT_EQ(told.until, clock.now() + 90s);
}

TEST_F(QueueWhyTest, NothingWaitingIsAnAnswer) {
  const auto told = reasons.domain("d.example").value();
  EXPECT_EQ(told.text, "Nothing waits for d.example.");
  EXPECT_THAT(told.remedies, IsEmpty());
}

TEST_F(QueueWhyTest, WhatHasFinishedDoesNotWait) {
  const Claim claim = claimed();
  ASSERT_TRUE(queue->delivered(claim, "250 2.0.0 ok"));
  const Why told = why(claim.delivery.id.message());
  EXPECT_THAT(told.text,
              HasSubstr("does not wait: it was delivered at 2026-09-21T14:13:20Z (0 s ago), with: 250 2.0.0 ok."));
  EXPECT_THAT(told.remedies, IsEmpty());
}

TEST_F(QueueWhyTest, WhatAnOperatorGaveUpIsToldSo) {
  const MessageId id = put(*queue, {"bob@d.example"});
  ASSERT_TRUE(view.act(QueueAction::Bounce, {DeliveryId(id, 1)}, false));
  EXPECT_THAT(why(id).text, HasSubstr("An operator gave it up"));
}

struct HeldCase {
  const char* name;
  const char* reason;
  const char* told;
  const char* remedy;
};
void PrintTo(const HeldCase& held, std::ostream* out) { *out << held.name; }
class HeldFor : public QueueWhyTest, public ::testing::WithParamInterface<HeldCase> {};
TEST_P(HeldFor, SaysWhatWouldLetItGo) {
  const Claim claim = claimed();
  ASSERT_TRUE(queue->held(claim, GetParam().reason));
  const Why told = why(claim.delivery.id.message());
  EXPECT_THAT(told.text, AllOf(HasSubstr("is held since"), HasSubstr(GetParam().told)));
  EXPECT_THAT(told.remedies.front(), HasSubstr(GetParam().remedy));
}
INSTANTIATE_TEST_SUITE_P(
    All, HeldFor,
    ::testing::Values(
        HeldCase{"Expired", "the recipient's own certificate has expired",
                 "once bob@d.example has confirmed another certificate", "key resend bob@d.example"},
        HeldCase{"Revoked", "the recipient's own certificate was revoked", "yours to decide", "release"},
        HeldCase{"Deaths", "the relay died 3 times while it sent this", "a release tries it again", "release"},
        HeldCase{"Altered", "the message or its records were altered in the store", "can only be dropped", "drop"},
        HeldCase{"Other", "look at this", ": look at this.", "release"}),
    [](const auto& info) { return info.param.name; });

TEST_F(QueueWhyTest, AnOperatorsHoldIsTheOperators) {
  const MessageId id = put(*queue, {"bob@d.example"});
  ASSERT_TRUE(view.act(QueueAction::Hold, {DeliveryId(id, 1)}, false));
  EXPECT_THAT(why(id).text, HasSubstr("until somebody decides: an operator set it aside."));
}

TEST_F(QueueWhyTest, AnUnknownDeliveryIsNotFound) {
  const auto told = reasons.delivery(DeliveryId(queue->new_id(), 1));
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().kind, ErrorKind::NotFound);
}

}  // namespace
}  // namespace sealpost::test
