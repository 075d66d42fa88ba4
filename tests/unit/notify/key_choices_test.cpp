// SPDX-License-Identifier: Apache-2.0
// What recipients decide about their keys, and what a thief of one look into the mailbox cannot.
#include "notify/key_choices.h"

#include <gmock/gmock.h>

#include <map>

#include "tests/unit/notify/key_choices_fixture.h"

namespace sealpost::test {
namespace {

TEST_F(KeyChoicesTest, KeepingIsToldAndMakesThePairPermanent) {
  const auto kept = choices->keep(notice.token, session, {});
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->state, PairState::Permanent);
  EXPECT_EQ(current().state, PairState::Permanent);
  const auto mails = sent();
  ASSERT_EQ(mails.size(), 1U);
  EXPECT_EQ(subject_of(mails[0]), "Your key is kept for good");
  ASSERT_TRUE(choices->keep(notice.token, session, fingerprint));
  EXPECT_TRUE(sent().empty()) << "told once";
}

TEST_F(KeyChoicesTest, NothingIsDecidedWithoutASessionOfThisLink) {
  const auto eve = notified("eve@example.net");
  const std::string eves = session_of(eve);
  for (const auto& stranger : {std::string(), std::string("x"), eves}) {
    EXPECT_EQ(fault(choices->keep(notice.token, stranger, {})), PickupFault::NoSession);
    EXPECT_EQ(fault(choices->forget(notice.token, stranger, {})), PickupFault::NoSession);
    EXPECT_EQ(fault(choices->upload(notice.token, stranger, "x")), PickupFault::NoSession);
    EXPECT_EQ(fault(choices->waiting(notice.token, stranger)), PickupFault::NoSession);
  }
  EXPECT_EQ(fault(choices->keep(eve.token, eves, fingerprint)), PickupFault::NoKey) << "another address's pair";
  EXPECT_EQ(fault(choices->forget(eve.token, eves, fingerprint)), PickupFault::NoKey);
  EXPECT_EQ(current().state, PairState::Interim);
  EXPECT_TRUE(sent().empty());
}

TEST_F(KeyChoicesTest, ForgettingDestroysTheKeyAndGivesASignedReceipt) {
  const auto forgotten = choices->forget(notice.token, session, {});
  ASSERT_TRUE(forgotten);
  EXPECT_FALSE(opens(fingerprint));
  const Receipt& receipt = forgotten->receipt;
  EXPECT_NE(receipt.text.find(fingerprint), std::string::npos);
  EXPECT_NE(receipt.text.find("Address: " + bob), std::string::npos);
  EXPECT_NE(receipt.text.find("Backups"), std::string::npos) << "what it does not speak of";
  dir.write("ca.pem", keys->authority.pem().value());
  dir.write("receipt.txt", receipt.text);
  dir.write("receipt.der", receipt.signature);
  dir.write("receipt.eml", std::string(view(receipt.message)));
  const auto verify = [&](std::vector<std::string> input) {
    std::vector<std::string> command = {"openssl", "cms", "-verify", "-CAfile", dir / "ca.pem", "-out", dir / "out"};
    command.insert(command.end(), input.begin(), input.end());
    return run(command).status;
  };
  const std::vector<std::string> detached = {
      "-inform", "DER", "-in", dir / "receipt.der", "-binary", "-content", dir / "receipt.txt"};
  EXPECT_EQ(verify(detached), 0);
  EXPECT_EQ(verify({"-in", dir / "receipt.eml"}), 0);
  dir.write("receipt.txt", receipt.text + "x");
  EXPECT_NE(verify(detached), 0);
  std::map<std::string, std::string> mails;
  for (const auto& mail : sent()) mails.emplace(subject_of(mail), mail.raw);
  ASSERT_EQ(mails.size(), 2U);
  EXPECT_EQ(mails.count("Your key is forgotten"), 1U);
  const std::string& mail = mails["Receipt: a private key was destroyed"];
  EXPECT_EQ(mail, view(receipt.message));
  EXPECT_NE(mail.find("Destroyed: "), std::string::npos) << "in clear, for whoever reads it";
  EXPECT_EQ(fault(choices->forget(notice.token, session, fingerprint)), PickupFault::KeyGone);
  EXPECT_EQ(fault(choices->keep(notice.token, session, fingerprint)), PickupFault::KeyGone);
  EXPECT_EQ(pickup->take(notice.token, session, {}, Pkcs12Format::Modern, {}).error().fault, PickupFault::NoKey);
}

TEST_F(KeyChoicesTest, NoReceiptIsSignedForAKeyThatIsStillThere) {
  bool signed_one = false;
  KeyChoices unlucky(
      *pickup, keys->life, *pending, OwnCertificatePolicy{{}, true}, *owed, throttle, clock, random, log,
      KeyChoices::Hooks{[this](const KeyNews&) {
                          server.kill();  // between the mail and the deed
                          return Status();
                        },
                        [](const CodeForCertificate&) { return Status(); }, [](const KeyRecord&, const std::string&) {},
                        [](const KeyRecord&) { return Status(); },
                        [&](const DestroyedKey& destroyed) {
                          signed_one = true;
                          return notifier->send_receipt(destroyed);
                        }});
  EXPECT_EQ(fault(unlucky.forget(notice.token, session, {})), PickupFault::Failed);
  EXPECT_FALSE(signed_one);
}

TEST_F(KeyChoicesTest, AnOwnCertificateIsUsedOnceItsCodeIsReturned) {
  const std::string pem = own_certificate();
  const std::string code = uploaded(pem);
  ASSERT_FALSE(code.empty());
  EXPECT_EQ(current().fingerprint, fingerprint) << "nothing changed yet";
  EXPECT_TRUE(*choices->waiting(notice.token, session));
  const auto now_used = confirm(code);
  ASSERT_TRUE(now_used) << now_used.error().error.public_text;
  EXPECT_TRUE(now_used->own);
  EXPECT_EQ(to_pem(current().certificate).value(), pem);
  EXPECT_TRUE(opens(fingerprint)) << "earlier mail stays readable";
  EXPECT_THAT(replaced, testing::ElementsAre(fingerprint + " by " + now_used->fingerprint));
  const auto mails = sent();
  ASSERT_EQ(mails.size(), 1U);
  EXPECT_EQ(subject_of(mails[0]), "Your certificate is in use");
  EXPECT_FALSE(*choices->waiting(notice.token, session));
  EXPECT_EQ(fault(confirm(code)), PickupFault::NoCertificate) << "a code works once";
  EXPECT_EQ(fault(choices->forget(notice.token, session, now_used->fingerprint)), PickupFault::KeyGone);
}

TEST_F(KeyChoicesTest, TheSealedCodeIsNowhereInClear) {
  const std::string code = uploaded(own_certificate());
  EXPECT_EQ(all_of_redis().find(code), std::string::npos);
  EXPECT_EQ(log_file.text().find(code), std::string::npos);
}

TEST_F(KeyChoicesTest, WrongSecondCodesForgetTheUploadAndChangeNothing) {
  const std::string code = uploaded(own_certificate());
  for (unsigned left = 4; left > 0; --left) {
    auto wrong = confirm(wrong_code(left));
    EXPECT_EQ(fault(wrong), PickupFault::WrongCode);
    EXPECT_EQ(wrong.error().attempts_left, left);
  }
  EXPECT_EQ(confirm(wrong_code()).error().attempts_left, 0U);
  EXPECT_EQ(fault(confirm(code)), PickupFault::NoCertificate);
  EXPECT_EQ(current().fingerprint, fingerprint);
}

TEST_F(KeyChoicesTest, AnEmptyCodeIsNoAttempt) {
  const std::string code = uploaded(own_certificate());
  EXPECT_EQ(fault(confirm(wrong_code())), PickupFault::WrongCode);
  for (int i = 0; i < 20; ++i) {
    const auto empty = confirm(" \t");
    EXPECT_EQ(fault(empty), PickupFault::WrongCode);
    EXPECT_EQ(empty.error().attempts_left, PendingCertificates::max_attempts - 1) << "those that are left";
  }
  EXPECT_TRUE(confirm(code));
}

TEST_F(KeyChoicesTest, ALaterUploadMakesTheEarlierCodeWorthless) {
  const std::string first = uploaded(own_certificate("one"), "one");
  const std::string second = uploaded(own_certificate("two"), "two");
  EXPECT_EQ(fault(confirm(first)), PickupFault::WrongCode);
  const auto used = confirm(second);
  ASSERT_TRUE(used);
  EXPECT_EQ(to_pem(used->certificate).value(), read_file(dir / "two.pem"));
}

TEST_F(KeyChoicesTest, AnUploadWaitsForADay) {
  const std::string code = uploaded(own_certificate());
  clock.advance(PendingCertificates::lifetime);
  EXPECT_EQ(fault(confirm(code)), PickupFault::NoCertificate);
}

TEST_F(KeyChoicesTest, ACodeOfYesterdayReplacesNothing) {
  const std::string pem = own_certificate();
  clock.advance(KeyChoices::fresh_code - std::chrono::minutes(1));
  ASSERT_TRUE(choices->upload(notice.token, session, pem));
  sent();
  clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(fault(choices->upload(notice.token, session, pem)), PickupFault::OldCode);
  EXPECT_TRUE(sent().empty());
}

TEST_F(KeyChoicesTest, UploadsOfADayAreBounded) {
  const std::string pem = own_certificate();
  for (unsigned i = 0; i < PendingCertificates::max_uploads; ++i) {
    ASSERT_TRUE(choices->upload(notice.token, session, pem)) << i;
  }
  EXPECT_EQ(fault(choices->upload(notice.token, session, pem)), PickupFault::TooOften);
}

TEST_F(KeyChoicesTest, WhatIsNoCertificateOfTheAddressIsRefusedAndSendsNothing) {
  const std::string foreign = own_certificate("foreign", "eve@example.net");
  const std::string key = read_file(dir / "foreign.key");
  const auto check = [&](const std::string& octets) {
    auto refused = choices->upload(notice.token, session, octets);
    EXPECT_EQ(fault(refused), PickupFault::BadCertificate);
    return refused.error().certificate ? std::string(to_text(refused.error().certificate->check)) : std::string();
  };
  EXPECT_EQ(check("hello"), "no_certificate");
  EXPECT_EQ(check(foreign), "wrong_address");
  EXPECT_EQ(check(own_certificate() + key), "private_key");
  EXPECT_TRUE(sent().empty());
  EXPECT_FALSE(*choices->waiting(notice.token, session));
  EXPECT_EQ(all_of_redis().find(key.substr(100, 60)), std::string::npos);
}

TEST_F(KeyChoicesTest, TheRelaysOwnCertificateIsNoOwnOne) {
  EXPECT_EQ(fault(choices->upload(notice.token, session, to_pem(current().certificate).value())), PickupFault::InUse);
}

TEST_F(KeyChoicesTest, APendingCertificateThatIsAlteredInRedisIsUsedForNothing) {
  const std::string code = uploaded(own_certificate());
  const std::string row = only("pickup:*:pending:*");
  const std::string other = own_certificate("other");
  const auto der = to_der(parse_certificate(keys->authority.chain()[0])->get()).value();
  ASSERT_TRUE(keys->redis.command({"HSET", row, "certificate", der}));
  EXPECT_EQ(fault(confirm(code)), PickupFault::Failed);
  EXPECT_EQ(current().fingerprint, fingerprint);
}

TEST_F(KeyChoicesTest, NothingIsDoneThatTheAddressIsNotToldOf) {
  KeyChoices untold(
      *pickup, keys->life, *pending, OwnCertificatePolicy{{}, true}, *owed, throttle, clock, random, log,
      KeyChoices::Hooks{[](const KeyNews&) { return Status(Error::temporary("the store is away")); },
                        [this](const CodeForCertificate& code) { return notifier->send_code(code); },
                        [](const KeyRecord&, const std::string&) {}, [](const KeyRecord&) { return Status(); },
                        [this](const DestroyedKey& destroyed) { return notifier->send_receipt(destroyed); }});
  EXPECT_EQ(fault(untold.keep(notice.token, session, {})), PickupFault::Failed);
  EXPECT_EQ(fault(untold.forget(notice.token, session, {})), PickupFault::Failed);
  const std::string code = uploaded(own_certificate());
  EXPECT_EQ(fault(untold.confirm(notice.token, code, network)), PickupFault::Failed);
  EXPECT_EQ(current().state, PairState::Interim);
  EXPECT_EQ(current().fingerprint, fingerprint);
  EXPECT_TRUE(opens(fingerprint));
}

}  // namespace
}  // namespace sealpost::test
