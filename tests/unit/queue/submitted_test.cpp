// SPDX-License-Identifier: Apache-2.0
// An account's own messages: the newest first over all shards, each once whatever the page's size, and nobody else's.
#include "queue/submitted.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/queue/queue_fixture.h"

namespace sealpost::test {
namespace {

using namespace std::chrono_literals;
using Ids = std::vector<std::string>;

class SubmittedTest : public QueueTest {
 protected:
  Result<SubmittedPage> list(const SubmittedFilter& filter = {}, std::size_t limit = 100,
                             const std::string& cursor = {}) {
    return list_submitted(redis, "crm", filter, limit, cursor);
  }
  static Ids ids(const SubmittedPage& page) {
    Ids found;
    for (const auto& message : page.messages) found.push_back(message.front().id.message().text());
    return found;
  }
  /// All pages of this size, one behind the other.
  Ids pages(std::size_t size, const SubmittedFilter& filter = {}) {
    Ids found;
    std::string cursor;
    do {
      auto page = list(filter, size, cursor).value();
      EXPECT_LE(page.messages.size(), size);
      for (auto& id : ids(page)) found.push_back(std::move(id));
      cursor = page.cursor;
    } while (!cursor.empty());
    return found;
  }
  std::unique_ptr<MailQueue> queue = process();
};

TEST_F(SubmittedTest, TheNewestComesFirstAndPagesLoseNothing) {
  Ids put_order;
  for (int i = 0; i < 90; ++i) {
    put_order.push_back(put(*queue, {"a@d.example", "b@d.example"}).text());
    // Some share their millisecond, some do not.
    if (i % 3 == 0) clock.advance(1ms);
  }
  put(*queue, {"a@d.example"}, "erp");
  const Ids whole = ids(list().value());
  ASSERT_EQ(whole.size(), 90U);
  EXPECT_EQ(whole.front().substr(0, 10), put_order.back().substr(0, 10)) << "the time in the id";
  EXPECT_TRUE(std::is_sorted(whole.rbegin(), whole.rend(),
                             [](const auto& a, const auto& b) { return a.substr(0, 10) < b.substr(0, 10); }));
  EXPECT_TRUE(std::is_permutation(whole.begin(), whole.end(), put_order.begin(), put_order.end()));
  for (const std::size_t size : {1U, 7U, 89U, 90U}) EXPECT_EQ(pages(size), whole) << size;
}

TEST_F(SubmittedTest, AMessageIsNeverSplit) {
  std::vector<std::string> many;
  for (int i = 0; i < 150; ++i) many.push_back("r" + std::to_string(i) + "@d.example");
  const auto large = put(*queue, many);
  const auto small = put(*queue, {"a@d.example"});
  std::map<std::string, std::size_t> sizes;
  std::string cursor;
  do {
    auto page = list({}, 1, cursor).value();
    for (const auto& message : page.messages) {
      sizes[message.front().id.message().text()] += message.size();
      for (std::size_t i = 0; i < message.size(); ++i) EXPECT_EQ(message[i].id.number(), i + 1);
    }
    cursor = page.cursor;
  } while (!cursor.empty());
  EXPECT_EQ(sizes, (std::map<std::string, std::size_t>{{large.text(), 150}, {small.text(), 1}}));
}

TEST_F(SubmittedTest, FiltersByStateRecipientAndTime) {
  const auto first = put(*queue, {"Anna@d.example", "b@d.example"});
  clock.advance(1h);
  const Time later = clock.now();
  const auto second = put(*queue, {"anna@d.example"});
  put(*queue, {"anna@d.example"}, "erp");
  for (const auto& claim : claim_all(*queue)) {
    if (claim.delivery.recipient == "b@d.example") {
      ASSERT_TRUE(queue->bounced(claim, "550 5.1.1 no such user"));
    } else {
      ASSERT_TRUE(queue->release(claim));
    }
  }
  SubmittedFilter to;
  to.to = address("ANNA@D.example");
  auto page = list(to).value();
  ASSERT_EQ(ids(page), (Ids{second.text(), first.text()})) << "and not what another account sent there";
  EXPECT_EQ(page.messages[1].size(), 1U) << "the deliveries that match";
  SubmittedFilter bounced;
  bounced.state = DeliveryState::Bounced;
  page = list(bounced).value();
  ASSERT_EQ(ids(page), Ids{first.text()});
  EXPECT_EQ(page.messages[0][0].recipient, "b@d.example");
  SubmittedFilter since;
  since.since = later;
  EXPECT_EQ(ids(list(since).value()), Ids{second.text()});
  since.since = later + 1ms;
  EXPECT_TRUE(list(since).value().messages.empty());
}

TEST_F(SubmittedTest, WhatIsForgottenBetweenPagesLosesNoOther) {
  Ids order;
  for (int i = 0; i < 6; ++i) {
    order.push_back(put(*queue, {"a@d.example"}).text());
    clock.advance(1ms);
  }
  auto page = list({}, 2).value();
  EXPECT_EQ(ids(page), (Ids{order[5], order[4]}));
  for (const auto& claim : claim_all(*queue)) {
    const std::string id = claim.delivery.id.message().text();
    if (id == order[4] || id == order[2])
      ASSERT_TRUE(queue->delivered(claim, "250 ok"));
    else
      ASSERT_TRUE(queue->release(claim));
  }
  clock.advance(1h);
  while (queue->trim_history(1min).value() > 0) {
  }
  EXPECT_EQ(ids(list({}, 10, page.cursor).value()), (Ids{order[3], order[1], order[0]}));
}

TEST_F(SubmittedTest, CursorsOfOthersAreRefused) {
  for (const char* cursor : {"x", "!", "MDFBUlozTkRFS1RTVjRSUkZGUTY5RzVGQVY", "MDFBUlozTkRFS1RTVjRSUkZGUTY5RzVGQVYg",
                             "MDFBUlozTkRFS1RTVjRSUkZGUTY5RzVGQVYgLTE", "eCAxMjM"}) {
    const auto page = list({}, 10, cursor);
    ASSERT_FALSE(page) << cursor;
    EXPECT_EQ(page.error().kind, ErrorKind::Invalid);
  }
}

TEST_F(SubmittedTest, AnAccountWithoutMessagesHasNone) {
  put(*queue, {"a@d.example"}, "erp");
  const auto page = list().value();
  EXPECT_TRUE(page.messages.empty());
  EXPECT_EQ(page.cursor, "");
}

}  // namespace
}  // namespace sealpost::test
