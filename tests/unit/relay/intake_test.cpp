// SPDX-License-Identifier: Apache-2.0
// Intake over a real Redis, vault and queue: what is refused and why, that nothing refused is queued, and what a sealed
// message shows of its sender.
#include <ostream>
#include <regex>

#include "crypto/directory_entry.h"
#include "tests/support/metrics_text.h"
#include "tests/support/process.h"
#include "tests/unit/relay/intake_fixture.h"

namespace sealpost::test {
namespace {

std::string received(int count) {
  std::string fields;
  for (int i = 0; i < count; ++i) fields += "Received: from a by b; Thu, 26 Nov 2026 01:00:00 +0000\r\n";
  return fields;
}

TEST_F(IntakeTest, FiftyServersAreNoCircleYet) {
  EXPECT_TRUE(intake.accept(submission({"bob@example.net"}, received(50) + plain)));
}

TEST_F(IntakeTest, ANewRecipientIsGivenAKeyAndANotificationIsOwed) {
  auto accepted = intake.accept(submission()).value();
  ASSERT_EQ(accepted.recipients.size(), 1U);
  const auto key = directory.find(address("bob@example.net")).value();
  ASSERT_TRUE(key);
  EXPECT_EQ(accepted.recipients[0].fingerprint, key->fingerprint);
  EXPECT_EQ(accepted.recipients[0].key_state, "interim");
  EXPECT_TRUE(accepted.recipients[0].assigned);
  EXPECT_EQ(accepted.recipients[0].delivery.text(), accepted.id.text() + "-1");
  EXPECT_EQ(queued, 1);
  EXPECT_EQ(assigned, 1);
  EXPECT_TRUE(reminded.empty());
  const auto rows = directory.claim_outbox(10).value();
  ASSERT_EQ(rows.size(), 1U) << "due at once";
  const auto record = view.show(accepted.recipients[0].delivery).value();
  EXPECT_EQ(record.account, "crm");
  EXPECT_EQ(record.mail_from, "alice@example.com");
  EXPECT_EQ(record.destination, "smarthost");
  EXPECT_EQ(record.domain, "example.net");
}

TEST_F(IntakeTest, SealingIsTimedOnceForAllRecipients) {
  ASSERT_TRUE(intake.accept(submission({"bob@example.net", "carol@example.net"})));
  EXPECT_EQ(sample(registry.text({}), "seal_seconds_count"), 1);
  EXPECT_FALSE(intake.accept(submission({"bob@example.net"}, "From: eve@example.org\r\n\r\nx\r\n")));
  EXPECT_EQ(sample(registry.text({}), "seal_seconds_count"), 1);
}

TEST_F(IntakeTest, AKnownRecipientIsRemindedInstead) {
  ASSERT_TRUE(intake.accept(submission()));
  auto second = intake.accept(submission({"BOB@example.net"})).value();
  EXPECT_FALSE(second.recipients[0].assigned);
  EXPECT_EQ(assigned, 1);
  EXPECT_EQ(queued, 2);
  EXPECT_EQ(reminded, (std::vector<std::string>{"BOB@example.net bob@example.net crm alice@example.com"}));
}

TEST_F(IntakeTest, AReminderThatFailsDoesNotUndoWhatIsDurable) {
  ASSERT_TRUE(intake.accept(submission()));
  reminder = Error::temporary("no notification now");
  EXPECT_TRUE(intake.accept(submission()));
  EXPECT_NE(parts.log_file.text().find("intake.follow_up_failed"), std::string::npos);
}

TEST_F(IntakeTest, MailForAnOwnCertificateThatEndedIsSealedHeldAndTold) {
  ASSERT_TRUE(intake.accept(submission()));
  ASSERT_FALSE(sent_header().empty());
  const auto bob = address("bob@example.net");
  const auto key = generate_key(KeyType::P256).value();
  const std::string der = authority.issue(bob, key.get()).value();
  const OwnPair own{der, certificate_fingerprint(der), parts.clock.now() + std::chrono::hours(1)};
  parts.clock.advance(std::chrono::seconds(1));
  ASSERT_TRUE(life.replace("bob@example.net", own));
  const auto before = intake.accept(submission()).value();
  EXPECT_FALSE(before.recipients[0].held);
  EXPECT_TRUE(waiting.empty());
  ASSERT_FALSE(sent_header().empty());
  parts.clock.advance(std::chrono::hours(2));
  const auto accepted = intake.accept(submission({"bob@example.net", "carol@example.net"})).value();
  EXPECT_TRUE(accepted.recipients[0].held);
  EXPECT_FALSE(accepted.recipients[0].assigned) << "never a pair made by the server";
  EXPECT_EQ(accepted.recipients[0].fingerprint, own.fingerprint);
  EXPECT_FALSE(accepted.recipients[1].held);
  EXPECT_EQ(waiting, (std::vector<std::string>{accepted.recipients[0].delivery.text() +
                                               " bob@example.net: the recipient's own certificate has expired"}));
  const auto held = view.show(accepted.recipients[0].delivery).value();
  EXPECT_EQ(held.state, DeliveryState::Held);
  EXPECT_EQ(held.last_response, "the recipient's own certificate has expired");
  EXPECT_FALSE(held.next_attempt);
  EXPECT_EQ(queue.claim(10, 10)->size(), 1U) << "carol's alone";
  const auto states = view.summary()->states;
  EXPECT_EQ(states.at(DeliveryState::Held), 1U);
  EXPECT_EQ(release_for_certificate(view, "bob@example.net", std::string(64, '0')).value(), 0U) << "another one";
  EXPECT_EQ(release_for_certificate(view, "bob@example.net", own.fingerprint).value(), 1U);
  EXPECT_EQ(view.show(accepted.recipients[0].delivery)->state, DeliveryState::Queued);
}

TEST_F(IntakeTest, WhatWasHeldForARevokedCertificateStaysHeld) {
  ASSERT_TRUE(intake.accept(submission()));
  const auto bob = address("bob@example.net");
  const auto key = generate_key(KeyType::P256).value();
  const std::string der = authority.issue(bob, key.get()).value();
  const OwnPair own{der, certificate_fingerprint(der), parts.clock.now() + std::chrono::hours(1)};
  parts.clock.advance(std::chrono::seconds(1));
  ASSERT_TRUE(life.replace("bob@example.net", own));
  ASSERT_TRUE(life.revoke("bob@example.net", {}, RevocationReason::KeyCompromise));
  const auto accepted = intake.accept(submission()).value();
  EXPECT_TRUE(accepted.recipients[0].held);
  EXPECT_EQ(release_for_certificate(view, "bob@example.net", own.fingerprint).value(), 0U);
  EXPECT_EQ(view.show(accepted.recipients[0].delivery)->state, DeliveryState::Held);
}

TEST_F(IntakeTest, UnderMxRoutingTheDomainIsTheDestination) {
  Intake routed(directory, sealer, queue, rate, suppressions, parts.master, parts.clock, parts.log,
                {"relay.example.org", ""}, hooks());
  auto accepted = routed
                      .accept(submission({"eva@b\xc3\xbc"
                                          "cher.example"}))
                      .value();
  EXPECT_EQ(view.show(accepted.recipients[0].delivery).value().destination, "xn--bcher-kva.example");
}

TEST_F(IntakeTest, TheHeaderTellsNothingOfClientRecipientsOrBcc) {
  ASSERT_TRUE(intake.accept(submission({"hidden@example.net"},
                                       "From: alice@example.com\r\nTo: bob@example.net\r\nBcc: hidden@example.net\r\n"
                                       "Resent-Bcc: hidden@example.net\r\n\r\ntext\r\n")));
  const std::string header = sent_header();
  EXPECT_EQ(header.find("hidden"), std::string::npos) << header;
  static const std::regex received(
      "^Received: by relay\\.example\\.org with ESMTPSA id [0-9A-Z]{26};\r\n\t[A-Z][a-z]{2}, [^\r\n]+ \\+0000\r\n");
  EXPECT_TRUE(std::regex_search(header, received)) << header;
  EXPECT_EQ(header.find(" for "), std::string::npos);
  EXPECT_EQ(header.find(" from "), std::string::npos);
}

TEST_F(IntakeTest, MessageIdAndDateAreAddedWhenAbsent) {
  auto accepted = intake.accept(submission()).value();
  EXPECT_EQ(accepted.message_id_field, "<" + accepted.id.text() + "@relay.example.org>");
  const std::string header = sent_header();
  EXPECT_NE(header.find("\r\nMessage-ID: " + accepted.message_id_field + "\r\n"), std::string::npos) << header;
  EXPECT_NE(header.find("\r\nDate: "), std::string::npos) << header;
}

TEST_F(IntakeTest, MessageIdAndDateOfTheSenderStay) {
  auto accepted = intake
                      .accept(submission({"bob@example.net"},
                                         "From: alice@example.com\r\nmessage-id:\r\n <own@example.com>\r\n"
                                         "DATE: Sat, 31 Jan 2026 09:30:00 +0100\r\n\r\ntext\r\n"))
                      .value();
  EXPECT_EQ(accepted.message_id_field, "<own@example.com>");
  const std::string header = sent_header();
  EXPECT_NE(header.find("message-id:\r\n <own@example.com>\r\nDATE: Sat, 31 Jan 2026 09:30:00 +0100\r\n"),
            std::string::npos)
      << header;
  EXPECT_EQ(header.find("Message-ID"), std::string::npos);
  EXPECT_EQ(header.find("Date:"), std::string::npos);
}

TEST_F(IntakeTest, TheNullSenderStays) {
  auto bounce = submission();
  bounce.mail_from.reset();
  auto accepted = intake.accept(std::move(bounce)).value();
  EXPECT_EQ(view.show(accepted.recipients[0].delivery).value().mail_from, "");
}

TEST_F(IntakeTest, EncryptedMailPassesWithoutKeyAndNotification) {
  const TempDir dir;
  ASSERT_EQ(run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", dir / "key.pem", "-out",
                 dir / "cert.pem", "-subj", "/CN=bob"})
                .status,
            0);
  const auto cms = run({"openssl", "cms", "-encrypt", "-binary", "-aes256", dir / "cert.pem"},
                       "Content-Type: text/plain\r\n\r\nsecret");
  ASSERT_EQ(cms.status, 0) << cms.err;
  const std::string message = "From: alice@example.com\r\n" + std::regex_replace(cms.out, std::regex("\r?\n"), "\r\n");
  auto accepted = intake.accept(submission({"bob@example.net", "carol@example.net"}, message)).value();
  ASSERT_EQ(accepted.recipients.size(), 2U);
  EXPECT_TRUE(accepted.recipients[0].passed_through);
  EXPECT_EQ(accepted.recipients[0].fingerprint, "");
  EXPECT_FALSE(directory.find(address("bob@example.net")).value());
  EXPECT_EQ(sample(registry.text({}), "seal_seconds_count"), 0) << "nothing was sealed";
  EXPECT_EQ(assigned, 0);
  EXPECT_EQ(queued, 1);
  EXPECT_TRUE(reminded.empty());
  EXPECT_TRUE(directory.claim_outbox(10).value().empty());
}

TEST_F(IntakeTest, AnAddressThatBouncedAgainAndAgainIsRefusedWithTheReason) {
  bounce("bob@example.net", 3);
  for (const auto& error : {intake.admit(account, address("BOB@example.net"), 0).error(),
                            intake.accept(submission({"carol@example.net", "Bob@example.net"})).error()}) {
    EXPECT_EQ(error.refusal, Refusal::Suppressed);
    EXPECT_EQ(error.public_text,
              "bob@example.net bounced 3 times in a row, last on Mon, 21 Sep 2026 14:13:20 +0000 (550 5.1.1 no such "
              "user); mail to it is refused until Mon, 28 Sep 2026 14:13:20 +0000");
  }
  EXPECT_EQ(messages_in_redis(), 0U);
  EXPECT_FALSE(directory.find(address("carol@example.net")).value()) << "nobody is given a key for a refused message";
  parts.clock.advance(std::chrono::hours(7 * 24));
  EXPECT_TRUE(intake.accept(submission())) << "its time is over";
}

TEST_F(IntakeTest, TheReasonOfARefusalFitsAReply) {
  const std::string longest = std::string(64, 'l') + "@" + std::string(60, 'a') + "." + std::string(60, 'b') + "." +
                              std::string(60, 'c') + ".example";
  for (int i = 0; i < 3; ++i) {
    const DeliveryId id(MessageId::generate(parts.clock, parts.random), 1);
    ASSERT_TRUE(suppressions.count(address(longest), id, "550 " + std::string(600, 'r')));
  }
  EXPECT_LE(intake.admit(account, address(longest), 0).error().public_text.size(), 500U);
}

TEST_F(IntakeTest, ADeliveryKnowsThatItsAddressBounced) {
  bounce("bob@example.net", 2);
  EXPECT_TRUE(intake.admit(account, address("bob@example.net"), 0)->bounced_before);
  EXPECT_FALSE(intake.admit(account, address("carol@example.net"), 0)->bounced_before);
  const auto accepted = intake.accept(submission({"carol@example.net", "bob@example.net"})).value();
  EXPECT_FALSE(view.show(accepted.recipients[0].delivery)->bounced_before);
  EXPECT_TRUE(view.show(accepted.recipients[1].delivery)->bounced_before);
}

TEST_F(IntakeTest, WhatAdmissionSawIsNotLookedUpAgain) {
  auto seen = submission({"bob@example.net"});
  seen.recipients[0].bounced_before = false;
  bounce("bob@example.net", 3);  // since then
  const auto accepted = intake.accept(std::move(seen));
  ASSERT_TRUE(accepted);
  EXPECT_FALSE(view.show(accepted->recipients[0].delivery)->bounced_before);
}

/// Every refusal of the content.
struct Content {
  const char* name;
  std::string message;
  Refusal refusal;
};
void PrintTo(const Content& content, std::ostream* out) { *out << content.name; }
class RefusedContent : public IntakeTest, public testing::WithParamInterface<Content> {};
TEST_P(RefusedContent, IsNotQueued) {
  EXPECT_EQ(refused(submission({"bob@example.net"}, GetParam().message)), GetParam().refusal);
  EXPECT_EQ(messages_in_redis(), 0U);
}
INSTANTIATE_TEST_SUITE_P(
    All, RefusedContent,
    testing::Values(Content{"Empty", "", Refusal::Malformed},
                    Content{"NoEmptyLine", "From: alice@example.com\r\n", Refusal::Malformed},
                    Content{"NeitherFieldNorFold", "From: alice@example.com\r\nnonsense\r\n\r\n", Refusal::Malformed},
                    Content{"InACircle", received(51) + plain, Refusal::Loop},
                    Content{"ForeignFrom", "From: ceo@other.example\r\n\r\n", Refusal::SenderNotAllowed},
                    Content{"NoFrom", "Subject: x\r\n\r\n", Refusal::SenderNotAllowed},
                    Content{"LineThatCannotBeFolded",
                            "From: alice@example.com\r\nX: " + std::string(1200, 'x') + "\r\n\r\ntext\r\n",
                            Refusal::CannotSeal}),
    [](const auto& info) { return info.param.name; });

TEST_F(IntakeTest, TheNullSenderNeedsAnAllowedFromAllTheSame) {
  auto bounce = submission({"bob@example.net"}, "From: ceo@other.example\r\n\r\ntext\r\n");
  bounce.mail_from.reset();
  EXPECT_EQ(refused(std::move(bounce)), Refusal::SenderNotAllowed);
  EXPECT_EQ(messages_in_redis(), 0U);
}

TEST_F(IntakeTest, MoreNewAddressesThanTheAccountMayCauseAreRefusedTogether) {
  ASSERT_TRUE(take_addresses(19));
  EXPECT_EQ(refused(submission({"a@example.net", "b@example.net"})), Refusal::RateOfNew);
  EXPECT_EQ(messages_in_redis(), 0U);
  EXPECT_FALSE(directory.find(address("a@example.net")).value()) << "no key for a message that was refused";
  EXPECT_TRUE(intake.accept(submission({"a@example.net"})));
  EXPECT_TRUE(intake.accept(submission({"a@example.net"}))) << "a known address costs nothing";
}

TEST_F(IntakeTest, AnAlteredKeyIsNotSealedTo) {
  ASSERT_TRUE(directory.find_or_assign(address("bob@example.net"), {"crm", "alice@example.com"}));
  auto keys = parts.redis_command({"KEYS", "keys:*:address:bob@example.net"});
  parts.redis_command({"HSET", std::string(keys[0].text()), "current", "garbage"});
  EXPECT_EQ(refused(submission()), Refusal::CannotSealNow);
  EXPECT_EQ(messages_in_redis(), 0U);
}

TEST_F(IntakeTest, RedisAwayIsSaidInTime) {
  ASSERT_TRUE(directory.find_or_assign(address("bob@example.net"), {"crm", "alice@example.com"}));
  parts.server.kill();
  EXPECT_EQ(refused(submission()), Refusal::StoreAway);
  EXPECT_EQ(intake.admit(account, address("bob@example.net"), 0).error().refusal, Refusal::StoreAway);
  parts.server.start();
  EXPECT_EQ(messages_in_redis(), 0U);
  EXPECT_TRUE(intake.accept(submission())) << "recovery without a restart";
}

TEST_F(IntakeTest, AFullRedisIsSaidSo) {
  ASSERT_TRUE(directory.find_or_assign(address("bob@example.net"), {"crm", "alice@example.com"}));
  parts.redis_command({"CONFIG", "SET", "maxmemory", "1000000"});
  EXPECT_EQ(refused(submission()), Refusal::StoreFull) << "for a recipient with a key";
  EXPECT_EQ(refused(submission({"new@example.net"})), Refusal::StoreFull) << "and for a new one";
  EXPECT_EQ(messages_in_redis(), 0U);
}

TEST_F(IntakeTest, AMessageThatTheStoreHasNoRoomForTellsNobody) {
  const std::string info(parts.redis_command({"INFO", "memory"}).text());
  const auto used = std::stoull(info.substr(info.find("used_memory:") + 12));
  parts.redis_command({"CONFIG", "SET", "maxmemory", std::to_string(used + 4'000'000)});
  EXPECT_EQ(refused(submission({"bob@example.net"}, plain + std::string(16'000'000, 'x'))), Refusal::StoreFull);
  parts.redis_command({"CONFIG", "SET", "maxmemory", "0"});
  ASSERT_TRUE(directory.find(address("bob@example.net")).value()) << "the pair was assigned, and stays";
  parts.clock.advance(std::chrono::minutes(1));
  EXPECT_TRUE(directory.claim_outbox(10).value().empty());
  ASSERT_TRUE(intake.accept(submission()));
  EXPECT_EQ(reminded.size(), 1U) << "an accepted message makes good for it";
}

TEST_F(IntakeTest, ALaterRecipientWhoseKeyFailsTellsNobody) {
  parts.redis_command({"SET", directory_prefix("carol@example.net") + "notices:carol@example.net", "no set"});
  EXPECT_EQ(refused(submission({"bob@example.net", "carol@example.net"})), Refusal::CannotSealNow);
  ASSERT_TRUE(directory.find(address("bob@example.net")).value());
  parts.clock.advance(std::chrono::minutes(1));
  EXPECT_TRUE(directory.claim_outbox(10).value().empty());
}

TEST_F(IntakeTest, AdmitsAsManyNewRecipientsAsThePoolHoldsAndEightMore) {
  const auto bob = address("bob@example.net");
  EXPECT_TRUE(intake.admit(account, bob, 7).value().unassigned);
  EXPECT_EQ(intake.admit(account, bob, 8).error().refusal, Refusal::TooManyNew);
  ASSERT_TRUE(vault.add_to_pool());
  ASSERT_TRUE(vault.add_to_pool());
  EXPECT_TRUE(intake.admit(account, bob, 9).value().unassigned);
  EXPECT_EQ(intake.admit(account, bob, 10).error().refusal, Refusal::TooManyNew);
}

TEST_F(IntakeTest, CountsThePoolOfTheRecipientsKeyType) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(vault.add_to_pool());
  EXPECT_TRUE(intake.admit(account, address("bob@rsa.example"), 7).value().unassigned);
  EXPECT_EQ(intake.admit(account, address("bob@rsa.example"), 8).error().refusal, Refusal::TooManyNew);
}

TEST_F(IntakeTest, SealsForEachRecipientWithTheCipherOfTheirDomain) {
  ASSERT_TRUE(intake.accept(submission({"bob@example.net", "carol@gcm.example"})));
  const auto claims = queue.claim(10, 10).value();
  ASSERT_EQ(claims.size(), 2U);
  for (const auto& claim : claims) {
    const std::string header(queue.open(claim).value()->header_block());
    const std::string type = claim.delivery.recipient == "carol@gcm.example" ? "authEnveloped-data" : "enveloped-data";
    EXPECT_NE(header.find("smime-type=" + type + ";"), std::string::npos) << header;
  }
}

TEST_F(IntakeTest, AdmitsAnyNumberOfKnownRecipients) {
  ASSERT_TRUE(directory.find_or_assign(address("bob@example.net"), {"crm", "alice@example.com"}));
  EXPECT_FALSE(intake.admit(account, address("Bob@example.net"), 1000).value().unassigned);
}

TEST_F(IntakeTest, AdmitsNoNewRecipientOnceTheAccountsNumberIsUsedUp) {
  ASSERT_TRUE(take_addresses(20));
  EXPECT_EQ(intake.admit(account, address("bob@example.net"), 0).error().refusal, Refusal::RateOfNew);
}

TEST_F(IntakeTest, AdmitsNoAddressThatCannotStandInACertificate) {
  EXPECT_EQ(intake.admit(account, address("\"a b\"@example.net"), 0).error().refusal, Refusal::BadRecipient);
}

TEST_F(IntakeTest, AdmissionAssignsNothing) {
  ASSERT_TRUE(intake.admit(account, address("bob@example.net"), 0));
  EXPECT_FALSE(directory.find(address("bob@example.net")).value());
}

}  // namespace
}  // namespace sealpost::test
