// SPDX-License-Identifier: Apache-2.0
// The table of states in crypto/key_record.h, cell by cell, against a relay; and the audit trail that they leave, whole
// and tampered with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "tests/e2e/key_life_relay.h"
#include "tests/support/eventually.h"

namespace sealpost::test {
namespace {

using testing::HasSubstr;

/// What is done to the first pair of an address, and what becomes of it.
struct Cell {
  std::string before;  ///< what leads to the state, one letter a change, as below
  std::string state;
  char change;  ///< k(eep), f(orget), r(evoke), o(wn certificate in its place)
  bool allowed;
  std::string after;  ///< its state then
  char next;          ///< what the next mail opens with: f(irst pair), n(ew pair of the relay's), o(wn certificate)
};

class KeyLifeChanges : public KeyLifeRelay, public testing::WithParamInterface<Cell> {
 protected:
  /// True when it was done; false when it was refused as such changes are.
  bool change(Recipient& bob, char how) {
    if (how == 'r') {
      const auto done = relay->ctl({"key", "revoke", bob.address(), "--fingerprint", bob.first()});
      return done.status == 0;
    }
    HttpAnswer answer;
    if (how == 'k') answer = bob.keep(bob.first());
    if (how == 'f') answer = bob.forget(bob.first());
    if (how == 'o') {
      own = std::make_unique<OwnCertificate>(OwnCertificate::Recipe{.address = bob.address()});
      answer = bob.replace(*own, own->pem());
    }
    EXPECT_TRUE(answer.status == 200 || answer.status == 409) << answer.status << answer.body;
    return answer.status == 200;
  }

  /// The pair that the relay made after the first one.
  static PickedUp newer_pair(const Recipient& bob) {
    std::string newest;
    for (const auto& file : relay->notifications(bob.address(), 2)) {
      if (read_notification(file).token != bob.link().token) newest = file;
    }
    return relay->pick_up(newest);
  }

  /// The next mail opens with what the table says, and with nothing else.
  void expect_next_mail_opens(Recipient& bob, char with, const PickedUp& first) {
    ASSERT_TRUE(bob.sent("after").starts_with("250"));
    EXPECT_EQ(bob.reads("after", first), with == 'f');
    if (own) {
      EXPECT_EQ(bob.reads("after", own->opener()), with == 'o');
    }
    if (with == 'n') {
      EXPECT_TRUE(bob.reads("after", newer_pair(bob)));
    }
  }

  std::unique_ptr<OwnCertificate> own;
};

const std::map<char, std::string> news = {{'k', "Your key is kept for good"},
                                          {'f', "Your key is forgotten"},
                                          {'r', "Your key was revoked"},
                                          {'o', "Your certificate is in use"}};

TEST_P(KeyLifeChanges, IsAsTheTableSays) {
  const Cell& cell = GetParam();
  Recipient bob(*relay, cell.state + cell.change + "@example.net");
  const PickedUp first = bob.pick_up();
  for (const char step : cell.before) ASSERT_TRUE(change(bob, step)) << step;
  ASSERT_EQ(bob.state(), cell.state);
  for (const char step : cell.before) ASSERT_NE(bob.mail(news.at(step)), "");
  const auto told = bob.count(news.at(cell.change));
  const auto trail = bob.audit();
  EXPECT_EQ(change(bob, cell.change), cell.allowed);
  EXPECT_EQ(bob.state(), cell.after);
  // Keeping what is permanent is granted, and no change.
  const bool recorded = cell.allowed && !(cell.change == 'k' && cell.state == "permanent");
  EXPECT_EQ(bob.audit().size(), trail.size() + (recorded ? 1 : 0));
  EXPECT_TRUE(bob.reads("first", first)) << "what was sealed before";
  expect_next_mail_opens(bob, cell.next, first);
  EXPECT_TRUE(eventually([&] { return bob.count(news.at(cell.change)) >= told + (recorded ? 1 : 0); }));
  EXPECT_EQ(bob.count(news.at(cell.change)), told + (recorded ? 1 : 0));
}

std::string name_of(const testing::TestParamInfo<Cell>& info) {
  static const std::map<char, std::string> names = {{'k', "Keep"}, {'f', "Forget"}, {'r', "Revoke"}, {'o', "Replace"}};
  return info.param.state + names.at(info.param.change);
}

INSTANTIATE_TEST_SUITE_P(
    Table, KeyLifeChanges,
    testing::Values(
        Cell{"", "interim", 'k', true, "permanent", 'f'}, Cell{"", "interim", 'f', true, "forgotten", 'f'},
        Cell{"", "interim", 'r', true, "revoked", 'n'}, Cell{"", "interim", 'o', true, "replaced", 'o'},
        Cell{"k", "permanent", 'k', true, "permanent", 'f'}, Cell{"k", "permanent", 'f', true, "forgotten", 'f'},
        Cell{"k", "permanent", 'r', true, "revoked", 'n'}, Cell{"k", "permanent", 'o', true, "replaced", 'o'},
        Cell{"o", "replaced", 'k', false, "replaced", 'o'}, Cell{"o", "replaced", 'f', true, "forgotten", 'o'},
        Cell{"o", "replaced", 'r', true, "revoked", 'o'}, Cell{"f", "forgotten", 'k', false, "forgotten", 'f'},
        Cell{"f", "forgotten", 'f', false, "forgotten", 'f'}, Cell{"f", "forgotten", 'r', true, "revoked", 'n'},
        Cell{"f", "forgotten", 'o', true, "forgotten", 'o'}, Cell{"r", "revoked", 'k', false, "revoked", 'n'},
        Cell{"r", "revoked", 'f', true, "revoked", 'n'}, Cell{"rf", "revoked", 'r', false, "revoked", 'n'},
        Cell{"r", "revoked", 'o', true, "revoked", 'o'}),
    name_of);

/// The trail of a shard in Redis, which somebody who may write there alters.
class KeyLifeAudit : public KeyLifeRelay {
 protected:
  void SetUp() override {
    Recipient bob(*relay, "audited@example.net");
    ASSERT_EQ(bob.keep().status, 200);
    ASSERT_EQ(bob.forget().status, 200);
    const auto told = relay->ctl({"audit", "list", "--address", bob.address(), "--json"});
    shard = json_of("{\"all\":" + told.out + "}")->getArray("all")->getObject(0)->getValue<std::string>("shard");
  }
  static Finished verify() {
    const TempDir place;
    return relay->ctl({"audit", "verify", "--log", place.write("log", relay->log())});
  }
  std::string key() const { return "audit:{" + shard + "}"; }
  static redis::Reply redis(const redis::Command& command) {
    redis::Client client(relay->redis_endpoint(), std::chrono::seconds(10));
    return client.command(command).value();
  }
  std::string shard;
};

TEST_F(KeyLifeAudit, VerifiesUntilAnEntryIsAlteredOrGone) {
  ASSERT_TRUE(relay->wait_for_log("key.forgotten"));
  const auto whole = verify();
  EXPECT_EQ(whole.status, 0) << whole.out << whole.err;
  EXPECT_THAT(whole.out, HasSubstr(" 0 faults"));

  const std::string last(redis({"LINDEX", key(), "-1"}).text());
  std::string altered = last;
  altered[altered.find("forgotten")] ^= 1;
  redis({"LSET", key(), "-1", altered});
  EXPECT_EQ(verify().status, 1) << "altered";
  EXPECT_EQ(relay->ctl({"audit", "verify"}).status, 1) << "without a log, too";
  redis({"LSET", key(), "-1", last});
  EXPECT_EQ(verify().status, 0);

  redis({"RPOP", key()});
  EXPECT_EQ(verify().status, 1) << "the end is cut off: the log knows more";
  redis({"RPUSH", key(), last});
  EXPECT_EQ(verify().status, 0);

  const std::string middle(redis({"LINDEX", key(), "-2"}).text());
  redis({"LREM", key(), "1", middle});
  EXPECT_EQ(verify().status, 1) << "one is taken out";
  redis({"RPOP", key()});
  redis({"RPUSH", key(), middle, last});
  EXPECT_EQ(verify().status, 0);
}

}  // namespace
}  // namespace sealpost::test
