// SPDX-License-Identifier: Apache-2.0
// Notifications go out exactly once whatever crashes, and reminders within their limits.
#include <stdexcept>
#include <thread>

#include "notify/codes.h"
#include "tests/unit/notify/notifier_fixture.h"

namespace sealpost {
namespace {

using test::address;
using test::NotifierTest;

struct Crash : std::runtime_error {
  Crash() : std::runtime_error("crash") {}
};

/// Ends its user at the n-th use: every step of making a notification draws random octets, so each gap between them is
/// hit once.
class CrashingRandom final : public Random {
 public:
  explicit CrashingRandom(int uses) : left_(uses) {}
  void fill(std::span<unsigned char> out) override {
    if (left_-- == 0) throw Crash();
    real_.fill(out);
  }

 private:
  SystemRandom real_;
  int left_;
};

TEST_F(NotifierTest, SendsOneNotificationToTheAddressAlone) {
  const auto key = assign("Bob@example.net");
  const auto notices = serve();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].recipient, "Bob@example.net");
  EXPECT_TRUE(notices[0].notification);
  EXPECT_NE(notices[0].raw.find("\r\nsender@example.com sent you encrypted mail.\r\n"), std::string::npos);
  EXPECT_EQ(store->find(notices[0].token)->fingerprint, key.fingerprint);
  EXPECT_TRUE(serve().empty());
}

TEST_F(NotifierTest, WritesInTheLanguageOfTheRecipientsDomain) {
  notify_settings.language = "fr";
  recipient_domains = {{"example.net", {"de"}}, {"example.org", {}}};
  restart();
  const auto subject_of = [this](const std::string& mailbox) {
    assign(mailbox);
    return test::parse_mail(serve().at(0).raw).field("subject");
  };
  EXPECT_EQ(subject_of("bob@EXAMPLE.net"), "Ihr Schlüssel für verschlüsselte E-Mails");
  EXPECT_EQ(subject_of("bob@example.org"), "Votre clé pour le courrier chiffré");
  EXPECT_EQ(subject_of("bob@example.com"), "Votre clé pour le courrier chiffré");
}

TEST_F(NotifierTest, WritesAReceiptInTheLanguageOfTheRecipientsDomainAndSendsItOnce) {
  recipient_domains = {{"example.net", {"de"}}};
  restart();
  const DestroyedKey destroyed{"Bob@example.net", assign("bob@example.net"), clock.now(), "receipt:1"};
  const auto receipt = notifier->send_receipt(destroyed);
  ASSERT_TRUE(receipt) << receipt.error().internal_detail;
  EXPECT_TRUE(receipt->text.starts_with("Quittung: ")) << receipt->text;
  EXPECT_EQ(notifier->send_receipt(destroyed)->text, receipt->text);
  const auto mails = sent();
  ASSERT_EQ(mails.size(), 1U);
  EXPECT_EQ(mails[0].recipient, "Bob@example.net");
  EXPECT_EQ(mails[0].raw, view(receipt->message));
}

TEST_F(NotifierTest, AttachesTheKeyWhereTheRecipientsDomainWantsIt) {
  recipient_domains["attach.example"].mode = NotifyMode::Attach;
  restart();
  const auto attaches = [this](const std::string& mailbox) {
    assign(mailbox);
    return serve().at(0).raw.find("application/x-pkcs12") != std::string::npos;
  };
  EXPECT_TRUE(attaches("bob@attach.example"));
  EXPECT_FALSE(attaches("bob@sub.attach.example"));
  notify_settings.mode = NotifyMode::Attach;
  recipient_domains["code.example"].mode = NotifyMode::Code;
  restart();
  EXPECT_TRUE(attaches("bob@example.net"));
  EXPECT_FALSE(attaches("bob@code.example"));
}

TEST_F(NotifierTest, SaysNothingOfAPairThatWasForgottenMeanwhile) {
  for (const auto mode : {NotifyMode::Code, NotifyMode::Attach}) {
    notify_settings.mode = mode;
    restart();
    const std::string mailbox = mode == NotifyMode::Code ? "bob@example.net" : "carol@example.net";
    const auto key = assign(mailbox);
    ASSERT_TRUE(keys->life.forget(mailbox, key.fingerprint));
    EXPECT_TRUE(serve().empty());
    clock.advance(claim_lifetime);
    EXPECT_TRUE(keys->directory.claim_outbox(10).value().empty()) << "nothing is owed any more";
  }
}

TEST_F(NotifierTest, OfAKeyRequestNamesNobody) {
  ASSERT_TRUE(keys->directory.find_or_assign(address("bob@example.net"), {"crm", {}})->assigned);
  ASSERT_TRUE(keys->directory.release_notification(address("bob@example.net")));
  const auto notices = serve();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_NE(notices[0].raw.find("had a key made"), std::string::npos);
}

TEST_F(NotifierTest, CrashAfterTheClaimSendsOne) {
  assign("bob@example.net");
  ASSERT_EQ(keys->directory.claim_outbox(16)->size(), 1U);
  expect_exactly_one("bob@example.net");
}

TEST_F(NotifierTest, CrashAtAnyStepBeforeThePutSendsOne) {
  int steps = 0;
  for (bool crashed = true; crashed; ++steps) {
    const std::string mailbox = "step" + std::to_string(steps) + "@example.net";
    assign(mailbox);
    CrashingRandom source(steps);
    auto victim = make_notifier(source, [] {});
    crashed = false;
    try {
      EXPECT_TRUE(victim->serve_outbox());
    } catch (const Crash&) {
      crashed = true;
    }
    victim.reset();
    expect_exactly_one(mailbox);
  }
  EXPECT_GT(steps, 4) << "token, code, Message-ID, boundary at least";
}

TEST_F(NotifierTest, CrashBetweenPutAndSettleSendsOne) {
  assign("bob@example.net");
  auto victim = make_notifier(random, [] { throw Crash(); });
  EXPECT_THROW(static_cast<void>(victim->serve_outbox()), Crash);
  victim.reset();
  expect_exactly_one("bob@example.net");
}

TEST_F(NotifierTest, ReplayKeepsTheLinkThatWasSent) {
  notify_settings.mode = NotifyMode::Attach;
  restart();
  assign("bob@example.net");
  auto victim = make_notifier(random, [] { throw Crash(); });
  EXPECT_THROW(static_cast<void>(victim->serve_outbox()), Crash);
  clock.advance(claim_lifetime);
  const auto notices = serve();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(keys->redis.command({"KEYS", "pickup:*:link:*"})->size(), 1U) << "the second try's link is withdrawn";
  const auto session = open(notices[0].token, notices[0].code);
  ASSERT_TRUE(session);
  const auto shown = pickup->show(notices[0].token, session->reveal());
  const std::string path = dir.write("a.p12", test::parse_mail(notices[0].raw).parts.at(2).body);
  EXPECT_EQ(test::run({"openssl", "pkcs12", "-in", path, "-passin", "stdin", "-nodes"}, shown->attached_password + "\n")
                .status,
            0)
      << "the page's password is the one of the file that was sent";
}

TEST_F(NotifierTest, WithdrawnLinkGivesTheEarlierOneItsPlaceBack) {
  const auto first = notified("bob@example.net");
  const auto link = store->find(first.token).value();
  const Secret token = make_token(random);
  const auto earlier = store->add(token, make_code(random), link);
  ASSERT_EQ(*earlier, link.id);
  EXPECT_NE(store->latest("bob@example.net").value()->id, link.id);
  ASSERT_TRUE(store->withdraw(token, "bob@example.net", *earlier));
  EXPECT_EQ(store->latest("bob@example.net").value()->id, link.id);
  EXPECT_FALSE(store->find(token.reveal()));

  const Secret again = make_token(random);
  const Secret newer = make_token(random);
  ASSERT_TRUE(store->add(again, make_code(random), link));
  ASSERT_TRUE(store->add(newer, make_code(random), link));
  ASSERT_TRUE(store->withdraw(again, "bob@example.net", link.id));
  EXPECT_EQ(store->latest("bob@example.net").value()->id, store->find(newer.reveal())->id) << "a newer one stays";
}

TEST_F(NotifierTest, TwoNodesSendOne) {
  for (int i = 0; i < 20; ++i) assign("user" + std::to_string(i) + "@example.net");
  auto other = make_notifier(random, [] {});
  std::jthread thread([&] { EXPECT_TRUE(other->serve_outbox()); });
  EXPECT_TRUE(notifier->serve_outbox());
  thread.join();
  EXPECT_EQ(sent().size(), 20U);
}

TEST_F(NotifierTest, RemindsOfACodeThatExpired) {
  notified("bob@example.net");
  ASSERT_TRUE(remind("bob@example.net"));
  EXPECT_TRUE(serve().empty()) << "the code still works";
  clock.advance(day * 30);
  ASSERT_TRUE(remind("bob@example.net"));
  EXPECT_EQ(serve().size(), 1U);
  ASSERT_TRUE(remind("bob@example.net"));
  EXPECT_TRUE(serve().empty()) << "there is a fresh one now";
}

TEST_F(NotifierTest, RemindsOfACodeThatWasUsedWhileItsKeyWasNeverTaken) {
  const auto notice = notified("bob@example.net");
  ASSERT_TRUE(open(notice.token, notice.code));
  clock.advance(day - std::chrono::milliseconds(1));
  ASSERT_TRUE(remind("bob@example.net"));
  EXPECT_TRUE(serve().empty()) << "the code still works";
  clock.advance(std::chrono::milliseconds(1));
  ASSERT_TRUE(remind("bob@example.net"));
  EXPECT_EQ(serve().size(), 1U);
}

TEST_F(NotifierTest, RemindsOfALockedCodeOnceADay) {
  lock_latest(notified("bob@example.net"));
  ASSERT_TRUE(remind("bob@example.net"));
  const auto second = serve();
  ASSERT_EQ(second.size(), 1U);
  lock_latest(second[0]);
  ASSERT_TRUE(remind("bob@example.net"));
  EXPECT_TRUE(serve().empty()) << "one was ordered today";
  clock.advance(day);
  ASSERT_TRUE(remind("bob@example.net"));
  EXPECT_EQ(serve().size(), 1U);
}

TEST_F(NotifierTest, RemindsWhenTheNotificationDidNotArrive) {
  notified("bob@example.net");
  notifier->sent("Bob@EXAMPLE.net", false);
  ASSERT_TRUE(remind("bob@example.net"));
  EXPECT_EQ(serve().size(), 1U);
  ASSERT_TRUE(remind("bob@example.net"));
  EXPECT_TRUE(serve().empty()) << "the new one is on its way";
}

TEST_F(NotifierTest, RemembersWhenANotificationArrived) {
  const auto address = EmailAddress::parse("bob@example.net").value();
  EXPECT_FALSE(store->sent({address}).value()[0]);
  notified("bob@example.net");
  EXPECT_FALSE(store->sent({address}).value()[0]) << "not when it is put";
  notifier->sent("Bob@EXAMPLE.net", true);
  const auto sent = store->sent({EmailAddress::parse("other@example.net").value(), address}).value();
  EXPECT_FALSE(sent[0]);
  ASSERT_TRUE(sent[1]);
  EXPECT_EQ(sent[1]->time, clock.now());
  EXPECT_EQ(sent[1]->fingerprint, store->latest("bob@example.net").value()->fingerprint);
}

TEST_F(NotifierTest, RemindsOfACodeSoOldThatItsLinkIsForgotten) {
  settings.policy = KeyPolicy::Permanent;
  restart();
  notified("bob@example.net");
  clock.advance(day * 30);
  for (const char* pattern : {"pickup:*:link:*", "pickup:*:latest:*"}) {
    const auto names = keys->redis.command({"KEYS", pattern}).value();
    ASSERT_EQ(names.size(), 1U);
    ASSERT_TRUE(keys->redis.command({"DEL", std::string(names[0].text())}));
  }
  ASSERT_TRUE(remind("bob@example.net"));
  EXPECT_EQ(serve().size(), 1U);
}

TEST_F(NotifierTest, DoesNotRemindOfAPairThatWasPickedUp) {
  const auto notice = notified("bob@example.net");
  const auto session = open(notice.token, notice.code);
  ASSERT_TRUE(pickup->take(notice.token, session->reveal(), {}, Pkcs12Format::Modern, std::nullopt));
  EXPECT_EQ(sent().size(), 1U);
  clock.advance(day * 31);
  ASSERT_TRUE(remind("bob@example.net"));
  EXPECT_TRUE(serve().empty());
}

TEST_F(NotifierTest, RemindsOfNothingThatIsServedWhileItLooks) {
  for (int round = 0; round < 50; ++round) {
    const std::string mailbox = "bob" + std::to_string(round) + "@example.net";
    const auto key = assign(mailbox);
    {
      // Many at once, so that the machine stops some of them between one look and the next.
      std::vector<std::jthread> mails;
      for (int i = 0; i < 40; ++i) {
        mails.emplace_back([&] { EXPECT_TRUE(notifier->remind(key, address(mailbox), introduction)); });
      }
      EXPECT_TRUE(notifier->serve_outbox());
    }
    ASSERT_TRUE(notifier->serve_outbox());
    ASSERT_EQ(sent().size(), 1U) << round;
  }
}

TEST_F(NotifierTest, DoesNotRemindBeforeTheFirstNotification) {
  assign("bob@example.net");
  ASSERT_TRUE(remind("bob@example.net"));
  EXPECT_EQ(serve().size(), 1U);
  ASSERT_TRUE(remind("bob@example.net"));
  EXPECT_TRUE(serve().empty());
}

/// Two senders write to somebody new; the one whose message caused the pair is refused, the other one is accepted.
class RefusedFirstSender : public NotifierTest, public testing::WithParamInterface<bool> {};

TEST_P(RefusedFirstSender, LeavesOneNotificationForTheOther) {
  const bool refused_first = GetParam();
  const auto bob = address("bob@example.net");
  ASSERT_TRUE(keys->directory.find_or_assign(bob, introduction)->assigned);
  if (refused_first) {
    ASSERT_TRUE(keys->directory.cancel_notification(bob));
    clock.advance(claim_lifetime);
    EXPECT_TRUE(serve().empty()) << "a refused message tells nobody";
  }
  ASSERT_TRUE(remind("bob@example.net"));
  if (!refused_first) {
    ASSERT_TRUE(keys->directory.cancel_notification(bob));
  }
  EXPECT_EQ(serve().size(), 1U);
  ASSERT_TRUE(remind("bob@example.net"));
  clock.advance(day);
  EXPECT_TRUE(serve().empty());
}

INSTANTIATE_TEST_SUITE_P(Orders, RefusedFirstSender, testing::Bool(), [](const auto& info) {
  return info.param ? "RefusalThenAcceptance" : "AcceptanceThenRefusal";
});

TEST_F(NotifierTest, RemindsOfAPairWhoseNotificationWasCancelledThoughAnEarlierPairsLinkWorks) {
  settings.interim_lifetime = day;
  restart();
  notified("bob@example.net");
  clock.advance(day * 2);
  ASSERT_TRUE(keys->directory.find_or_assign(address("bob@example.net"), introduction)->assigned);
  ASSERT_TRUE(keys->directory.cancel_notification(address("bob@example.net")));
  ASSERT_TRUE(remind("bob@example.net"));
  EXPECT_EQ(serve().size(), 1U);
}

TEST_F(NotifierTest, KeepsWorkingAfterRedisWasAway) {
  assign("bob@example.net");
  server.kill();
  EXPECT_FALSE(notifier->serve_outbox());
  server.start();
  std::size_t count = 0;
  // The pool's connections that died meanwhile are found out one by one.
  for (int i = 0; i < 10 && count == 0; ++i) {
    if (auto served = notifier->serve_outbox()) count = *served;
  }
  EXPECT_EQ(count, 1U);
  EXPECT_EQ(sent().size(), 1U);
}

}  // namespace
}  // namespace sealpost
