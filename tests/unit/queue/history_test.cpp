// SPDX-License-Identifier: Apache-2.0
// What is left of finished deliveries: short records, and the oldest forgotten first, by age and by memory.
#include "queue/history.h"

#include <gtest/gtest.h>

#include "queue/delivery_json.h"
#include "queue/durability.h"
#include "queue/keys.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t record_limit = 256;

struct FinishedCase {
  std::string name;
  std::string recipient;
  std::string shown_recipient;  ///< as `queue show` has it afterwards
  std::string response = "relay.example.org [192.0.2.1] TLSv1.3: 250 2.0.0 queued as 4XYZ";
  int deferrals = 0;
  std::string account = "crm";
  std::string sender = "sender@example.com";
};
void PrintTo(const FinishedCase& c, std::ostream* out) { *out << c.name; }

std::string long_domain(std::size_t labels) {
  std::string domain;
  for (std::size_t i = 0; i < labels; ++i) domain += std::string(60, static_cast<char>('a' + i)) + ".";
  return domain + "example";
}

class FinishedRecord : public test::QueueTest, public ::testing::WithParamInterface<FinishedCase> {
 protected:
  /// Puts the case's message, defers it as often as it says, and delivers it.
  DeliveryId finish(const FinishedCase& c) {
    const MessageId id = process()->new_id();
    Envelope from = envelope(id, c.account);
    from.mail_from = test::address(c.sender);
    from.envid = std::string(100, 'e');
    Addressee to = addressee(c.recipient);
    to.dsn.orcpt = "rfc822;" + std::string(90, 'o');
    EXPECT_TRUE(process()->put(test::seal(1), from, std::vector<Addressee>{to}));
    for (int attempt = 0; attempt <= c.deferrals; ++attempt) {
      auto worker = process();  // a new process looks at all shards at once
      const auto claims = claim_all(*worker);
      EXPECT_EQ(claims.size(), 1U);
      const auto recorded = attempt < c.deferrals ? worker->deferred(claims.at(0), "451 4.3.0 " + std::string(400, 'r'),
                                                                     clock.now() + 1min)
                                                  : worker->delivered(claims.at(0), c.response);
      EXPECT_TRUE(recorded);
      clock.advance(1min);
    }
    return {id, 1};
  }
};

TEST_P(FinishedRecord, IsShortAndStillTells) {
  const FinishedCase& c = GetParam();
  const Time created = clock.now();
  const DeliveryId id = finish(c);
  EXPECT_LE(count("STRLEN", queue_keys::delivery(id)), record_limit);
  EXPECT_LE(count("STRLEN", queue_keys::message(id.message())), record_limit);

  const auto record = view.show(id).value();
  EXPECT_EQ(record.state, DeliveryState::Delivered);
  EXPECT_EQ(record.attempts, static_cast<std::uint32_t>(c.deferrals + 1));
  EXPECT_EQ(record.created, created);
  EXPECT_EQ(record.account, c.account);
  EXPECT_EQ(record.recipient, c.shown_recipient);
  EXPECT_EQ(record.fingerprint, std::string(64, 'a'));
  EXPECT_EQ(record.key_state, "interim");
  EXPECT_GT(record.size, 100U);
  EXPECT_FALSE(record.next_attempt);
  EXPECT_TRUE(c.response.starts_with(record.last_response)) << record.last_response;
  ASSERT_FALSE(record.history.empty());
  EXPECT_EQ(record.history.back().text, "delivered: " + record.last_response);
  EXPECT_EQ(record.history.back().time, clock.now() - 1min);
  for (std::size_t i = 1; i < record.history.size(); ++i) EXPECT_LE(record.history[i - 1].time, record.history[i].time);
  std::ostringstream json;
  to_json(record, true).stringify(json);
  EXPECT_NE(json.str().find(R"("state":"delivered")"), std::string::npos);
}

TEST_P(FinishedRecord, IsForgottenWithAllItsIndexes) {
  finish(GetParam());
  clock.advance(1h);
  ASSERT_EQ(trim_finished(redis, clock.now() - 1min).value(), 1U);
  for (const char* kind : {"message:", "delivery:", "recipient:", "account:", "sender:", "state:", "domain:", "domains",
                           "accounts", "error", "last_errors", "finished", "body:"}) {
    for (const char* shard : {"queue:{?}:", "queue:{??}:"}) {
      EXPECT_TRUE(keys(std::string(shard) + kind + "*").empty()) << kind;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Records, FinishedRecord,
    ::testing::Values(
        FinishedCase{"plain", "bob@d.example", "bob@d.example"},
        FinishedCase{"upper_case", "Bob@D.example", "Bob@D.example"},
        FinishedCase{"quoted", "\"Bob B\"@d.example", "\"Bob B\"@d.example"},
        FinishedCase{"international",
                     "j\xc3\xbcrgen@b\xc3\xbc"
                     "cher.example",
                     "j\xc3\xbcrgen@b\xc3\xbc"
                     "cher.example"},
        FinishedCase{"long_response", "bob@d.example", "bob@d.example", "250 " + std::string(500, 'r')},
        FinishedCase{"no_response", "bob@d.example", "bob@d.example", ""},
        FinishedCase{"many_deferrals", "bob@d.example", "bob@d.example", "250 ok", 40},
        FinishedCase{"longest_whole", std::string(64, 'l') + "@" + std::string(60, 'a') + ".example",
                     std::string(64, 'l') + "@" + std::string(60, 'a') + ".example", "250 " + std::string(200, 'r'), 3},
        FinishedCase{"shortened", std::string(64, 'l') + "@" + long_domain(3),
                     std::string(40, 'l') + "...@" + long_domain(3).substr(0, 90), "250 ok", 2},
        FinishedCase{"shortened_between_characters",
                     std::string(1, 'l') + "\xc3\xbc" + std::string(61, 'l') + "@" + long_domain(3),
                     std::string(1, 'l') + "\xc3\xbc" + std::string(37, 'l') + "...@" + long_domain(3).substr(0, 90)},
        FinishedCase{"long_account_and_sender", "bob@d.example", "bob@d.example", "250 ok", 0, std::string(128, 'n'),
                     std::string(64, 's') + "@" + long_domain(3)}),
    [](const auto& tested) { return tested.param.name; });

class HistoryTest : public test::QueueTest {
 protected:
  /// One delivery each, finished a millisecond after the other; in that order.
  std::vector<MessageId> deliver(std::size_t messages) {
    std::vector<MessageId> ids;
    for (std::size_t i = 0; i < messages; ++i) {
      ids.push_back(put(*queue, {"r" + std::to_string(i) + "@d.example"}));
      for (const auto& claim : claim_all(*queue)) EXPECT_TRUE(queue->delivered(claim, "250 ok"));
      clock.advance(1ms);
    }
    return ids;
  }
  /// Sets maxmemory so that this many octets must go to come below half of it.
  void press(std::uint64_t octets) {
    const auto used = read_memory(redis).value().used;
    ASSERT_TRUE(redis.command({"CONFIG", "SET", "maxmemory", std::to_string((used - octets) * 2)}));
  }
  bool is_known(const MessageId& id) { return static_cast<bool>(view.show(DeliveryId(id, 1))); }
  std::unique_ptr<MailQueue> queue = process();
};

TEST_F(HistoryTest, AboveHalfOfMaxmemoryTheOldestGoWhateverTheirAge) {
  const MessageId waiting = put(*queue, {"waiting@d.example"});
  for (const auto& claim : claim_all(*queue)) ASSERT_TRUE(queue->deferred(claim, "451 later", clock.now() + 24h));
  const auto before = read_memory(redis).value().used;
  const auto ids = deliver(1000);
  const auto grown = read_memory(redis).value().used - before;
  press(grown / 2);
  const std::size_t trimmed = queue->trim_history(7 * 24h).value();
  const auto memory = read_memory(redis).value();
  constexpr std::uint64_t noise = 64U << 10U;  // buffers of connections come and go
  EXPECT_LE(memory.used, memory.limit / 2 + noise)
      << before << " octets at first, then " << grown << " more; trimmed " << trimmed;
  EXPECT_GT(trimmed, 100U);
  EXPECT_LT(trimmed, 950U) << "more than needed";
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(is_known(ids[i]), i >= trimmed) << i;
  EXPECT_TRUE(is_known(waiting));
}

TEST_F(HistoryTest, UnfinishedDeliveriesStayHoweverFullRedisIs) {
  const MessageId waiting = put(*queue, {"a@d.example", "b@d.example"});
  const auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 2U);
  ASSERT_TRUE(queue->delivered(claims[0], "250 ok"));
  ASSERT_TRUE(queue->held(claims[1], "look"));
  press(1U << 20U);
  EXPECT_EQ(queue->trim_history(7 * 24h).value(), 1U);
  EXPECT_EQ(state(waiting, claims[1].delivery.id.number()), DeliveryState::Held);
  EXPECT_EQ(queue->trim_history(7 * 24h).value(), 0U) << "ends although Redis stays above half";
  ASSERT_FALSE(keys("queue:*:body:*").empty());
}

TEST_F(HistoryTest, BelowHalfOrWithoutALimitOnlyAgeCounts) {
  const auto ids = deliver(5);
  EXPECT_EQ(queue->trim_history(1h).value(), 0U);
  ASSERT_TRUE(redis.command({"CONFIG", "SET", "maxmemory", "0"}));
  EXPECT_EQ(queue->trim_history(1h).value(), 0U);
  clock.advance(1h - 2ms);
  EXPECT_EQ(queue->trim_history(1h).value(), 4U) << "what finished an hour ago or earlier";
  EXPECT_TRUE(is_known(ids.back()));
}

TEST_F(HistoryTest, ALongHistoryGoesInSeveralSteps) {
  deliver(200);
  const MessageId many = put(*queue, std::vector<std::string>(120, "a@d.example"));
  for (const auto& claim : claim_all(*queue)) ASSERT_TRUE(queue->delivered(claim, "250 ok"));
  clock.advance(1h);
  EXPECT_EQ(queue->trim_history(1min).value(), 320U);
  EXPECT_FALSE(is_known(many));
}

TEST_F(HistoryTest, RedisAwayIsAnError) {
  server.kill();
  EXPECT_EQ(queue->trim_history(1h).error().kind, ErrorKind::Temporary);
}

}  // namespace
}  // namespace sealpost
