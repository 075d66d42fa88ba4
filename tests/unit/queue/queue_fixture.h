// SPDX-License-Identifier: Apache-2.0
// A queue over a real Redis with a real master key and really sealed messages, as many processes on it as a test wants.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/random.h"
#include "crypto/master_key.h"
#include "crypto/sealer.h"
#include "queue/mail_queue.h"
#include "queue/queue_actions.h"
#include "queue/queue_view.h"
#include "tests/support/address.h"
#include "tests/support/fakes.h"
#include "tests/support/process.h"
#include "tests/support/redis_server.h"

namespace sealpost::test {

inline constexpr const char* canary = "CANARY-f3a1c9";

/// Two recipients' certificates with their keys, made by openssl once for the program.
struct Certificates {
  TempDir dir;
  std::vector<std::string> der;

  static const Certificates& get() {
    static const Certificates made;
    return made;
  }
  [[nodiscard]] std::string key_file(std::size_t index) const { return dir / (std::to_string(index) + ".key"); }
  [[nodiscard]] std::string certificate_file(std::size_t index) const { return dir / (std::to_string(index) + ".der"); }

 private:
  Certificates() {
    for (std::size_t i = 0; i < 2; ++i) {
      const auto done =
          run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key_file(i), "-out",
               certificate_file(i), "-outform", "DER", "-subj", "/CN=r" + std::to_string(i), "-days", "30"});
      if (done.status != 0) throw std::runtime_error("openssl req: " + done.err);
      der.push_back(read_file(certificate_file(i)));
    }
  }
};

/// A submitted message, sealed for the recipients of Certificates in turn.
inline SealedMessage seal(std::size_t recipients, const std::string& body = std::string("Body ") + canary) {
  const std::string text = std::string("From: a@example.com\r\nSubject: ") + canary + "\r\nMessage-ID: <" + canary +
                           "@example.com>\r\n\r\n" + body + "\r\n";
  const auto message = split_message(text).value();
  std::vector<std::string> certificates;
  for (std::size_t i = 0; i < recipients; ++i) certificates.push_back(Certificates::get().der[i % 2]);
  return Sealer(CryptoSettings{}).seal(message, certificates, {"Received: by relay\r\n", {}}).value();
}

class QueueTest : public ::testing::Test {
 protected:
  explicit QueueTest(std::vector<std::string> redis_arguments = {})
      : server(std::move(redis_arguments)),
        redis(server.endpoint(), std::chrono::seconds(20)),
        master(MasterKey::open(server.directory() / "master.key", redis, random).value()),
        view(redis, clock) {}

  /// A process of the relay.
  std::unique_ptr<MailQueue> process(std::chrono::seconds silence = std::chrono::seconds(60)) {
    return std::make_unique<MailQueue>(redis, master, clock, random, log, silence);
  }

  Envelope envelope(MessageId id, const std::string& account = "crm") const {
    return {std::move(id), account, address("sender@example.com"), "envid", false, clock.now()};
  }
  static Addressee addressee(const std::string& mailbox) {
    const auto parsed = address(mailbox);
    return {parsed, parsed.domain().a_label(), std::string(64, 'a'), "interim", {}};
  }
  static std::vector<Addressee> addressees(const std::vector<std::string>& mailboxes) {
    std::vector<Addressee> all;
    for (const auto& mailbox : mailboxes) all.push_back(addressee(mailbox));
    return all;
  }

  /// Puts a small message; the test ends when that fails.
  MessageId put(MailQueue& queue, const std::vector<std::string>& mailboxes, const std::string& account = "crm") {
    const MessageId id = queue.new_id();
    const auto done = queue.put(seal(mailboxes.size()), envelope(id, account), addressees(mailboxes));
    EXPECT_TRUE(done) << done.error().internal_detail;
    EXPECT_EQ(done->outcome, PutOutcome::Stored);
    return id;
  }

  /// Claims until nothing is due; the process' 500 ms between sweeps of other processes' mail are waited out in the
  /// queue itself.
  static std::vector<Claim> claim_all(MailQueue& queue, const ClaimLimits& limits = 1000) {
    std::vector<Claim> all;
    while (true) {
      auto claims = queue.claim(100, limits);
      EXPECT_TRUE(claims) << claims.error().internal_detail;
      if (!claims || claims->empty()) return all;
      for (auto& claim : *claims) all.push_back(std::move(claim));
    }
  }

  static std::string read_all(DeliveryBody& body) {
    std::string text;
    while (true) {
      auto piece = body.next();
      EXPECT_TRUE(piece) << piece.error().internal_detail;
      if (!piece || piece->empty()) return text;
      text += *piece;
    }
  }

  DeliveryState state(const MessageId& id, std::uint32_t number = 1) {
    auto shown = view.show(DeliveryId(id, number));
    if (!shown) throw std::runtime_error(shown.error().public_text + ": " + shown.error().internal_detail);
    return shown->state;
  }
  std::size_t count(const std::string& command, const std::string& key) {
    return static_cast<std::size_t>(redis.command({command, key}).value().integer());
  }
  std::vector<std::string> keys(const std::string& pattern) {
    const auto reply = redis.command({"KEYS", pattern}).value();
    std::vector<std::string> names;
    for (std::size_t i = 0; i < reply.size(); ++i) names.emplace_back(reply[i].text());
    return names;
  }

  /// Sets one field of a MessagePack record, as somebody would who can write to Redis.
  void alter(const std::string& key, std::size_t field, const std::string& value) {
    const auto done = redis.command({"EVAL",
                                     "local r = cmsgpack.unpack(redis.call('GET', KEYS[1]))\n"
                                     "r[tonumber(ARGV[1])] = ARGV[2]\n"
                                     "return redis.call('SET', KEYS[1], cmsgpack.pack(r))",
                                     "1", key, std::to_string(field), value});
    EXPECT_TRUE(done && !done->is_error()) << key;
  }

  RedisServer server;
  ManualClock clock;
  SystemRandom random;
  Log log{LogLevel::Error, LogFormat::Text, clock};
  redis::Client redis;
  MasterKey master;
  QueueView view;
  AuditTrail audit{redis, master, log};
  QueueActions actions{redis, view, audit, clock};
};

}  // namespace sealpost::test
