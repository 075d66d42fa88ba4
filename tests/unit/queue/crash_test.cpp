// SPDX-License-Identifier: Apache-2.0
// Processes and stores that die: leases, fences and the reaper; a full store that still drains; kill -9 of Redis during
// puts.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <mutex>
#include <thread>

#include "queue/body_store.h"
#include "queue/durability.h"
#include "queue/keys.h"
#include "tests/support/eventually.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;

class Crash : public test::QueueTest {
 protected:
  /// Reaps until so many deliveries were taken back: Redis' clock has to pass the silence.
  static std::size_t reap_until(MailQueue& queue, std::size_t wanted) {
    std::size_t taken = 0;
    for (const auto end = std::chrono::steady_clock::now() + 15s;
         taken < wanted && std::chrono::steady_clock::now() < end;) {
      const auto reaped = queue.reap();
      EXPECT_TRUE(reaped);
      taken += reaped.value();
    }
    return taken;
  }
};

TEST_F(Crash, LeasesOfASilentProcessAreTakenBackAndItsOutcomesRefused) {
  auto dead = process(1s);
  auto alive = process(1s);
  ASSERT_TRUE(dead->heartbeat());
  const MessageId id = put(*dead, {"a@d.example"});
  const auto lost = claim_all(*dead);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_TRUE(claim_all(*alive).empty()) << "claimed twice";
  ASSERT_EQ(reap_until(*alive, 1), 1U);
  auto record = view.show(DeliveryId(id, 1)).value();
  EXPECT_EQ(record.state, DeliveryState::Queued);
  EXPECT_EQ(record.attempts, 0U) << "a crash is no attempt";
  const auto again = claim_all(*alive);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_GT(again[0].fence, lost[0].fence);
  for (const auto& status : {dead->delivered(lost[0], "250 ok"), dead->bounced(lost[0], "550 no"),
                             dead->deferred(lost[0], "451", clock.now()), dead->release(lost[0])}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::NotFound);
  }
  EXPECT_EQ(state(id), DeliveryState::Sending);
  EXPECT_TRUE(alive->delivered(again[0], "250 ok"));
}

TEST_F(Crash, AProcessThatDiesBeforeItsFirstHeartbeatIsReapedToo) {
  auto dead = process(1s);
  put(*dead, {"a@d.example"});
  ASSERT_EQ(claim_all(*dead).size(), 1U);
  auto alive = process(1s);
  EXPECT_EQ(reap_until(*alive, 1), 1U);
  EXPECT_EQ(claim_all(*alive).size(), 1U);
}

TEST_F(Crash, ALiveProcessKeepsItsLeases) {
  auto worker = process(60s);
  auto other = process(60s);
  ASSERT_TRUE(worker->heartbeat());
  put(*worker, {"a@d.example"});
  const auto claims = claim_all(*worker);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(other->reap().value(), 0U);
  EXPECT_TRUE(worker->delivered(claims[0], "250 ok"));
}

TEST_F(Crash, ADeliveryThatKillsItsWorkersIsHeld) {
  const MessageId id = put(*process(), {"a@d.example"});
  for (int death = 1; death <= 3; ++death) {
    auto dead = process(1s);
    ASSERT_TRUE(dead->heartbeat());
    ASSERT_EQ(claim_all(*dead).size(), 1U) << death;
    ASSERT_EQ(reap_until(*process(1s), 1), 1U) << death;
    EXPECT_EQ(state(id), death < 3 ? DeliveryState::Queued : DeliveryState::Held);
  }
  EXPECT_TRUE(claim_all(*process()).empty());
  const auto record = view.show(DeliveryId(id, 1)).value();
  EXPECT_NE(record.last_response.find("died 3 times"), std::string::npos);
  const auto released = view.act(QueueAction::Release, {DeliveryId(id, 1)}, false);
  ASSERT_TRUE(released);
  EXPECT_EQ(released->changed, 1U);
  EXPECT_EQ(claim_all(*process()).size(), 1U);
}

TEST_F(Crash, AYoungRedisReapsNobody) {
  auto dead = process(3600s);
  ASSERT_TRUE(dead->heartbeat());
  put(*dead, {"a@d.example"});
  ASSERT_EQ(claim_all(*dead).size(), 1U);
  // As after an outage: every heartbeat in Redis is old, but Redis itself has only just come up.
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    const std::string nodes = queue_keys::base(shard) + "nodes";
    const auto members = redis.command({"ZRANGE", nodes, "0", "-1"}).value();
    for (std::size_t i = 0; i < members.size(); ++i) {
      ASSERT_TRUE(redis.command({"ZADD", nodes, "1", std::string(members[i].text())}));
    }
  }
  EXPECT_EQ(process(3600s)->reap().value(), 0U);
}

TEST_F(Crash, EverythingAnsweredIsThereAfterKillMinusNine) {
  std::mutex mutex;
  std::vector<MessageId> answered;
  std::atomic<bool> stop{false};
  const std::string body(20'000, 'x');
  const SealedMessage message = test::seal(1, body);
  auto queue = process();
  std::size_t failures = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        while (!stop) {
          const MessageId id = queue->new_id();
          const auto done = queue->put(message, envelope(id), addressees({"a@d.example"}));
          const std::lock_guard lock(mutex);
          if (done) {
            answered.push_back(id);
          } else {
            EXPECT_EQ(done.error().kind, ErrorKind::Temporary);
            ++failures;
            stop = true;
          }
        }
      });
    }
    EXPECT_TRUE(test::eventually([&] {
      const std::lock_guard lock(mutex);
      return answered.size() >= 200 || stop;
    }));
    server.kill();
  }
  EXPECT_GT(failures, 0U);
  server.start();
  ASSERT_GE(answered.size(), 200U);
  // Connections from before may still be tried, and found to be broken.
  ASSERT_TRUE(test::eventually([&] { return view.show(DeliveryId(answered.front(), 1)).ok(); }));
  for (const auto& id : answered) ASSERT_EQ(state(id), DeliveryState::Queued) << id.text();
  auto survivor = process();
  const auto claims = claim_all(*survivor);
  EXPECT_GE(claims.size(), answered.size());
  for (const auto& claim : claims) {
    auto opened = survivor->open(claim);
    ASSERT_TRUE(opened) << opened.error().internal_detail;
    ASSERT_EQ(read_all(**opened).size(), claim.delivery.size);
  }
}

class FullStore : public test::QueueTest {
 protected:
  FullStore() : QueueTest({"--maxmemory", "6mb"}) {}

  /// Fills Redis with mail until a put is refused, then with anything up to the last octet.
  void fill(MailQueue& queue) {
    const SealedMessage message = test::seal(1, std::string(50'000, 'x'));
    Result<PutResult> done = PutResult{PutOutcome::Stored, queue.new_id()};
    while (done) {
      const MessageId id = queue.new_id();
      done = queue.put(message, envelope(id), addressees({"a@d.example"}));
      if (done) stored.push_back(id);
    }
    EXPECT_EQ(done.error().kind, ErrorKind::Temporary);
    EXPECT_TRUE(redis::is_store_full(done.error())) << done.error().internal_detail;
    for (int i = 0; redis.command({"SET", "filler" + std::to_string(i), std::string(1000, 'x')}); ++i) {
    }
  }
  std::vector<MessageId> stored;
};

TEST_F(FullStore, RefusesMailAndStillDrains) {
  auto queue = process();
  fill(*queue);
  ASSERT_GT(stored.size(), 5U);
  EXPECT_TRUE(StoreWatermark(redis, "").full());
  EXPECT_FALSE(queue->put(test::seal(1), envelope(queue->new_id()), addressees({"a@d.example"})));
  EXPECT_TRUE(queue->heartbeat());
  auto worker = process();
  const auto claims = claim_all(*worker);
  ASSERT_EQ(claims.size(), stored.size());
  EXPECT_TRUE(worker->deferred(claims[0], "451 later", clock.now() + 60s));
  EXPECT_TRUE(worker->held(claims[1], "look"));
  EXPECT_TRUE(worker->bounced(claims[2], "550 no"));
  EXPECT_TRUE(worker->release(claims[3]));
  for (std::size_t i = 4; i < claims.size(); ++i) ASSERT_TRUE(worker->delivered(claims[i], "250 ok"));
  EXPECT_TRUE(view.act(QueueAction::Drop, {claims[1].delivery.id}, false));
  EXPECT_TRUE(queue->put(test::seal(1), envelope(queue->new_id()), addressees({"a@d.example"}))) << "drained";
}

TEST_F(FullStore, ABounceFindsRoomThatNewMailDoesNot) {
  auto queue = process();
  fill(*queue);
  const std::string text = "Subject: bounce\r\n\r\nx\r\n";
  EXPECT_TRUE(queue->put(Notice(Notice::Kind::Bounce, WipedBuffer(text.begin(), text.end())),
                         envelope(queue->new_id(), ""), addressee("a@d.example")));
}

/// A body of several chunks that is not put leaves none of them behind.
class LargeBody : public test::QueueTest {
 protected:
  LargeBody() : QueueTest({"--maxmemory", "12mb"}) {}
  static SealedMessage large() { return test::seal(1, std::string(2'000'000, 'x')); }
  Result<PutResult> put_large(MailQueue& queue, const std::optional<Once>& once = std::nullopt) {
    return queue.put(large(), envelope(queue.new_id(once)), addressees({"a@d.example"}), once);
  }
  std::size_t chunks() { return keys("queue:*:body:*").size(); }
  void fill_to(std::uint64_t percent) {
    for (int i = 0; 100 * read_memory(redis).value().used < percent * read_memory(redis).value().limit; ++i) {
      ASSERT_TRUE(redis.command({"SET", "filler" + std::to_string(i), std::string(50'000, 'x')}));
    }
  }
  std::unique_ptr<MailQueue> queue = process();
};

TEST_F(LargeBody, IsRefusedBeforeItsFirstChunkWhenItWouldPassTheWatermark) {
  fill_to(70);
  const auto before = redis.command({"CONFIG", "RESETSTAT"});
  ASSERT_TRUE(before);
  const auto refused = put_large(*queue);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(redis::is_store_full(refused.error())) << refused.error().internal_detail;
  EXPECT_EQ(redis.command({"INFO", "commandstats"}).value().text().find("cmdstat_set:"), std::string_view::npos);
  put(*queue, {"small@d.example"});
}

TEST_F(LargeBody, LeavesNothingWhenAChunkIsRefused) {
  fill_to(90);
  const MessageId id = queue->new_id();
  const auto body = lay_out(large(), envelope(id), master).value();
  const auto written = write_chunks(redis, id, body, log);
  ASSERT_FALSE(written);
  EXPECT_TRUE(redis::is_store_full(written.error())) << written.error().internal_detail;
  EXPECT_EQ(chunks(), 0U);
}

TEST_F(LargeBody, LeavesNothingWhenItsKeyWasUsedBefore) {
  const Once once{random.octets(32), random.octets(32), 60s};
  ASSERT_EQ(put_large(*queue, once).value().outcome, PutOutcome::Stored);
  const std::size_t stored = chunks();
  EXPECT_GT(stored, 1U);
  EXPECT_EQ(put_large(*queue, once).value().outcome, PutOutcome::Replayed);
  EXPECT_EQ(put_large(*queue, {{once.key_mac, random.octets(32), 60s}}).value().outcome, PutOutcome::Conflict);
  EXPECT_EQ(chunks(), stored) << "the first one's";
  const auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(read_all(**queue->open(claims[0])).size(), claims[0].delivery.size);
}

TEST_F(LargeBody, ExpiresWithinMinutesWhenNobodyKnowsWhatBecameOfThePut) {
  redis::Endpoint limited = server.endpoint();
  ASSERT_TRUE(redis.command({"ACL", "SETUSER", "writer", "on", ">secret", "~*", "+@all", "-@scripting"}));
  limited.username = "writer";
  constexpr std::string_view password = "secret";
  limited.password = Secret(WipedBuffer(password.begin(), password.end()));
  redis::Client client(std::move(limited), 20s);
  MailQueue writer(client, master, clock, random, log);
  EXPECT_FALSE(put_large(writer));
  EXPECT_GT(chunks(), 1U) << "it may have been done";
  for (const auto& key : keys("queue:*:body:*")) {
    const auto life = count("TTL", key);
    EXPECT_GT(life, 60U) << key;
    EXPECT_LE(life, 300U) << key;
  }
}

class Watermark : public test::QueueTest {};

TEST_F(Watermark, IsAtFourFifthsOfMaxmemory) {
  EXPECT_EQ(StoreWatermark(redis, "").reason(), "");
  const auto limit = [this](std::uint64_t octets) {
    ASSERT_TRUE(redis.command({"CONFIG", "SET", "maxmemory", std::to_string(octets)}));
  };
  const std::uint64_t used = read_memory(redis).value().used;
  limit(used * 10 / 7);
  EXPECT_FALSE(StoreWatermark(redis, "").full());
  limit(used * 10 / 9);
  const std::string reason = StoreWatermark(redis, "").reason();
  EXPECT_NE(reason.find("80 % of maxmemory"), std::string::npos) << reason;
  limit(0);
  EXPECT_FALSE(StoreWatermark(redis, "").full());
}

TEST_F(Watermark, ARedisThatIsAwayIsNotFull) {
  server.kill();
  EXPECT_FALSE(StoreWatermark(redis, "").full());
}

TEST_F(Watermark, ADiskThatCannotBeAskedIsNotFull) {
  EXPECT_FALSE(StoreWatermark(redis, server.directory() / "absent").full());
}

class Durability : public test::QueueTest {};

TEST_F(Durability, IsJudgedBySettings) {
  ASSERT_TRUE(check_durability(redis));
  EXPECT_TRUE(check_durability(redis)->empty());
  const std::vector<std::vector<std::string>> weak = {{"appendfsync", "everysec"},
                                                      {"appendonly", "no"},
                                                      {"no-appendfsync-on-rewrite", "yes"},
                                                      {"maxmemory-policy", "allkeys-lru"},
                                                      {"maxmemory", "0"}};
  for (const auto& setting : weak) {
    const std::string before(redis.command({"CONFIG", "GET", setting[0]}).value()[1].text());
    ASSERT_TRUE(redis.command({"CONFIG", "SET", setting[0], setting[1]}));
    const auto findings = check_durability(redis).value();
    ASSERT_EQ(findings.size(), 1U) << setting[0];
    EXPECT_NE(findings[0].find(setting[0]), std::string::npos) << findings[0];
    ASSERT_TRUE(redis.command({"CONFIG", "SET", setting[0], before}));
  }
  ASSERT_TRUE(redis.command({"REPLICAOF", "127.0.0.1", "1"}));
  const auto findings = check_durability(redis).value();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_NE(findings[0].find("role is not master"), std::string::npos) << findings[0];
  server.kill();
  EXPECT_EQ(check_durability(redis).error().kind, ErrorKind::Temporary);
}

}  // namespace
}  // namespace sealpost
