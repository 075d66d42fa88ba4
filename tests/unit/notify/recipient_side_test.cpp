// SPDX-License-Identifier: Apache-2.0
// Mail that is held for a certificate of the recipient's own, when the certificate is replaced while the mail is on its
// way into the queue.
#include "notify/recipient_side.h"

#include "tests/unit/notify/notifier_fixture.h"

namespace sealpost {
namespace {

using test::address;

constexpr const char* bob = "bob@example.net";

class RecipientSideTest : public test::NotifierTest {
 protected:
  void SetUp() override {
    NotifierTest::SetUp();
    view = std::make_unique<QueueView>(keys->redis, clock);
    side = std::make_unique<RecipientSide>(
        RecipientSide::Parts{keys->redis, keys->master, keys->directory, keys->life, *queue, *view, clock, random, log},
        notifier_options(), OwnCertificatePolicy{{}, true},
        RecipientSide::Hooks{[] {}, [](const std::string&, const KeyRecord&) { return Status(); }});
    assign(bob);
    first = own("first");
    ASSERT_TRUE(keys->life.replace(bob, first));
    held_for = keys->directory.find(address(bob)).value().value();
    clock.advance(std::chrono::hours(2));
    ASSERT_EQ(use_of(held_for, clock.now()), KeyUse::Hold);
  }

  /// A real certificate, which bob sets as theirs for an hour.
  OwnPair own(const std::string& name) {
    const auto made = assign(name + "@example.org");
    return {made.certificate, made.fingerprint, clock.now() + std::chrono::hours(1)};
  }
  /// Bob's mail that was sealed to the first certificate, as the intake puts it.
  DeliveryRecord put_held() {
    const Envelope envelope{queue->new_id(), "alice@example.com", std::nullopt, {}, false, clock.now()};
    const Notice message(Notice::Kind::KeyEvent, WipedBuffer{'x'});
    Addressee addressee{address(bob), "next-hop", first.fingerprint, "permanent", {}};
    addressee.hold = hold_reason(held_for, clock.now());
    EXPECT_TRUE(queue->put(message, envelope, addressee));
    return held().at(0);
  }
  std::vector<DeliveryRecord> held() {
    DeliveryFilter filter;
    filter.state = DeliveryState::Held;
    return view->list(filter, 10, {}).value().deliveries;
  }
  void tell_of(const DeliveryRecord& delivery) {
    side->waits({delivery, held_for, hold_reason(held_for, clock.now()), "Subject: x\r\n"});
  }

  std::unique_ptr<QueueView> view;
  std::unique_ptr<RecipientSide> side;
  OwnPair first;
  KeyRecord held_for;
};

TEST_F(RecipientSideTest, MailWaitsForAnotherCertificateAndBothAreTold) {
  // A notice stands for a sender's mail here, of which its sender is told.
  auto mail = put_held();
  mail.notice = false;
  mail.mail_from = "alice@example.com";
  mail.dsn.delay = true;
  tell_of(mail);
  EXPECT_EQ(held().size(), 1U);
  std::set<std::string> told;
  for (const auto& notice : sent()) told.insert(notice.recipient);
  EXPECT_TRUE(told.contains(bob));
  EXPECT_TRUE(told.contains("alice@example.com"));
}

TEST_F(RecipientSideTest, MailThatCameWhileTheCertificateWasReplacedGoesOn) {
  ASSERT_TRUE(keys->life.replace(bob, own("second")));
  tell_of(put_held());
  EXPECT_EQ(held().size(), 0U);
}

TEST_F(RecipientSideTest, WhatWasSealedToARevokedCertificateStays) {
  ASSERT_TRUE(keys->life.revoke(bob, first.fingerprint, RevocationReason::KeyCompromise));
  ASSERT_TRUE(keys->life.replace(bob, own("second")));
  tell_of(put_held());
  EXPECT_EQ(held().size(), 1U) << "the operator decides";
}

}  // namespace
}  // namespace sealpost
