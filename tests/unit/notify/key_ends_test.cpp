// SPDX-License-Identifier: Apache-2.0
// What ends with a key: files and mails that would still give it to somebody, a certificate that waits to take its
// place, the visits of whoever may have it; and the receipt that outlasts it.
#include <gmock/gmock.h>

#include "notify/key_shutout.h"
#include "notify/waiting_notices.h"
#include "tests/unit/notify/key_choices_fixture.h"

namespace sealpost::test {
namespace {

using FileKind = Pickup::FileKind;

class KeyEndsTest : public KeyChoicesTest {
 protected:
  std::size_t count(const std::string& pattern) { return keys->redis.command({"KEYS", pattern}).value().size(); }
  Status shut_out(RevocationReason reason, bool current = true) {
    return sealpost::shut_out(*store, *pending, bob, current, reason, clock.now());
  }
  void with_attached_files() {
    notify_settings.mode = NotifyMode::Attach;
    restart();
    notice = notified("carol@example.net");
    session = session_of(notice);
    fingerprint = keys->directory.find(address("carol@example.net"))->value().fingerprint;
  }
  std::string rewrite_marks() {
    std::string all;
    const auto names = keys->redis.command({"KEYS", "keys:*:rewrite"}).value();
    for (std::size_t i = 0; i < names.size(); ++i) {
      all += keys->redis.command({"GET", std::string(names[i].text())})->text();
    }
    return all;
  }
};

TEST_F(KeyEndsTest, AFileThatWaitsGoesWithItsKey) {
  ASSERT_TRUE(pickup->prepare(notice.token, session, {}, Pkcs12Format::Modern));
  ASSERT_TRUE(pickup->download(notice.token, session, FileKind::Key));
  ASSERT_TRUE(choices->forget(notice.token, session, fingerprint));
  EXPECT_EQ(fault(pickup->download(notice.token, session, FileKind::Key)), PickupFault::NoFile);
  EXPECT_EQ(count("pickup:*:file:*"), 0U) << "and before the store's files are rewritten";
  EXPECT_EQ(rewrite_marks(), "1");
}

TEST_F(KeyEndsTest, AFileOfAnotherKeyStays) {
  ASSERT_TRUE(pickup->prepare(notice.token, session, {}, Pkcs12Format::Modern));
  ASSERT_TRUE(store->drop_copies(bob, std::string(64, '0')));
  EXPECT_TRUE(pickup->download(notice.token, session, FileKind::Key));
}

/// As one that is stored a moment after the key was destroyed.
TEST_F(KeyEndsTest, AFileOfADestroyedKeyIsGivenToNobody) {
  ASSERT_TRUE(pickup->prepare(notice.token, session, {}, Pkcs12Format::Modern));
  const std::string name = only("pickup:*:file:*");
  const std::string names = only("pickup:*:files:*");
  const std::string file(keys->redis.command({"GET", name})->text());
  ASSERT_TRUE(choices->forget(notice.token, session, fingerprint));
  ASSERT_TRUE(keys->redis.command({"SET", name, file}));
  ASSERT_TRUE(keys->redis.command({"SADD", names, fingerprint + " " + name}));
  EXPECT_EQ(fault(pickup->download(notice.token, session, FileKind::Key)), PickupFault::NoKey);
  EXPECT_EQ(count("pickup:*:file:*"), 0U);
  EXPECT_EQ(rewrite_marks(), "2") << "the store's files are rewritten once more";
}

TEST_F(KeyEndsTest, ThePasswordOfAnAttachedFileGoesWithItsKey) {
  with_attached_files();
  ASSERT_FALSE(pickup->show(notice.token, session)->attached_password.empty());
  ASSERT_TRUE(*store->has_attached("carol@example.net", fingerprint));
  ASSERT_TRUE(choices->forget(notice.token, session, fingerprint));
  EXPECT_TRUE(pickup->show(notice.token, session)->attached_password.empty());
  EXPECT_TRUE(store->find(notice.token)->attached_secret.empty()) << "and its link is still genuine";
  EXPECT_FALSE(*store->has_attached("carol@example.net", fingerprint));
  EXPECT_THAT(withdrawn, testing::Contains(fingerprint));
}

/// Of a link that nobody noted, as earlier versions made them.
TEST_F(KeyEndsTest, ThePasswordOfADestroyedKeysFileIsShownToNobody) {
  with_attached_files();
  ASSERT_TRUE(keys->redis.command({"DEL", only("pickup:*:attached:*")}));
  ASSERT_TRUE(choices->forget(notice.token, session, fingerprint));
  EXPECT_TRUE(pickup->show(notice.token, session)->attached_password.empty());
}

TEST_F(KeyEndsTest, NotificationsThatWaitCanBeDropped) {
  ASSERT_TRUE(notifier->send_new_code(address(bob)));
  ASSERT_TRUE(notifier->send_new_code(address("Bob@example.net")));
  assign("eve@example.net");
  ASSERT_TRUE(notifier->serve_outbox());
  ASSERT_TRUE(choices->keep(notice.token, session, fingerprint));
  QueueView view(keys->redis, clock);
  EXPECT_EQ(drop_waiting_notifications(view, bob).value(), 2U);
  std::vector<std::string> left;
  for (const auto& mail : sent()) left.push_back(mail.recipient + (mail.notification ? " notification" : ""));
  EXPECT_THAT(left, testing::UnorderedElementsAre("eve@example.net notification", bob)) << "other mail stays";
}

TEST_F(KeyEndsTest, ForgettingTheCurrentKeyDropsWhatWaitsToTakeItsPlace) {
  const std::string code = uploaded(own_certificate());
  ASSERT_TRUE(choices->forget(notice.token, session, fingerprint));
  EXPECT_EQ(fault(confirm(code)), PickupFault::NoCertificate);
}

TEST_F(KeyEndsTest, ForgettingAnEarlierKeyLeavesWhatWaits) {
  ASSERT_TRUE(confirm(uploaded(own_certificate())));
  sent();
  const std::string code = uploaded(own_certificate("other"), "other");
  ASSERT_TRUE(choices->forget(notice.token, session, fingerprint));
  EXPECT_TRUE(confirm(code));
}

TEST_F(KeyEndsTest, ARevokedKeyIsReplacedByNothingThatWaitedBefore) {
  const std::string code = uploaded(own_certificate());
  ASSERT_TRUE(shut_out(RevocationReason::Unspecified));
  EXPECT_EQ(fault(confirm(code)), PickupFault::NoCertificate);
  EXPECT_TRUE(pickup->show(notice.token, session)) << "visits go on";
}

TEST_F(KeyEndsTest, RevokingAnEarlierKeyLeavesWhatWaits) {
  const std::string code = uploaded(own_certificate());
  ASSERT_TRUE(shut_out(RevocationReason::Superseded, false));
  EXPECT_TRUE(confirm(code));
}

TEST_F(KeyEndsTest, ACompromisedKeyEndsAllVisitsAndCodes) {
  const std::string code = uploaded(own_certificate());
  const auto second = resent(bob);
  clock.advance(std::chrono::seconds(1));
  ASSERT_TRUE(shut_out(RevocationReason::KeyCompromise, false));
  EXPECT_EQ(fault(pickup->show(notice.token, session)), PickupFault::NoSession);
  EXPECT_EQ(fault(choices->upload(notice.token, session, "x")), PickupFault::NoSession);
  EXPECT_EQ(fault(pickup->take(notice.token, session, {}, Pkcs12Format::Modern, {})), PickupFault::NoSession);
  EXPECT_EQ(fault_of(notice, notice.code), PickupFault::Expired);
  EXPECT_EQ(fault_of(second, second.code), PickupFault::Expired) << "a code that nobody used, too";
  EXPECT_EQ(fault(confirm(code)), PickupFault::NoCertificate);
  clock.advance(std::chrono::seconds(1));
  ASSERT_TRUE(notifier->send_new_code(address(bob)));
  const auto mails = sent();
  ASSERT_EQ(mails.size(), 1U);
  EXPECT_TRUE(open(mails[0].token, mails[0].code)) << "a new one opens";
}

TEST_F(KeyEndsTest, AReceiptThatFailedIsHadByForgettingOnceMore) {
  bool lucky = false;
  std::vector<std::string> texts;
  KeyChoices choices_there(
      *pickup, keys->life, *pending, OwnCertificatePolicy{{}, true}, *owed, throttle, clock, random, log,
      KeyChoices::Hooks{[](const KeyNews&) { return Status(); }, [](const CodeForCertificate&) { return Status(); },
                        [](const KeyRecord&, const std::string&) {}, [](const KeyRecord&) { return Status(); },
                        [&](const DestroyedKey& key) -> Result<Receipt> {
                          auto receipt = notifier->send_receipt(key);
                          texts.push_back(receipt.value().text);
                          if (!lucky) return Error::temporary("the queue has it, but did not say so");
                          return receipt;
                        }});
  const std::string destroyed = to_rfc3339(clock.now());
  EXPECT_EQ(fault(choices_there.forget(notice.token, session, fingerprint)), PickupFault::Failed);
  EXPECT_FALSE(opens(fingerprint));
  EXPECT_THAT(choices_there.owed(notice.token, session).value(), testing::ElementsAre(fingerprint));
  lucky = true;
  clock.advance(std::chrono::minutes(5));
  const auto again = choices_there.forget(notice.token, session, fingerprint);
  ASSERT_TRUE(again) << again.error().error.public_text;
  EXPECT_EQ(again->key.state, PairState::Forgotten);
  EXPECT_THAT(texts, testing::ElementsAre(again->receipt.text, again->receipt.text)) << "the same one";
  EXPECT_NE(again->receipt.text.find("Destroyed: " + destroyed), std::string::npos) << again->receipt.text;
  EXPECT_EQ(sent().size(), 1U) << "its mail goes once";
  EXPECT_EQ(fault(choices_there.forget(notice.token, session, fingerprint)), PickupFault::KeyGone) << "it was given";
  EXPECT_TRUE(choices_there.owed(notice.token, session)->empty());
}

TEST_F(KeyEndsTest, AnOwedReceiptThatIsAlteredInRedisIsGivenToNobody) {
  ASSERT_TRUE(choices->forget(notice.token, session, fingerprint));
  ASSERT_TRUE(owed->add(bob, fingerprint, clock.now()));
  const std::string row = only("pickup:*:owed:*");
  std::string value(keys->redis.command({"HGET", row, fingerprint})->text());
  value[0] ^= 1;
  ASSERT_TRUE(keys->redis.command({"HSET", row, fingerprint, value}));
  EXPECT_EQ(fault(choices->forget(notice.token, session, fingerprint)), PickupFault::KeyGone);
}

TEST_F(KeyEndsTest, NoOtherLinkTakesTheSecondCode) {
  const std::string code = uploaded(own_certificate());
  ASSERT_TRUE(notifier->send_new_code(address(bob)));
  const auto other = sent().at(0);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(fault(choices->confirm(other.token, wrong_code(), network)), PickupFault::NoCertificate);
  }
  EXPECT_FALSE(*choices->waiting(other.token, session_of(other))) << "nor is it offered there";
  EXPECT_TRUE(confirm(code)) << "the upload is still there";
}

TEST_F(KeyEndsTest, WrongSecondCodesMakeTheNextLookWait) {
  const std::string code = uploaded(own_certificate());
  const std::string stranger = "198.51.100.9";
  EXPECT_EQ(fault(choices->confirm(notice.token, wrong_code(1), stranger)), PickupFault::WrongCode);
  const auto early = choices->confirm(notice.token, wrong_code(2), stranger);
  EXPECT_EQ(fault(early), PickupFault::TooFast);
  ASSERT_TRUE(early.error().error.retry_after);
  clock.advance(*early.error().error.retry_after);
  const auto wrong = choices->confirm(notice.token, wrong_code(2), stranger);
  EXPECT_EQ(fault(wrong), PickupFault::WrongCode);
  EXPECT_EQ(wrong.error().attempts_left, 3U) << "what came too early cost none";
  EXPECT_TRUE(choices->confirm(notice.token, code, network)) << "who opened the visit is not held back by others";
}

TEST_F(KeyEndsTest, ACountOfUploadsAlwaysEnds) {
  ASSERT_TRUE(*pending->take_upload(bob));
  const std::string count = only("pickup:*:uploads:*");
  EXPECT_GT(keys->redis.command({"TTL", count})->integer(), 0);
  ASSERT_TRUE(keys->redis.command({"PERSIST", count}));
  ASSERT_TRUE(*pending->take_upload(bob));
  EXPECT_GT(keys->redis.command({"TTL", count})->integer(), 0);
}

}  // namespace
}  // namespace sealpost::test
