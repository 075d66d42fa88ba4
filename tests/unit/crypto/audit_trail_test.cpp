// SPDX-License-Identifier: Apache-2.0
// The audit trail: entries are chained, and what is altered, moved, copied or taken out is found.
#include "base/audit_trail.h"

#include <gmock/gmock.h>

#include <thread>

#include "tests/unit/crypto/key_fixture.h"

namespace sealpost {
namespace {

using test::Node;

/// Appends as the scripts of the product do.
const redis::Script& append() {
  static const redis::Script script("test_append",
                                    "if string.sub(redis.call('LINDEX', KEYS[1], -1) or '', 1, 32) ~= ARGV[1] then "
                                    "return -1 end redis.call('RPUSH', KEYS[1], ARGV[2]) return 1");
  return script;
}

class AuditTrailTest : public test::KeyTest {
 protected:
  void SetUp() override { one = node(); }

  void record(Node& node, const std::string& subject, unsigned shard = 3) {
    auto done = node.audit.record(shard, {clock.now(), "operator", "key.kept", subject, "detail"},
                                  [&](const std::string& seen, const std::string& entry) {
                                    return node.redis.run(append(), {AuditTrail::key(shard)}, {seen, entry});
                                  });
    ASSERT_TRUE(done) << done.error().public_text;
    EXPECT_EQ(done->integer(), 1);
  }
  std::string entry(int index) {
    return std::string(one->redis.command({"LINDEX", AuditTrail::key(3), std::to_string(index)})->text());
  }
  std::string fault() {
    const auto chain = one->audit.verify(3, [](const AuditEntry&) {}).value();
    return chain.faults.empty() ? std::string("none") : chain.faults.front().text;
  }

  std::unique_ptr<Node> one;
};

TEST_F(AuditTrailTest, AnEmptyOneIsWhole) {
  const auto head = one->audit.verify(3, [](const AuditEntry&) { FAIL(); }).value().head;
  EXPECT_EQ(head.sequence, 0U);
  EXPECT_TRUE(head.mac.empty());
}

TEST_F(AuditTrailTest, KeepsWhatWasRecordedInOrderAndLogsTheHead) {
  record(*one, "bob@example.com");
  clock.advance(std::chrono::seconds(1));
  record(*one, "eve@example.com");
  std::vector<AuditEntry> seen;
  const auto head = one->audit.verify(3, [&](const AuditEntry& entry) { seen.push_back(entry); }).value().head;
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].event.subject, "bob@example.com");
  EXPECT_EQ(seen[0].sequence, 1U);
  EXPECT_EQ(seen[1].event.subject, "eve@example.com");
  EXPECT_EQ(seen[1].event.actor, "operator");
  EXPECT_EQ(seen[1].event.action, "key.kept");
  EXPECT_EQ(seen[1].event.detail, "detail");
  EXPECT_EQ(seen[1].event.time, clock.now());
  EXPECT_EQ(head.sequence, 2U);
  EXPECT_EQ(head.mac, seen[1].mac);
  EXPECT_NE(log_file.text().find(head.mac), std::string::npos);
  const auto latest = one->audit.latest(3, 1).value();
  ASSERT_EQ(latest.size(), 1U);
  EXPECT_EQ(latest[0].sequence, 2U);
}

TEST_F(AuditTrailTest, EveryAlteredOctetIsFound) {
  record(*one, "bob@example.com");
  record(*one, "eve@example.com");
  const std::string genuine = entry(0);
  for (std::size_t i = 0; i < genuine.size(); ++i) {
    std::string altered = genuine;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    ASSERT_TRUE(one->redis.command({"LSET", AuditTrail::key(3), "0", altered}));
    EXPECT_THAT(fault(), testing::HasSubstr("entry ")) << "octet " << i;
  }
  ASSERT_TRUE(one->redis.command({"LSET", AuditTrail::key(3), "0", genuine}));
  EXPECT_EQ(fault(), "none");
}

TEST_F(AuditTrailTest, WhatIsTakenOutMovedOrCopiedIsFound) {
  for (const char* subject : {"a@example.com", "b@example.com", "c@example.com"}) record(*one, subject);
  const std::vector<std::string> genuine = {entry(0), entry(1), entry(2)};
  const auto put = [&](const std::vector<std::string>& entries) {
    ASSERT_TRUE(one->redis.command({"DEL", AuditTrail::key(3)}));
    for (const auto& each : entries) ASSERT_TRUE(one->redis.command({"RPUSH", AuditTrail::key(3), each}));
  };
  put({genuine[1], genuine[2]});
  EXPECT_THAT(fault(), testing::HasSubstr("shard 3, entry 1"));
  put({genuine[0], genuine[2]});
  EXPECT_THAT(fault(), testing::HasSubstr("shard 3, entry 2"));
  put({genuine[0], genuine[2], genuine[1]});
  EXPECT_THAT(fault(), testing::HasSubstr("shard 3, entry 2"));
  put({genuine[0], genuine[0], genuine[1], genuine[2]});
  EXPECT_THAT(fault(), testing::HasSubstr("shard 3, entry 2"));
  put(genuine);
  EXPECT_EQ(fault(), "none");
  ASSERT_TRUE(one->redis.command({"RENAME", AuditTrail::key(3), "audit:{4}"}));
  EXPECT_FALSE(one->audit.verify(4, [](const AuditEntry&) {})->faults.empty()) << "another shard's chain";
}

TEST_F(AuditTrailTest, BehindAFaultTheRestIsLookedAt) {
  for (const char* subject : {"a@example.com", "b@example.com", "c@example.com", "d@example.com"})
    record(*one, subject);
  const std::string second = entry(1);
  std::string altered = second;
  altered[40] = static_cast<char>(altered[40] ^ 1);
  const auto looked = [&] {
    std::vector<std::string> whole;
    const auto note = [&](const AuditEntry& each) { whole.push_back(each.event.subject); };
    const auto chain = one->audit.verify(3, note).value();
    EXPECT_EQ(chain.faults.size(), 1U);
    EXPECT_EQ(chain.head.sequence, 4U);
    return whole;
  };
  ASSERT_TRUE(one->redis.command({"LSET", AuditTrail::key(3), "1", altered}));
  EXPECT_THAT(looked(), testing::ElementsAre("a@example.com", "c@example.com", "d@example.com"));
  ASSERT_TRUE(one->redis.command({"LREM", AuditTrail::key(3), "1", altered}));
  EXPECT_THAT(looked(), testing::ElementsAre("a@example.com", "d@example.com")) << "the third has lost its forerunner";
}

TEST_F(AuditTrailTest, AnEntryOfWhichNobodyKnowsIsLoggedAsSuch) {
  record(*one, "bob@example.com");
  const AuditEvent event{clock.now(), "operator", "key.kept", "eve@example.com", "detail"};
  const auto lost = one->audit.record(3, event, [&](const std::string& seen, const std::string& entry) {
    EXPECT_TRUE(one->redis.run(append(), {AuditTrail::key(3)}, {seen, entry}));
    return Result<redis::Reply>(Error::temporary("the answer was lost"));
  });
  EXPECT_FALSE(lost);
  const auto head = one->audit.verify(3, [](const AuditEntry&) {})->head;
  EXPECT_EQ(head.sequence, 2U);
  EXPECT_THAT(log_file.text(), testing::HasSubstr("audit.uncertain shard=3 sequence=2 head=" + head.mac));
}

TEST_F(AuditTrailTest, ManyThreadsOnTwoNodesMakeOneChain) {
  auto two = node();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 25; ++k) record(i % 2 == 0 ? *one : *two, "user" + std::to_string(i) + "@example.com");
    });
  }
  threads.clear();
  EXPECT_EQ(one->audit.verify(3, [](const AuditEntry&) {})->head.sequence, 100U);
}

TEST_F(AuditTrailTest, AnUnreadableLastEntryStopsNoChangeAndIsFound) {
  record(*one, "bob@example.com");
  ASSERT_TRUE(one->redis.command({"RPUSH", AuditTrail::key(3), "rubbish"}));
  record(*one, "eve@example.com");
  EXPECT_THAT(fault(), testing::HasSubstr("entry 2"));
}

}  // namespace
}  // namespace sealpost
