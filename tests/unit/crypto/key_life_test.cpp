// SPDX-License-Identifier: Apache-2.0
// What becomes of pairs: every transition of the table in key_record.h, those that are forbidden, and what each leaves
// in directory, audit trail and Redis.
#include "crypto/key_life.h"

#include <gmock/gmock.h>

#include <barrier>
#include <thread>

#include "crypto/certificate.h"
#include "crypto/directory_entry.h"
#include "crypto/private_key.h"
#include "tests/unit/crypto/key_fixture.h"

namespace sealpost {
namespace {

using test::address;
using test::Node;

const std::string bob = "bob@example.com";

struct Transition {
  PairState from;
  bool own;
  bool current;
  std::optional<PairState> keep, forget, revoke, retire;
};

class PairStates : public testing::TestWithParam<Transition> {};

TEST_P(PairStates, LeadWhereTheTableSays) {
  const Transition& row = GetParam();
  KeyRecord record;
  record.state = row.from;
  record.own = row.own;
  EXPECT_EQ(state_after(KeyChange::Keep, record, row.current), row.keep);
  EXPECT_EQ(state_after(KeyChange::Forget, record, row.current), row.forget);
  EXPECT_EQ(state_after(KeyChange::Revoke, record, row.current), row.revoke);
  EXPECT_EQ(state_after(KeyChange::Retire, record, row.current), row.retire);
}

constexpr auto none = std::nullopt;
using enum PairState;
INSTANTIATE_TEST_SUITE_P(All, PairStates,
                         testing::Values(Transition{Interim, false, true, Permanent, Forgotten, Revoked, Replaced},
                                         Transition{Permanent, false, true, Permanent, Forgotten, Revoked, Replaced},
                                         Transition{Permanent, true, true, Permanent, none, Revoked, Replaced},
                                         Transition{Replaced, false, false, none, Forgotten, Revoked, Replaced},
                                         Transition{Replaced, true, false, none, none, Revoked, Replaced},
                                         Transition{Forgotten, false, true, none, none, Revoked, Forgotten},
                                         Transition{Forgotten, false, false, none, none, Revoked, Forgotten},
                                         Transition{Revoked, false, true, none, Revoked, none, Revoked},
                                         Transition{Revoked, false, false, none, Revoked, none, Revoked},
                                         Transition{Revoked, true, true, none, none, none, Revoked}));

struct Use {
  PairState state;
  bool own;
  bool picked_up;
  bool expired;
  KeyUse use;
};

class PairUses : public testing::TestWithParam<Use> {};

TEST_P(PairUses, AreAsTheStateSays) {
  const Use& row = GetParam();
  const Time now = from_milliseconds(1'800'000'000'000);
  KeyRecord record;
  record.state = row.state;
  record.own = row.own;
  if (row.picked_up) record.picked_up = now - day;
  record.expires = row.expired ? now : now + std::chrono::milliseconds(1);
  EXPECT_EQ(use_of(record, now), row.use);
}

INSTANTIATE_TEST_SUITE_P(
    All, PairUses,
    testing::Values(Use{Interim, false, false, false, KeyUse::Seal}, Use{Interim, false, true, true, KeyUse::Assign},
                    Use{Permanent, false, false, false, KeyUse::Seal}, Use{Permanent, true, false, false, KeyUse::Seal},
                    Use{Permanent, true, false, true, KeyUse::Hold},
                    Use{Forgotten, false, false, false, KeyUse::Assign},
                    Use{Forgotten, false, true, false, KeyUse::Seal}, Use{Forgotten, false, true, true, KeyUse::Assign},
                    Use{Revoked, false, true, false, KeyUse::Assign}, Use{Revoked, true, false, false, KeyUse::Hold},
                    Use{Replaced, false, true, false, KeyUse::Assign}));

class KeyLifeTest : public test::KeyTest {
 protected:
  void SetUp() override { one = node(); }

  KeyRecord assign(const std::string& mailbox = bob) {
    clock.advance(std::chrono::milliseconds(1));  // pairs are told apart by when they were assigned
    auto made = one->directory.find_or_assign(address(mailbox), introduction).value();
    EXPECT_TRUE(made.assigned);
    return made.key;
  }
  OwnPair own_pair(const std::string& mailbox = bob) {
    clock.advance(std::chrono::milliseconds(1));
    const auto key = generate_key(KeyType::P256).value();
    const std::string der = one->authority.issue(address(mailbox), key.get()).value();
    return {der, certificate_fingerprint(der), clock.now() + day * 365};
  }
  std::vector<KeyRecord> history() { return one->directory.history(bob).value(); }
  KeyRecord current() { return (*one->directory.find(address(bob))).value(); }
  static std::string hash() { return AddressEntries::hash_key(bob); }
  /// What the audit trail says of bob, in short.
  std::vector<std::string> trail() {
    std::vector<std::string> events;
    const auto note = [&](const AuditEntry& entry) {
      events.push_back(entry.event.action + " by " + entry.event.actor);
    };
    EXPECT_TRUE(one->audit.verify(directory_shard(bob), note)->faults.empty());
    return events;
  }
  KeyChangeFault fault(const Result<KeyRecord, KeyChangeFailure>& result) {
    EXPECT_FALSE(result);
    return result ? KeyChangeFault::Failed : result.error().fault;
  }
  bool opens(const std::string& fingerprint) {
    return one->directory.export_pkcs12(bob, fingerprint, Pkcs12Format::Modern, {}).ok();
  }

  std::unique_ptr<Node> one;
};

TEST_F(KeyLifeTest, FirstPickupIsRecordedOnce) {
  const auto key = assign();
  EXPECT_FALSE(key.picked_up);
  const auto first = clock.now();
  ASSERT_TRUE(one->life.mark_picked_up(bob, key.fingerprint));
  clock.advance(day);
  ASSERT_TRUE(one->life.mark_picked_up(bob, key.fingerprint));
  EXPECT_EQ(current().picked_up, first);
  EXPECT_EQ(fault(one->life.mark_picked_up(bob, "00")), KeyChangeFault::NoSuchPair);
  EXPECT_EQ(fault(one->life.mark_picked_up("eve@example.com", key.fingerprint)), KeyChangeFault::NoSuchPair);
  clock.advance(day * 90);
  const auto later = assign();
  ASSERT_TRUE(one->life.mark_picked_up(bob, key.fingerprint)) << "of a retired pair, too";
  EXPECT_FALSE(later.picked_up);
  EXPECT_THAT(trail(), testing::ElementsAre("key.assigned by account crm", "key.picked_up by recipient",
                                            "key.assigned by account crm"));
}

TEST_F(KeyLifeTest, KeptPairsDoNotExpire) {
  const auto key = assign();
  const auto kept = one->life.keep(bob, {}).value();
  EXPECT_EQ(kept.fingerprint, key.fingerprint);
  EXPECT_EQ(kept.state, PairState::Permanent);
  EXPECT_FALSE(kept.expires);
  clock.advance(day * 1000);
  EXPECT_EQ(current().fingerprint, key.fingerprint);
  ASSERT_TRUE(one->life.keep(bob, key.fingerprint)) << "once more changes nothing";
  EXPECT_THAT(trail(), testing::ElementsAre("key.assigned by account crm", "key.kept by recipient"));
}

TEST_F(KeyLifeTest, AnEarlierPairIsNotKept) {
  const auto old = assign();
  clock.advance(day * 91);
  assign();
  EXPECT_EQ(fault(one->life.keep(bob, old.fingerprint)), KeyChangeFault::NotCurrent);
  EXPECT_EQ(fault(one->life.keep("eve@example.com", {})), KeyChangeFault::NoSuchPair);
}

TEST_F(KeyLifeTest, AnExpiredPairIsKeptUntilAnotherTookItsPlace) {
  const auto key = assign();
  clock.advance(day * 91);
  EXPECT_FALSE(*one->directory.find(address(bob)));
  ASSERT_TRUE(one->life.keep(bob, key.fingerprint));
  EXPECT_EQ(current().fingerprint, key.fingerprint);
}

TEST_F(KeyLifeTest, ForgettingBeforeAnyPickupRetiresThePair) {
  const auto key = assign();
  EXPECT_TRUE(history().front().available);
  const auto forgotten = one->life.forget(bob, {}).value();
  EXPECT_EQ(forgotten.state, PairState::Forgotten);
  EXPECT_FALSE(opens(key.fingerprint));
  EXPECT_FALSE(history().front().available);
  EXPECT_FALSE(*one->directory.find(address(bob)));
  EXPECT_NE(assign().fingerprint, key.fingerprint);
  EXPECT_EQ(history().back().state, PairState::Forgotten) << "not replaced";
  EXPECT_EQ(fault(one->life.forget(bob, key.fingerprint)), KeyChangeFault::NoPrivateKey)
      << "it cannot be undone or repeated";
}

TEST_F(KeyLifeTest, ForgettingAfterThePickupLeavesTheCertificateInUse) {
  const auto key = assign();
  ASSERT_TRUE(one->life.mark_picked_up(bob, key.fingerprint));
  ASSERT_TRUE(one->life.forget(bob, key.fingerprint));
  EXPECT_EQ(current().fingerprint, key.fingerprint);
  EXPECT_EQ(current().state, PairState::Forgotten);
  EXPECT_EQ(fault(one->life.keep(bob, {})), KeyChangeFault::NoPrivateKey);
}

TEST_F(KeyLifeTest, ForgettingLeavesNothingOfTheKeyAndAsksForARewrite) {
  const auto key = assign();
  const std::string wrapped(one->redis.command({"HGET", hash(), "key:" + key.fingerprint})->text());
  ASSERT_FALSE(wrapped.empty());
  ASSERT_TRUE(one->life.forget(bob, {}));
  EXPECT_TRUE(one->redis.command({"HGET", hash(), "key:" + key.fingerprint})->is_nil());
  EXPECT_EQ(one->redis.command({"GET", directory_prefix(bob) + "rewrite"})->text(), "1");
}

TEST_F(KeyLifeTest, AnOwnCertificateTakesThePlaceAndThePairBeforeStaysAvailable) {
  const auto key = assign();
  const auto own = own_pair();
  EXPECT_EQ(one->life.may_replace(bob, own).value(), key.fingerprint);
  const auto now_current = one->life.replace(bob, own).value();
  EXPECT_TRUE(now_current.own);
  EXPECT_EQ(now_current.state, PairState::Permanent);
  EXPECT_EQ(now_current.expires, own.not_after);
  EXPECT_EQ(current().certificate, own.certificate);
  const auto pairs = history();
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_FALSE(pairs[0].available);
  EXPECT_EQ(pairs[1].state, PairState::Replaced);
  EXPECT_TRUE(opens(key.fingerprint));
  EXPECT_FALSE(opens(own.fingerprint));
  EXPECT_EQ(fault(one->life.forget(bob, own.fingerprint)), KeyChangeFault::NoPrivateKey);
  EXPECT_EQ(fault(one->life.keep(bob, key.fingerprint)), KeyChangeFault::NotCurrent);
  ASSERT_TRUE(one->life.forget(bob, key.fingerprint));
  EXPECT_FALSE(opens(key.fingerprint));
  EXPECT_EQ(current().fingerprint, own.fingerprint);
}

TEST_F(KeyLifeTest, OneMayGoBackToAnEarlierOwnCertificateButNotTwiceToTheSame) {
  const auto relays = assign();
  const auto first = own_pair();
  const auto second = own_pair();
  ASSERT_TRUE(one->life.replace(bob, first));
  EXPECT_EQ(fault(one->life.replace(bob, first)), KeyChangeFault::InUse);
  clock.advance(day);
  ASSERT_TRUE(one->life.replace(bob, second));
  clock.advance(day);
  ASSERT_TRUE(one->life.replace(bob, first));
  EXPECT_EQ(current().fingerprint, first.fingerprint);
  const auto pairs = history();
  ASSERT_EQ(pairs.size(), 3U);
  EXPECT_EQ(pairs[0].fingerprint, first.fingerprint);
  EXPECT_EQ(pairs[1].fingerprint, second.fingerprint);
  EXPECT_EQ(pairs[1].state, PairState::Replaced);
  const OwnPair not_own{relays.certificate, relays.fingerprint, clock.now() + day};
  EXPECT_EQ(fault(one->life.replace(bob, not_own)), KeyChangeFault::InUse);
}

TEST_F(KeyLifeTest, OfManyEarlierOwnCertificatesTheLatestAreRemembered) {
  const auto relays = assign();
  std::vector<std::string> all;
  for (int i = 0; i < 20; ++i) {
    const auto own = own_pair();
    ASSERT_TRUE(one->life.replace(bob, own));
    all.push_back(own.fingerprint);
  }
  const auto pairs = history();
  ASSERT_EQ(pairs.size(), 18U) << "the current one, 16, and the relay's own";
  for (std::size_t i = 0; i < 17; ++i) EXPECT_EQ(pairs[i].fingerprint, all[all.size() - 1 - i]);
  EXPECT_EQ(pairs.back().fingerprint, relays.fingerprint);
  EXPECT_TRUE(opens(relays.fingerprint));
}

TEST_F(KeyLifeTest, AnEndedOwnCertificateIsReplacedByNobodyElse) {
  assign();
  const auto own = own_pair();
  ASSERT_TRUE(one->life.replace(bob, own));
  clock.advance(day * 366);
  const auto again = one->directory.find_or_assign(address(bob), introduction).value();
  EXPECT_FALSE(again.assigned);
  EXPECT_EQ(again.key.fingerprint, own.fingerprint);
  EXPECT_EQ(use_of(again.key, clock.now()), KeyUse::Hold);
}

TEST_F(KeyLifeTest, ARevokedPairIsListedAndReplacedAtTheNextMessage) {
  const auto key = assign();
  const auto revoked = one->life.revoke(bob, {}, RevocationReason::KeyCompromise).value();
  EXPECT_EQ(revoked.state, PairState::Revoked);
  EXPECT_EQ(fault(one->life.revoke(bob, {}, RevocationReason::KeyCompromise)), KeyChangeFault::Revoked);
  EXPECT_EQ(fault(one->life.keep(bob, {})), KeyChangeFault::Revoked);
  const auto listed = revoked_certificates(one->redis, one->master, log).value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].reason, RevocationReason::KeyCompromise);
  EXPECT_EQ(listed[0].time, clock.now());
  EXPECT_TRUE(opens(key.fingerprint)) << "earlier mail stays readable";
  EXPECT_NE(assign().fingerprint, key.fingerprint);
  ASSERT_TRUE(one->life.forget(bob, key.fingerprint));
  EXPECT_EQ(history().back().state, PairState::Revoked);
  EXPECT_FALSE(opens(key.fingerprint));
  EXPECT_THAT(trail(), testing::ElementsAre("key.assigned by account crm", "key.revoked by operator",
                                            "key.assigned by account crm", "key.forgotten by recipient"));
}

TEST_F(KeyLifeTest, ARevokedOwnCertificateIsOnNoListOfOurs) {
  assign();
  const auto own = own_pair();
  ASSERT_TRUE(one->life.replace(bob, own));
  ASSERT_TRUE(one->life.revoke(bob, own.fingerprint, RevocationReason::Unspecified));
  EXPECT_TRUE(revoked_certificates(one->redis, one->master, log)->empty());
  EXPECT_EQ(use_of(current(), clock.now()), KeyUse::Hold);
}

TEST_F(KeyLifeTest, WhoWritesToRedisRevokesNothing) {
  const auto key = assign();
  ASSERT_TRUE(one->redis.command({"HSET", "keys:{3}:revoked", "0102", std::string(40, 'x')}));
  EXPECT_TRUE(revoked_certificates(one->redis, one->master, log)->empty());
  EXPECT_NE(log_file.text().find("revoked.row_altered"), std::string::npos);
}

TEST_F(KeyLifeTest, ChangesAtOnceAreMadeOneAfterTheOther) {
  const auto key = assign();
  auto two = node();
  std::barrier start(2);
  std::jthread keeps([&] {
    start.arrive_and_wait();
    EXPECT_TRUE(two->life.keep(bob, key.fingerprint));
  });
  start.arrive_and_wait();
  EXPECT_TRUE(one->life.mark_picked_up(bob, key.fingerprint));
  keeps.join();
  EXPECT_EQ(current().state, PairState::Permanent);
  EXPECT_TRUE(current().picked_up);
  EXPECT_EQ(trail().size(), 3U);
}

TEST_F(KeyLifeTest, EntriesOfTheEarlierFormsAreRead) {
  const auto key = assign();
  std::string packed(one->redis.command({"HGET", hash(), "current"})->text().substr(32));
  ASSERT_EQ(packed.front(), static_cast<char>(0x9a));
  // Without its last field, then without the last two.
  for (const unsigned char fields : {0x99U, 0x98U}) {
    packed.front() = static_cast<char>(fields);
    packed.pop_back();
    const std::string entry = one->master.mac(Purpose::DirectoryEntry, "entry " + packed) + packed;
    ASSERT_TRUE(one->redis.command({"HSET", hash(), "current", entry}));
    EXPECT_EQ(current().fingerprint, key.fingerprint);
    EXPECT_FALSE(current().own);
    EXPECT_FALSE(current().destroyed);
  }
}

TEST_F(KeyLifeTest, AForgottenKeyThatSomebodyPutsBackIsNotHandedOut) {
  for (const bool revoked : {false, true}) {
    const auto key = assign();
    const std::string field = "key:" + key.fingerprint;
    const std::string wrapped(one->redis.command({"HGET", hash(), field})->text());
    if (revoked) {
      ASSERT_TRUE(one->life.revoke(bob, {}, RevocationReason::KeyCompromise));
    }
    ASSERT_TRUE(one->life.forget(bob, {}));
    ASSERT_TRUE(one->redis.command({"HSET", hash(), field, wrapped}));
    EXPECT_FALSE(opens(key.fingerprint));
    EXPECT_FALSE(history().front().available);
    EXPECT_EQ(fault(one->life.forget(bob, key.fingerprint)), KeyChangeFault::NoPrivateKey);
    if (!revoked) {
      ASSERT_TRUE(one->life.revoke(bob, {}, RevocationReason::KeyCompromise));
    }
    EXPECT_FALSE(opens(key.fingerprint)) << "nor after it was revoked";
  }
}

TEST_F(KeyLifeTest, TheCurrentPairStandsFirstWhateverTheClocksSay) {
  const auto first = assign();
  ASSERT_TRUE(one->life.revoke(bob, {}, RevocationReason::Superseded));
  clock.advance(-day);  // another node's
  const auto second = assign();
  EXPECT_EQ(history().front().fingerprint, second.fingerprint);
  EXPECT_EQ(history().back().fingerprint, first.fingerprint);
}

TEST_F(KeyLifeTest, TheTrailNamesThePairThatMadePlace) {
  const auto first = assign();
  clock.advance(day * 91);
  const auto second = assign();
  std::vector<std::string> details;
  ASSERT_TRUE(
      one->audit.verify(directory_shard(bob), [&](const AuditEntry& entry) { details.push_back(entry.event.detail); }));
  EXPECT_THAT(details,
              testing::ElementsAre(first.fingerprint, second.fingerprint + " in place of " + first.fingerprint));
}

TEST_F(KeyLifeTest, AnAlteredEntryIsChangedByNothing) {
  assign();
  std::string entry(one->redis.command({"HGET", hash(), "current"})->text());
  entry.back() = static_cast<char>(entry.back() ^ 1);
  ASSERT_TRUE(one->redis.command({"HSET", hash(), "current", entry}));
  EXPECT_EQ(fault(one->life.keep(bob, {})), KeyChangeFault::Failed);
  EXPECT_EQ(fault(one->life.forget(bob, {})), KeyChangeFault::Failed);
  EXPECT_EQ(fault(one->life.mark_picked_up(bob, "00")), KeyChangeFault::Failed);
}

}  // namespace
}  // namespace sealpost
