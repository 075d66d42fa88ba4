// SPDX-License-Identifier: Apache-2.0
// `queue verify`: each fault that an index can have is found and mended; whatever happens to a queue, its indexes fit
// its records; and a queue of an earlier version gets its indexes.
#include "queue/queue_verify.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <set>

#include "queue/history.h"
#include "queue/keys.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost::test {
namespace {

using namespace std::chrono_literals;

class QueueVerifyTest : public QueueTest {
 protected:
  QueueVerification verify(bool repair = false) {
    auto found = verify_queue(redis, clock, repair, [](std::size_t, std::size_t) {});
    EXPECT_TRUE(found) << found.error().internal_detail;
    return found ? std::move(*found) : QueueVerification{};
  }
  static std::string all_told(const QueueVerification& found) {
    std::string text;
    for (const auto& fault : found.told) text += fault + "\n";
    return text;
  }
  void command(const redis::Command& words) {
    auto done = redis.command(words);
    ASSERT_TRUE(done) << done.error().internal_detail;
  }
  std::unique_ptr<MailQueue> queue = process();
};

/// A delivery that waits, one that failed once, one that is being sent, one that is held and one that arrived.
struct Five {
  DeliveryId queued, deferred, sending, held, delivered;
};

struct Fault {
  const char* name;
  const char* told;  ///< a part of what is told
  std::function<redis::Command(const Five&)> make;
  std::size_t faults = 1;
};

std::string base_of(const DeliveryId& id) { return queue_keys::base(id.message().shard()); }

class OneFault : public QueueVerifyTest, public ::testing::WithParamInterface<Fault> {
 protected:
  Five five() {
    const MessageId id = put(*queue, {"a@d.example", "b@d.example", "c@d.example", "d@d.example"});
    for (auto& claim : claim_all(*queue)) {
      if (claim.delivery.id.number() == 1) {
        EXPECT_TRUE(queue->deferred(claim, "450 4.2.1 busy", clock.now() + 5min));
      }
      if (claim.delivery.id.number() == 3) {
        EXPECT_TRUE(queue->held(claim, "look"));
      }
      if (claim.delivery.id.number() == 4) {
        EXPECT_TRUE(queue->delivered(claim, "250 ok"));
      }
    }
    // In a shard of its own: what is due there first is not what is due here.
    MessageId queued = queue->new_id();
    while (queued.shard() == id.shard()) queued = queue->new_id();
    EXPECT_TRUE(queue->put(seal(1), envelope(queued), addressees({"e@d.example"})));
    return {{queued, 1}, {id, 1}, {id, 2}, {id, 3}, {id, 4}};
  }
};

TEST_P(OneFault, IsFoundAndMended) {
  const Five all = five();
  ASSERT_EQ(all_told(verify()), "");
  command(GetParam().make(all));
  const auto found = verify();
  EXPECT_EQ(found.deliveries, 5U);
  EXPECT_NE(all_told(found).find(GetParam().told), std::string::npos) << all_told(found);
  EXPECT_EQ(found.faults, GetParam().faults) << all_told(found);
  EXPECT_EQ(verify().faults, GetParam().faults) << "looking changed something";
  EXPECT_GT(verify(true).faults, 0U);  // one mend may be another's, too
  EXPECT_EQ(all_told(verify()), "");
  // Nothing waits for ever: after a day everything that was not held is there again.
  clock.advance(24h);
  std::set<std::string> claimed;
  for (const auto& claim : claim_all(*process())) claimed.insert(claim.delivery.id.text());
  EXPECT_TRUE(claimed.contains(all.queued.text()));
  EXPECT_TRUE(claimed.contains(all.deferred.text()));
}

INSTANTIATE_TEST_SUITE_P(
    All, OneFault,
    ::testing::Values(
        Fault{"NotInItsState", "is missing in state:0",
              [](const Five& of) {
                return redis::Command{"ZREM", base_of(of.queued) + "state:0", of.queued.text()};
              }},
        Fault{"NotInItsDomain", "is missing in domain:d.example:2",
              [](const Five& of) {
                return redis::Command{"ZREM", base_of(of.deferred) + "domain:d.example:2", of.deferred.text()};
              },
              2},  // the domain's count is wrong with it
        Fault{"NotAtItsRecipient", "is missing in recipient:e@d.example",
              [](const Five& of) {
                return redis::Command{"ZREM", base_of(of.queued) + "recipient:e@d.example", of.queued.text()};
              }},
        Fault{"NotAtItsSender", "is missing in sender:sender@example.com",
              [](const Five& of) {
                return redis::Command{"ZREM", base_of(of.delivered) + "sender:sender@example.com", of.delivered.text()};
              }},
        Fault{"NotAtItsAccount", "is missing in account:crm",
              [](const Five& of) {
                return redis::Command{"ZREM", base_of(of.held) + "account:crm", of.held.text()};
              },
              2},
        Fault{"NotInTheSchedule", "is missing in due:d.example",
              [](const Five& of) {
                return redis::Command{"UNLINK", base_of(of.queued) + "due:d.example"};
              },
              2},
        Fault{"DueAtAnotherTime", "stands wrongly in due:d.example",
              [](const Five& of) {
                return redis::Command{"ZADD", base_of(of.deferred) + "due:d.example", "99999999999999",
                                      of.deferred.text()};
              },
              2},
        Fault{"AFailureThatIsNotIndexed", "is missing in error:450 4.2.1 busy",
              [](const Five& of) {
                return redis::Command{"ZREM", base_of(of.deferred) + "error:450 4.2.1 busy", of.deferred.text()};
              },
              2},
        Fault{"InAStateThatIsNotItsOwn", "stands in state:4 without a reason",
              [](const Five& of) {
                return redis::Command{"ZADD", base_of(of.held) + "state:4", "1", of.held.text()};
              }},
        Fault{"InTheScheduleForNothing", "stands in due:d.example without a reason",
              [](const Five& of) {
                return redis::Command{"ZADD", base_of(of.held) + "due:d.example", "1", of.held.text()};
              },
              2},
        Fault{"AnEntryWithoutARecord", "stands in sender:x@y.example without a reason",
              [](const Five& of) {
                return redis::Command{"ZADD", base_of(of.queued) + "sender:x@y.example", "1",
                                      "01ARYZ6S41" + of.queued.message().text().substr(10) + "-7"};
              }},
        Fault{"ADomainThatCountsWrongly", "counts 9 in domains",
              [](const Five& of) {
                return redis::Command{"ZADD", base_of(of.queued) + "domains", "9", "d.example"};
              }},
        Fault{"ADomainForWhichNothingWaits", "counts 2 in domains, not 0",
              [](const Five& of) {
                return redis::Command{"ZADD", base_of(of.queued) + "domains", "2", "no.example"};
              }},
        Fault{"AnAccountThatCountsWrongly", "counts 9 in accounts",
              [](const Five& of) {
                return redis::Command{"ZADD", base_of(of.queued) + "accounts", "9", "crm"};
              }},
        Fault{"AFailureThatIsListedForNothing", "is listed for nothing",
              [](const Five& of) {
                return redis::Command{"SADD", base_of(of.queued) + "errors", "451 no"};
              }},
        Fault{"AFailureThatIsNotListed", "is not listed",
              [](const Five& of) {
                return redis::Command{"SREM", base_of(of.deferred) + "errors", "450 4.2.1 busy"};
              }},
        Fault{"ADestinationThatIsNotServed", "the schedule has d.example at a wrong time",
              [](const Five& of) {
                return redis::Command{"ZREM", base_of(of.queued) + "destinations", "d.example"};
              }},
        Fault{"SendingByNobody", "is sending, but no process has it",
              [](const Five& of) {
                return redis::Command{"DEL", base_of(of.sending) + "nodes"};
              }},
        Fault{"FinishedForEver", "is missing in finished",
              [](const Five& of) {
                return redis::Command{"DEL", base_of(of.delivered) + "finished"};
              }}),
    [](const auto& info) { return info.param.name; });

TEST_F(QueueVerifyTest, ARecordThatCannotBeReadIsHeldForAHuman) {
  const DeliveryId id(put(*queue, {"a@d.example"}), 1);
  command({"SET", queue_keys::delivery(id), "x"});
  EXPECT_NE(all_told(verify()).find("cannot be read, and is not held"), std::string::npos);
  EXPECT_GT(verify(true).faults, 0U);
  EXPECT_EQ(all_told(verify()), "");
  EXPECT_EQ(view.summary()->states[DeliveryState::Held], 1U);
  EXPECT_TRUE(claim_all(*queue).empty());
}

/// Whatever comes in whatever order, the indexes follow.
TEST_F(QueueVerifyTest, IndexesFitTheRecordsWhateverHappens) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::minstd_rand dice(seed);
  const auto roll = [&dice](unsigned sides) { return static_cast<unsigned>(dice() % sides); };
  std::vector<Claim> in_hand;
  std::vector<DeliveryId> ids;
  for (int step = 0; step < 400; ++step) {
    clock.advance(std::chrono::milliseconds(roll(90'000)));
    const unsigned what = roll(10);
    if (what < 3) {
      std::vector<std::string> to;
      for (unsigned i = 0; i <= roll(3); ++i)
        to.push_back("u" + std::to_string(roll(9)) + "@d" + std::to_string(roll(3)) + ".example");
      const MessageId id = put(*queue, to, roll(2) == 0 ? "crm" : "erp");
      for (std::uint32_t i = 1; i <= to.size(); ++i) ids.emplace_back(id, i);
    } else if (what < 5) {
      for (auto& claim : claim_all(*queue, 2)) in_hand.push_back(std::move(claim));
    } else if (what < 8 && !in_hand.empty()) {
      const Claim claim = std::move(in_hand.back());
      in_hand.pop_back();
      const std::string reply = "mx [192.0.2.1] TLSv1.3: 45" + std::to_string(roll(3)) + " 4.2.1 busy for " +
                                std::to_string(roll(500)) + " s";
      const unsigned outcome = roll(5);
      if (outcome == 0) {
        EXPECT_TRUE(queue->delivered(claim, "250 ok"));
      }
      if (outcome == 1) {
        EXPECT_TRUE(queue->bounced(claim, reply));
      }
      if (outcome == 2) {
        EXPECT_TRUE(queue->held(claim, reply));
      }
      if (outcome == 3) {
        EXPECT_TRUE(queue->deferred(claim, reply, clock.now() + 1min));
      }
      if (outcome == 4) {
        EXPECT_TRUE(queue->release(claim));
      }
    } else if (what == 8 && !ids.empty()) {
      EXPECT_TRUE(view.act(QueueOrder(static_cast<QueueAction>(roll(6)), "smtp://other.example:25"),
                           {ids[roll(static_cast<unsigned>(ids.size()))]}, false));
    } else {
      EXPECT_TRUE(queue->trim_history(10min));
    }
    if (step % 50 == 0) {
      ASSERT_EQ(all_told(verify()), "") << "step " << step;
    }
  }
  EXPECT_EQ(all_told(verify()), "");
}

/// As earlier versions left it: records, schedule, `all`, `held`, and counts of states.
TEST_F(QueueVerifyTest, AQueueOfAnEarlierVersionGetsItsIndexes) {
  EXPECT_FALSE(has_earlier_layout(redis).value());
  const MessageId id = put(*queue, {"a@d.example", "b@d.example", "c@d.example"});
  for (auto& claim : claim_all(*queue)) {
    if (claim.delivery.id.number() == 1) {
      ASSERT_TRUE(queue->deferred(claim, "450 busy", clock.now() + 5min));
    }
    if (claim.delivery.id.number() == 2) {
      ASSERT_TRUE(queue->held(claim, "look"));
    }
    if (claim.delivery.id.number() == 3) {
      ASSERT_TRUE(queue->delivered(claim, "250 ok"));
    }
  }
  const std::string base = queue_keys::base(id.shard());
  for (const char* kind : {"state:", "domain:", "sender:", "error"}) {
    for (const auto& key : keys("queue:*:" + std::string(kind) + "*")) command({"DEL", key});
  }
  for (const char* name : {"domains", "accounts", "last_errors"}) command({"DEL", base + name});
  command({"ZADD", base + "all", "1", id.text() + "-1", "1", id.text() + "-2", "1", id.text() + "-3"});
  command({"ZADD", base + "held", "1", id.text() + "-2"});
  command({"HSET", base + "counts", "2", "1", "3", "1", "4", "1"});
  ASSERT_TRUE(has_earlier_layout(redis).value());
  ASSERT_TRUE(move_to_layout(redis, clock));
  EXPECT_FALSE(has_earlier_layout(redis).value());
  EXPECT_EQ(all_told(verify()), "");
  EXPECT_EQ(count("EXISTS", base + "held"), 0U);
  auto summary = view.summary().value();
  EXPECT_EQ(summary.states[DeliveryState::Deferred], 1U);
  EXPECT_EQ(summary.states[DeliveryState::Held], 1U);
  EXPECT_EQ(summary.states[DeliveryState::Delivered], 1U);
  EXPECT_EQ(summary.destinations.at(0).waiting(), 2U);
  EXPECT_EQ(summary.accounts.at(0).waiting, 2U);
  clock.advance(1h);
  EXPECT_EQ(claim_all(*process()).size(), 1U);
}

}  // namespace
}  // namespace sealpost::test
