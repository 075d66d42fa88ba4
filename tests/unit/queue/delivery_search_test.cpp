// SPDX-License-Identifier: Apache-2.0
// Search: every filter and every pair of filters finds what a look at all records would find, in either order, page by
// page; cursors of other searches and forged ones are refused.
#include "queue/delivery_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/encoding.h"
#include "queue/filter_text.h"
#include "queue/index_walk.h"
#include "queue/keys.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost::test {
namespace {

using namespace std::chrono_literals;
using DeliverySearchParts = std::map<std::string, std::string>;

/// 300 deliveries in all states, from three senders over two accounts to four domains, with five kinds of failure.
class DeliverySearchTest : public QueueTest {
 protected:
  void SetUp() override {
    for (int i = 0; i < 100; ++i) {
      Envelope of = envelope(queue->new_id(), i % 4 == 0 ? "erp" : "crm");
      if (i % 5 == 0) of.mail_from.reset();
      if (i % 5 == 1) of.mail_from = address("Other@Example.com");
      std::vector<std::string> to;
      for (int n = 0; n < 3; ++n) {
        to.push_back("u" + std::to_string((i * 3 + n) % 10) + "@d" + std::to_string((i + n) % 4) + ".example");
      }
      ASSERT_TRUE(queue->put(seal(3), of, addressees(to)));
      if (i % 3 == 0) clock.advance(i % 2 == 0 ? 7min : 1ms);
      if (i % 2 == 0) settle_some();
    }
    for (unsigned shard = 0; shard < shard_count; ++shard) {
      auto all = redis.command({"KEYS", "queue:{" + std::to_string(shard) + "}:delivery:*"}).value();
      for (std::size_t j = 0; j < all.size(); ++j) {
        const std::string key(all[j].text());
        everything.push_back(view.show(DeliveryId::parse(key.substr(key.rfind(':') + 1)).value()).value());
      }
    }
    ASSERT_EQ(everything.size(), 300U);
  }

  void settle_some() {
    static constexpr std::array replies = {
        "mx1.example.net [192.0.2.1] TLSv1.3: 451 4.7.1 Greylisted, try again in 298 seconds",
        "mx2.example.net [2001:db8::1] TLSv1.3: 451 4.7.1 Greylisted, try again in 17 seconds",
        "mx1.example.net [192.0.2.1]: 452 4.2.2 Mailbox full", "cannot be reached (connection refused)",
        "421 4.7.0 Try again later, this is a reply that is so long that its class must be cut somewhere"};
    for (const auto& claim : claim_all(*queue, 2)) {
      const std::string reply = replies.at(dice() % replies.size());
      switch (dice() % 7) {
        case 0:
          ASSERT_TRUE(queue->delivered(claim, "250 ok"));
          break;
        case 1:
          ASSERT_TRUE(queue->bounced(claim, reply));
          break;
        case 2:
          ASSERT_TRUE(queue->held(claim, reply));
          break;
        case 3:
          break;  // stays sending
        case 4:
          ASSERT_TRUE(queue->release(claim));
          break;
        default:
          ASSERT_TRUE(queue->deferred(claim, reply, clock.now() + 24h));
      }
    }
  }

  static std::string key_of(const DeliveryRecord& record) {
    const std::string created = std::to_string(to_milliseconds(record.created));
    return std::string(15 - created.size(), '0') + created + " " + record.id.text();
  }
  std::vector<std::string> expected(const DeliveryFilter& filter) {
    std::vector<std::string> found;
    for (const auto& record : everything) {
      if (matches(filter, record, clock.now())) found.push_back(key_of(record));
    }
    std::sort(found.begin(), found.end());
    if (filter.order == WalkOrder::NewestFirst) std::reverse(found.begin(), found.end());
    return found;
  }
  std::vector<std::string> listed(const DeliveryFilter& filter, std::size_t limit) {
    std::vector<std::string> found;
    std::string cursor;
    do {
      auto page = view.list(filter, limit, cursor);
      EXPECT_TRUE(page) << page.error().public_text << page.error().internal_detail;
      if (!page) return found;
      EXPECT_LE(page->deliveries.size(), limit);
      for (const auto& record : page->deliveries) found.push_back(key_of(record));
      cursor = page->cursor;
    } while (!cursor.empty());
    return found;
  }

  std::minstd_rand dice{7};
  std::unique_ptr<MailQueue> queue = process();
  std::vector<DeliveryRecord> everything;
};

const std::vector<std::pair<std::string, std::string>> wishes = {{"state", "queued"},
                                                                 {"state", "deferred"},
                                                                 {"state", "bounced"},
                                                                 {"state", "waiting"},
                                                                 {"domain", "D1.example"},
                                                                 {"domain", "no.example"},
                                                                 {"sender", "<>"},
                                                                 {"sender", "other@example.com"},
                                                                 {"recipient", "U3@d2.EXAMPLE"},
                                                                 {"account", "erp"},
                                                                 {"older_than", "1h"},
                                                                 {"newer_than", "30m"},
                                                                 {"error", "451"},
                                                                 {"error", "4.2.2"},
                                                                 {"error", "298"},
                                                                 {"error", "greyLISTED"},
                                                                 {"error", "try again in 17"},
                                                                 {"error", "again"},
                                                                 {"error", "must be cut"},
                                                                 {"error", "refused"},
                                                                 {"error", "mx1.example.net"},
                                                                 {"error", "nobody said this"},
                                                                 {"order", "newest"}};

TEST_F(DeliverySearchTest, EachPairOfFiltersFindsWhatALookAtAllRecordsFinds) {
  std::size_t found = 0;
  for (const auto& one : wishes) {
    for (const auto& other : wishes) {
      if (one > other || (one.first == other.first && one != other)) continue;
      auto filter = parse_filter({one, other});
      ASSERT_TRUE(filter) << filter.error().public_text;
      const auto right = expected(*filter);
      found += right.size();
      for (const std::size_t limit : {7U, 1000U}) {
        EXPECT_EQ(listed(*filter, limit), right)
            << one.first << "=" << one.second << " " << other.first << "=" << other.second << " in pages of " << limit;
      }
    }
  }
  EXPECT_GT(found, 3000U) << "the cases find next to nothing";
}

TEST_F(DeliverySearchTest, AMessagesDeliveriesAreFoundByItsId) {
  DeliveryFilter filter;
  filter.message = everything.front().id.message();
  EXPECT_EQ(listed(filter, 10).size(), 3U);
}

TEST_F(DeliverySearchTest, ACursorIsGoodForItsOwnSearchOnly) {
  const auto deferred = parse_filter({{"state", "deferred"}}).value();
  const auto page = view.list(deferred, 3, "").value();
  ASSERT_FALSE(page.cursor.empty());
  for (const DeliverySearchParts& other :
       {DeliverySearchParts{{"state", "held"}}, DeliverySearchParts{{"state", "deferred"}, {"order", "newest"}},
        DeliverySearchParts{{"state", "deferred"}, {"domain", "d1.example"}}, DeliverySearchParts{}}) {
    const auto refused = view.list(parse_filter(other).value(), 3, page.cursor);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::Invalid);
    EXPECT_EQ(refused.error().public_text, "this cursor is one of another search");
  }
  const std::string plain = from_base64url(page.cursor).value();
  const std::string mark = plain.substr(0, plain.find(' '));
  for (const std::string& forged : {mark + " 99999999999999999999 " + everything.front().id.text(), mark + " -5 x-1",
                                    mark + " 5 01ARYZ6S410000000000000000", mark + "  "}) {
    EXPECT_FALSE(view.list(deferred, 3, to_base64url(forged))) << forged;
  }
}

TEST_F(DeliverySearchTest, ActionsInStepsReachEachMatchOnce) {
  const auto filter = parse_filter({{"account", "crm"}, {"state", "waiting"}}).value();
  const auto of_state = [&](const char* state) {
    return expected(parse_filter({{"account", "crm"}, {"state", state}}).value()).size();
  };
  const std::size_t all = expected(filter).size();
  const std::size_t can_be_held = of_state("queued") + of_state("deferred");
  ASSERT_GT(can_be_held, 0U);
  ActionResult total;
  std::size_t steps = 0;
  do {
    auto step = actions.act(QueueAction::Hold, filter, "operator", 1, total.cursor);
    ASSERT_TRUE(step) << step.error().public_text;
    total.matched += step->matched;
    total.changed += step->changed;
    total.cursor = step->cursor;
    ASSERT_LE(++steps, all + 1);
  } while (!total.cursor.empty());
  EXPECT_EQ(total.matched, all);
  EXPECT_EQ(total.changed, can_be_held);
  EXPECT_TRUE(listed(parse_filter({{"account", "crm"}, {"state", "deferred"}}).value(), 1000).empty());
}

/// What an action moves comes by in no other set of the same walk.
TEST_F(DeliverySearchTest, AWalkMeetsOnceWhateverMovesBesideIt) {
  std::vector<DeliveryId> waiting;
  std::vector<std::string> wanted;
  for (const auto& record : everything) {
    if (!is_waiting(record.state) || record.state == DeliveryState::Sending) continue;
    waiting.push_back(record.id);
    wanted.push_back(record.id.text());
  }
  ASSERT_GT(waiting.size(), 60U);
  std::sort(wanted.begin(), wanted.end());
  std::vector<std::vector<std::string>> sets(shard_count);
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    for (const auto state : {DeliveryState::Queued, DeliveryState::Deferred, DeliveryState::Held}) {
      sets[shard].push_back(queue_keys::state(shard, state));
    }
  }
  for (const auto order : {WalkOrder::OldestFirst, WalkOrder::NewestFirst}) {
    for (const std::size_t pace : {1U, 7U, 50U}) {
      IndexWalk walk(redis, sets, {order, {}, {}, {}});
      std::vector<std::string> met;
      std::optional<IndexPosition> before;
      while (true) {
        const auto entry = walk.next().value();
        if (!entry) break;
        if (before) {
          EXPECT_TRUE(order == WalkOrder::OldestFirst ? *before < entry->position : entry->position < *before);
        }
        before = entry->position;
        met.push_back(entry->id.text());
        if (met.size() % pace != 0) continue;
        const bool hold = met.size() / pace % 2 == 1;
        ASSERT_TRUE(view.act(hold ? QueueAction::Hold : QueueAction::Release, waiting, false));
      }
      std::sort(met.begin(), met.end());
      EXPECT_EQ(met, wanted) << "moved after each " << pace;
    }
  }
}

TEST_F(DeliverySearchTest, AMessageOfManyRecipientsIsReadInFewTrips) {
  std::vector<std::string> many;
  for (int i = 0; i < 900; ++i) many.push_back("many" + std::to_string(i) + "@d0.example");
  const MessageId id = put(*queue, many);
  const auto calls = [&] {
    const std::string text(redis.command({"INFO", "commandstats"}).value().text());
    const auto at = text.find("cmdstat_zrangebyscore:calls=");
    return at == std::string::npos ? 0L : std::stol(text.substr(at + 28));
  };
  for (const auto& filter : {DeliverySearchParts{{"state", "waiting"}}, {{"state", "waiting"}, {"order", "newest"}}}) {
    const long before = calls();
    std::size_t found = 0;
    std::string cursor;
    do {
      auto page = view.list(parse_filter(filter).value(), 100, cursor).value();
      for (const auto& record : page.deliveries) found += record.id.message() == id ? 1 : 0;
      cursor = page.cursor;
    } while (!cursor.empty());
    EXPECT_EQ(found, 900U);
    EXPECT_LT(calls() - before, 4000) << "not the square of their number";
  }
}

TEST_F(DeliverySearchTest, WhatAnActionMovesIsNotMetTwice) {
  const auto filter = parse_filter({{"account", "crm"}}).value();
  DeliveryFilter waiting = filter;
  waiting.waiting = true;
  const std::size_t all = expected(waiting).size();
  const auto done = actions.act(QueueAction::Hold, filter, "operator", 100'000);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->matched, all);
  EXPECT_EQ(done->cursor, "");
}

/// Whatever stands before a reply, it is one failure, and found by its codes.
TEST_F(DeliverySearchTest, AFailureIsOneWhoeverMetIt) {
  const std::vector<std::string> ways = {"hub.example [hub.example]: 421 4.7.9 too busy",
                                         "mx.x.example [192.0.2.1:25] TLSv1.3: 421 4.7.9 too busy",
                                         "mx.y.example [[2001:db8::1]:25]: 421 4.7.9 too busy", "421 4.7.9 too busy",
                                         "not tried, since the attempt before ended so: 421 4.7.9 too busy"};
  for (const auto& way : ways) {
    put(*queue, {"new@busy.example"});
    auto claims = claim_all(*queue);
    std::erase_if(claims, [](const Claim& claim) { return claim.delivery.domain != "busy.example"; });
    ASSERT_EQ(claims.size(), 1U);
    ASSERT_TRUE(queue->deferred(claims[0], way, clock.now() + 1h));
  }
  for (const char* part : {"421", "4.7.9", "too busy", "421 4.7.9 too"}) {
    EXPECT_EQ(
        view.list(parse_filter({{"error", part}, {"domain", "busy.example"}}).value(), 100, "")->deliveries.size(),
        ways.size())
        << part;
  }
  const auto summary = view.summary().value();
  EXPECT_EQ(std::count_if(
                summary.errors.begin(), summary.errors.end(),
                [&](const ErrorSummary& row) { return row.error == "421 4.7.9 too busy" && row.count == ways.size(); }),
            1);
}

struct ClassCase {
  const char* error_class;
  const char* part;
  bool may;
};
class ErrorClass : public ::testing::TestWithParam<ClassCase> {};
TEST_P(ErrorClass, TellsWhatItsRepliesMayContain) {
  EXPECT_EQ(class_may_contain(GetParam().error_class, GetParam().part), GetParam().may);
}
INSTANTIATE_TEST_SUITE_P(
    All, ErrorClass,
    ::testing::Values(ClassCase{"451 4.7.1 wait # seconds", "451", true},
                      ClassCase{"451 4.7.1 wait # seconds", "452", false},  // codes stand in front
                      ClassCase{"451 4.7.1 wait # seconds", "4.7.1", true},
                      ClassCase{"451 4.7.10 wait # seconds", "4.7.1", false},
                      ClassCase{"451 4.7.1 wait # seconds", "4520", true}, ClassCase{"451 4.7.1 busy", "452", false},
                      ClassCase{"451 4.7.1 busy", "4.7.1 BUSY", true},
                      ClassCase{"451 4.7.1 wait # seconds", "wait 300 sec", true},
                      ClassCase{"451 4.7.1 wait # seconds", "wait  300", false},
                      ClassCase{"451 4.7.1 wait # seconds", "00 seconds", true},
                      ClassCase{"451 4.7.1 wait # seconds", "1x", false}, ClassCase{"", "anything", true},
                      ClassCase{"0123456789012345678901234567890123456789012345678901234567890 is", "is cut", true},
                      ClassCase{"0123456789012345678901234567890123456789012345678901234567890 is", "cut", true},
                      ClassCase{"it is not cut", "not cut off", false}, ClassCase{"a#b", "a#b", true}));

}  // namespace
}  // namespace sealpost::test
