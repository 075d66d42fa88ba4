// SPDX-License-Identifier: Apache-2.0
// What tells recipients about their keys, over a real Redis: directory, queue, pickup links, and as many notifiers as a
// test wants.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "notify/key_choices.h"
#include "notify/notifier.h"
#include "notify/pending_certificate.h"
#include "notify/pickup.h"
#include "queue/mail_queue.h"
#include "queue/queue_view.h"
#include "tests/support/eventually.h"
#include "tests/support/mail_parser.h"
#include "tests/unit/crypto/key_fixture.h"

namespace sealpost::test {

/// A notice as it would leave.
struct SentNotice {
  std::string recipient;
  bool notification = false;
  std::string raw;
  std::string token;  ///< of the link, when it is a notification
  std::string code;
};

/// What stands between the mark and the end of its line.
inline std::string after(const std::string& text, const std::string& mark) {
  const auto at = text.find(mark);
  if (at == std::string::npos) return {};
  const auto begin = at + mark.size();
  return text.substr(begin, text.find_first_of("\r\n", begin) - begin);
}

class NotifyTest : public KeyTest {
 protected:
  static constexpr std::chrono::hours day{24};

  void SetUp() override {
    // Redis forgets links by its own clock.
    clock.advance(std::chrono::duration_cast<Duration>(SystemClock().now() - clock.now()));
    notify_settings.code_lifetime = day * 30;
    restart();
  }

  /// Everything of the node anew, as after its end.
  void restart() {
    notifier.reset();
    choices.reset();
    pickup.reset();
    queue.reset();
    store.reset();
    keys = node();
    store = std::make_unique<PickupStore>(keys->redis, keys->master);
    queue = std::make_unique<MailQueue>(keys->redis, keys->master, clock, random, log);
    notifier = make_notifier(random, [] {});
    pickup = std::make_unique<Pickup>(*store, keys->directory, keys->life, throttle, clock, random, log,
                                      [this](const KeyNews& news) { return notifier->tell(news); });
    pending = std::make_unique<PendingCertificates>(keys->redis, keys->master);
    owed = std::make_unique<OwedReceipts>(keys->redis, keys->master);
    choices = std::make_unique<KeyChoices>(
        *pickup, keys->life, *pending, OwnCertificatePolicy{{}, true}, *owed, throttle, clock, random, log,
        KeyChoices::Hooks{[this](const KeyNews& news) { return notifier->tell(news); },
                          [this](const CodeForCertificate& code) { return notifier->send_code(code); },
                          [this](const KeyRecord& current, const std::string& before) {
                            replaced.push_back(before + " by " + current.fingerprint);
                          },
                          [this](const KeyRecord& key) {
                            withdrawn.push_back(key.fingerprint);
                            return Status();
                          },
                          [this](const DestroyedKey& destroyed) { return notifier->send_receipt(destroyed); }});
  }

  NotifierOptions notifier_options() {
    return {notify_settings,
            {"", "relay@example.org", "relay.example.org"},
            ContentCipher::Aes256Cbc,
            public_url,
            "next-hop",
            [this](std::string_view content) { return keys->identity.sign_detached(content); },
            templates,
            recipient_domains};
  }

  std::unique_ptr<Notifier> make_notifier(Random& source, std::function<void()> queued) {
    return std::make_unique<Notifier>(keys->directory, *store, *queue, keys->master, clock, source, log,
                                      notifier_options(), std::move(queued));
  }

  KeyRecord assign(const std::string& mailbox) {
    auto assignment = keys->directory.find_or_assign(address(mailbox), introduction);
    EXPECT_TRUE(assignment->assigned) << mailbox;
    EXPECT_TRUE(keys->directory.release_notification(address(mailbox)));
    return assignment->key;
  }

  /// All notices that wait in the queue, as they would leave; they count as delivered.
  std::vector<SentNotice> sent() {
    std::vector<SentNotice> notices;
    while (true) {
      const auto claims = queue->claim(100, 1000).value();
      if (claims.empty()) return notices;
      for (const auto& claim : claims) {
        notices.push_back(read(claim));
        EXPECT_TRUE(queue->delivered(claim, "250 ok"));
      }
    }
  }

  /// How many the queue knows, finished ones too.
  [[nodiscard]] std::size_t deliveries() const {
    return QueueView(keys->redis, clock).list({}, 1000, {}).value().deliveries.size();
  }

  SentNotice read(const Claim& claim) {
    SentNotice notice{claim.delivery.recipient, claim.delivery.notification, {}, {}, {}};
    auto body = queue->open(claim).value();
    for (auto piece = body->next(); !piece->empty(); piece = body->next()) notice.raw += *piece;
    notice.token = after(notice.raw, "\nLink: " + public_url + "/pickup/");
    notice.code = after(notice.raw, "\nAuthentication code: ");
    return notice;
  }

  /// Assigns, notifies, and hands the notification over.
  SentNotice notified(const std::string& mailbox) {
    assign(mailbox);
    EXPECT_TRUE(notifier->serve_outbox());
    auto notices = sent();
    EXPECT_EQ(notices.size(), 1U);
    return notices.empty() ? SentNotice{} : notices.front();
  }

  /// As a recipient does who waits as long as they are told to after wrong codes.
  Result<Secret, PickupError> open(const std::string& token, const std::string& code) {
    auto opened = pickup->open(token, code, "192.0.2.7");
    while (!opened && opened.error().fault == PickupFault::TooFast) {
      clock.advance(opened.error().error.retry_after.value());
      opened = pickup->open(token, code, "192.0.2.7");
    }
    return opened;
  }

  /// A code that is not the one of any notification here.
  static std::string wrong_code(std::size_t number = 0) {
    std::string digits = std::to_string(number);
    return "ZZZZ-ZZZZ-" + std::string(4 - digits.size(), '0') + digits;
  }

  /// Whatever Redis was ever told, as it stands in its files.
  [[nodiscard]] std::string all_of_redis() const {
    std::string octets;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(server.directory().path())) {
      if (entry.is_regular_file()) octets += read_file(entry.path());
    }
    return octets;
  }

  static inline const std::string public_url = "https://relay.example.org";
  SystemRandom random;
  GuessThrottle throttle{clock};
  NotifySettings notify_settings;
  const Templates templates = Templates::load({}).value();
  RecipientDomains recipient_domains;
  std::unique_ptr<Node> keys;
  std::unique_ptr<PickupStore> store;
  std::unique_ptr<MailQueue> queue;
  std::unique_ptr<Notifier> notifier;
  std::unique_ptr<Pickup> pickup;
  std::unique_ptr<PendingCertificates> pending;
  std::unique_ptr<OwedReceipts> owed;
  std::unique_ptr<KeyChoices> choices;
  std::vector<std::string> withdrawn;  ///< fingerprints: mail with their keys is not to leave
  std::vector<std::string> replaced;   ///< fingerprints: the pair before, and the one that took its place
};

}  // namespace sealpost::test
