// SPDX-License-Identifier: Apache-2.0
// An intake over a real Redis, vault and queue, and what its hooks were told.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "crypto/certificate.h"
#include "crypto/certificate_authority.h"
#include "crypto/key_life.h"
#include "crypto/private_key.h"
#include "queue/queue_view.h"
#include "relay/intake.h"
#include "tests/unit/relay/relay_parts.h"

namespace sealpost::test {

inline const std::string plain = "From: alice@example.com\r\nSubject: x\r\n\r\ntext\r\n";

class IntakeTest : public testing::Test {
 protected:
  Submission submission(const std::vector<std::string>& recipients = {"bob@example.net"},
                        const std::string& message = plain) const {
    Submission result;
    result.account = account;
    result.mail_from = address("alice@example.com");
    result.protocol = "ESMTPSA";
    for (const auto& recipient : recipients) result.recipients.push_back({address(recipient), {}, {}});
    append(result.message, message);
    return result;
  }
  /// What the intake says, and that a refusal leaves nothing behind.
  Refusal refused(Submission submitted) {
    auto result = intake.accept(std::move(submitted));
    EXPECT_FALSE(result);
    EXPECT_EQ(queued, 0);
    return result ? Refusal::Conflict : result.error().refusal;
  }
  std::size_t messages_in_redis() { return parts.redis_command({"KEYS", "queue:*:message:*"}).size(); }
  /// The header block of the one delivery that is due.
  std::string sent_header() {
    auto claims = queue.claim(10, 10).value();
    EXPECT_EQ(claims.size(), 1U);
    auto body = queue.open(claims.at(0)).value();
    std::string header(body->header_block());
    EXPECT_TRUE(queue.delivered(claims[0], "250 ok"));
    return header;
  }
  IntakeHooks hooks() {
    return {
        [this](const KeyRecord& key, const EmailAddress& to, const Introduction& introduction) -> Status {
          const std::lock_guard lock(hooks_mutex);
          reminded.push_back(to.text() + " " + key.address + " " + introduction.account + " " + introduction.sender);
          return reminder;
        },
        [this] { ++queued; }, [this] { ++assigned; },
        [this](const HeldMail& mail) {
          const std::lock_guard lock(hooks_mutex);
          waiting.push_back(mail.delivery.id.text() + " " + mail.delivery.recipient + ": " + mail.reason);
        }};
  }

  const RecipientDomains domains = {
      {"gcm.example", {.content_cipher = ContentCipher::Aes256Gcm}},
      {"rsa.example", {.key_type = KeyType::Rsa2048}},
  };
  RelayParts parts;
  CertificateAuthority authority =
      CertificateAuthority::open(parts.redis, parts.master, parts.clock, parts.random, parts.log, {KeyType::P256})
          .value();
  KeyVault vault{parts.redis, parts.master, authority,
                 parts.clock, parts.random, {KeyType::P256, ContentCipher::Aes256Cbc},
                 parts.log,   domains};
  AuditTrail audit{parts.redis, parts.master, parts.log};
  KeyDirectory directory{parts.redis,
                         parts.master,
                         vault,
                         audit,
                         parts.clock,
                         parts.random,
                         KeysSettings{0, KeyPolicy::Interim, std::chrono::hours(24), {}, {}},
                         parts.log};
  KeyLife life{parts.redis, parts.master, parts.clock, audit, parts.log};
  Sealer sealer{CryptoSettings{}};
  MailQueue queue{parts.redis, parts.master, parts.clock, parts.random, parts.log};
  QueueView view{parts.redis, parts.clock};
  Suppressions suppressions{parts.redis, parts.clock, {3, std::chrono::hours(7 * 24)}};
  NewAddressRate rate{parts.redis, parts.clock, Rate{20, std::chrono::hours(1)}};

  /// The account has caused so many other addresses to be notified in this hour.
  bool take_addresses(int count, const std::string& name = "crm") {
    std::vector<std::string> addresses;
    for (int i = 0; i < count; ++i) addresses.push_back("other" + std::to_string(i) + "@example.net");
    return rate.take(name, addresses).value();
  }

  void bounce(const std::string& mailbox, int times) {
    for (int i = 0; i < times; ++i) {
      const DeliveryId id(MessageId::generate(parts.clock, parts.random), 1);
      ASSERT_TRUE(suppressions.count(address(mailbox), id, "550 5.1.1 no such user"));
    }
  }

  std::mutex hooks_mutex;
  std::vector<std::string> reminded;
  std::vector<std::string> waiting;  ///< deliveries that are held for a certificate that has ended
  Status reminder;
  std::atomic<int> queued = 0;
  std::atomic<int> assigned = 0;
  Account account{"crm", {"@example.com"}, false, {}};
  /// Another one, where the sender passes the code on.
  std::unique_ptr<Intake> intake_for_sender_codes() {
    return std::make_unique<Intake>(
        directory, sealer, queue, rate, suppressions, parts.master, parts.clock, parts.log,
        IntakeOptions{"relay.example.org", "smarthost", ContentCipher::Aes256Cbc, domains, CodeTo::Sender}, hooks());
  }
  metrics::Registry registry;
  Intake intake{directory,
                sealer,
                queue,
                rate,
                suppressions,
                parts.master,
                parts.clock,
                parts.log,
                {"relay.example.org", "smarthost", ContentCipher::Aes256Cbc, domains, CodeTo::Recipient,
                 registry.timing("seal_seconds", "Seal.", {60})},
                hooks()};
};

}  // namespace sealpost::test
