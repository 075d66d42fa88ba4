// SPDX-License-Identifier: Apache-2.0
// The directory: one pair per address however many ask at once, expiry, history, pickup, and what it says of altered
// entries.
#include "crypto/key_directory.h"

#include <gmock/gmock.h>

#include <barrier>
#include <set>
#include <thread>

#include "crypto/certificate.h"
#include "crypto/directory_entry.h"
#include "tests/unit/crypto/key_fixture.h"

namespace sealpost {
namespace {

using test::address;
using test::Node;

constexpr auto day = std::chrono::hours(24);

class KeyDirectoryTest : public test::KeyTest {
 protected:
  static std::string hash_of(const std::string& key) { return directory_prefix(key) + "address:" + key; }
};

TEST_F(KeyDirectoryTest, UnknownAddressHasNoPair) {
  auto one = node();
  auto found = one->directory.find(address("bob@example.com"));
  ASSERT_TRUE(found);
  EXPECT_FALSE(*found);
  EXPECT_TRUE(one->directory.history("bob@example.com")->empty());
}

TEST_F(KeyDirectoryTest, AssignsOnceAndFindsFromThenOn) {
  auto one = node();
  ASSERT_TRUE(one->vault.add_to_pool());
  const auto made = one->directory.find_or_assign(address("Bob@Example.com"), introduction).value();
  EXPECT_TRUE(made.assigned);
  EXPECT_EQ(made.key.address, "bob@example.com");
  EXPECT_EQ(made.key.state, PairState::Interim);
  EXPECT_EQ(made.key.expires, clock.now() + 90 * day);
  EXPECT_NE(made.key.placeholder.find("@pool.invalid"), std::string::npos);
  const auto again = node()->directory.find_or_assign(address("bob@EXAMPLE.com"), introduction).value();
  EXPECT_FALSE(again.assigned);
  EXPECT_EQ(again.key.fingerprint, made.key.fingerprint);
  EXPECT_EQ(again.key.certificate, made.key.certificate);
  EXPECT_EQ(again.key.placeholder, made.key.placeholder);
}

TEST_F(KeyDirectoryTest, PermanentPolicyNeverExpires) {
  settings.policy = KeyPolicy::Permanent;
  auto one = node();
  const auto made = one->directory.find_or_assign(address("bob@example.com"), introduction).value();
  EXPECT_EQ(made.key.state, PairState::Permanent);
  EXPECT_FALSE(made.key.expires);
  clock.advance(day * 3650);
  EXPECT_TRUE(*one->directory.find(address("bob@example.com")));
}

TEST_F(KeyDirectoryTest, DomainsHavePoliciesOfTheirOwn) {
  key_domains["keeps.example"].policy = KeyPolicy::Permanent;
  auto one = node();
  const auto kept = one->directory.find_or_assign(address("bob@Keeps.example"), introduction).value().key;
  EXPECT_EQ(kept.state, PairState::Permanent);
  EXPECT_FALSE(kept.expires);
  const auto other = one->directory.find_or_assign(address("bob@sub.keeps.example"), introduction).value().key;
  EXPECT_EQ(other.state, PairState::Interim);
  EXPECT_TRUE(other.expires);
  settings.policy = KeyPolicy::Permanent;
  key_domains["changes.example"].policy = KeyPolicy::Interim;
  auto two = node();
  EXPECT_EQ(two->directory.find_or_assign(address("bob@changes.example"), introduction)->key.state, PairState::Interim);
}

TEST_F(KeyDirectoryTest, FindAllKeepsTheOrder) {
  auto one = node();
  std::vector<EmailAddress> addresses;
  for (int i = 0; i < 40; ++i) addresses.push_back(address("user" + std::to_string(i) + "@example.com"));
  for (int i = 0; i < 40; i += 2) ASSERT_TRUE(one->directory.find_or_assign(addresses[i], introduction));
  const auto found = one->directory.find_all(addresses).value();
  ASSERT_EQ(found.size(), 40U);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(found[i].has_value(), i % 2 == 0);
    if (found[i]) {
      EXPECT_EQ(found[i]->address, addresses[i].directory_key());
    }
  }
  EXPECT_TRUE(one->directory.find_all({})->empty());
}

TEST_F(KeyDirectoryTest, TwoHundredFirstMailsOnTwoNodesMakeOnePairAndOneRow) {
  auto one = node();
  auto two = node();
  constexpr int callers = 200;
  constexpr int pairs = 10;
  for (int i = 0; i < pairs; ++i) ASSERT_TRUE(one->vault.add_to_pool());
  std::mutex mutex;
  std::set<std::string> fingerprints;
  int assigned = 0;
  std::barrier together(callers);
  {
    std::vector<std::jthread> threads;
    threads.reserve(callers);
    for (int i = 0; i < callers; ++i) {
      threads.emplace_back([&, i] {
        together.arrive_and_wait();
        const auto made = (i % 2 == 0 ? one : two)->directory.find_or_assign(address("new@example.com"), introduction);
        const std::lock_guard lock(mutex);
        ASSERT_TRUE(made) << made.error().internal_detail;
        fingerprints.insert(made->key.fingerprint);
        assigned += made->assigned ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(fingerprints.size(), 1U);
  EXPECT_EQ(assigned, 1);
  EXPECT_EQ(*one->vault.pool_stock(), static_cast<std::size_t>(pairs - 1)) << "losers give their pair back";
  clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(one->directory.claim_outbox(100)->size(), 1U);
  EXPECT_EQ(one->directory.history("new@example.com")->size(), 1U);
}

TEST_F(KeyDirectoryTest, ManyAddressesAtOnceOutrunThePool) {
  auto one = node();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(one->vault.add_to_pool());
  std::mutex mutex;
  std::set<std::string> fingerprints;
  int fresh = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 12; ++i) {
      threads.emplace_back([&, i] {
        const auto made =
            one->directory.find_or_assign(address("user" + std::to_string(i) + "@example.com"), introduction);
        const std::lock_guard lock(mutex);
        ASSERT_TRUE(made) << made.error().internal_detail;
        fingerprints.insert(made->key.fingerprint);
        fresh += made->key.placeholder.empty() ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(fingerprints.size(), 12U);
  EXPECT_EQ(fresh, 9);
}

TEST_F(KeyDirectoryTest, ExpiredInterimPairIsReplacedAndStaysInHistory) {
  auto one = node();
  const auto bob = address("bob@example.com");
  const auto old = one->directory.find_or_assign(bob, introduction).value();
  clock.advance(day * 90 - std::chrono::milliseconds(1));
  EXPECT_TRUE(*one->directory.find(bob));
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_FALSE(*one->directory.find(bob));
  EXPECT_FALSE(one->directory.find_all({bob})->front());
  const auto made = one->directory.find_or_assign(bob, introduction).value();
  EXPECT_TRUE(made.assigned);
  EXPECT_NE(made.key.fingerprint, old.key.fingerprint);
  const auto history = one->directory.history("bob@example.com").value();
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history[0].fingerprint, made.key.fingerprint);
  EXPECT_EQ(history[1].fingerprint, old.key.fingerprint);
  EXPECT_EQ(history[1].state, PairState::Replaced);
  EXPECT_TRUE(one->directory.export_pkcs12("bob@example.com", old.key.fingerprint, Pkcs12Format::Modern, {}))
      << "earlier mail stays readable";
}

TEST_F(KeyDirectoryTest, ExportsOnlyWhatTheAddressHas) {
  auto one = node();
  const auto made = one->directory.find_or_assign(address("bob@example.com"), introduction).value();
  const auto& fingerprint = made.key.fingerprint;
  EXPECT_TRUE(one->directory.export_pkcs12("bob@example.com", fingerprint, Pkcs12Format::Compatible, {}));
  const auto kind = [&](const std::string& key, Pkcs12Format format, std::optional<Secret> password) {
    return one->directory.export_pkcs12(key, fingerprint, format, std::move(password)).error().kind;
  };
  EXPECT_EQ(kind("eve@example.com", Pkcs12Format::Modern, {}), ErrorKind::NotFound);
  EXPECT_EQ(kind("bob@example.com", Pkcs12Format::Modern, Secret::copy_of("short")), ErrorKind::Invalid);
  EXPECT_EQ(kind("bob@example.com", Pkcs12Format::Compatible, Secret::copy_of("long enough password")),
            ErrorKind::Invalid);
  ASSERT_TRUE(one->redis.command({"HDEL", hash_of("bob@example.com"), "key:" + fingerprint}));
  EXPECT_EQ(kind("bob@example.com", Pkcs12Format::Modern, {}), ErrorKind::NotFound);
}

TEST_F(KeyDirectoryTest, EveryAlteredOctetOfAnEntryIsNoticed) {
  auto one = node();
  const auto bob = address("bob@example.com");
  ASSERT_TRUE(one->directory.find_or_assign(bob, introduction));
  const std::string entry(one->redis.command({"HGET", hash_of("bob@example.com"), "current"})->text());
  for (std::size_t i = 0; i < entry.size(); ++i) {
    auto altered = entry;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    EXPECT_FALSE(decode_entry(one->master, "bob@example.com", altered)) << "octet " << i;
    EXPECT_FALSE(decode_entry(one->master, "bob@example.com", entry.substr(0, i))) << "cut to " << i;
  }
  ASSERT_TRUE(one->redis.command({"HSET", hash_of("bob@example.com"), "current", entry + "x"}));
  const auto expect_refusal = [](const auto& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::Permanent);
    EXPECT_NE(result.error().public_text.find("altered"), std::string::npos);
  };
  expect_refusal(one->directory.find(bob));
  expect_refusal(one->directory.find_all({bob}));
  expect_refusal(one->directory.find_or_assign(bob, introduction));
  expect_refusal(one->directory.history("bob@example.com"));
}

TEST_F(KeyDirectoryTest, AnotherAddressesOrARetiredEntryIsNoAnswer) {
  auto one = node();
  const auto bob = address("bob@example.com");
  ASSERT_TRUE(one->directory.find_or_assign(address("eve@example.com"), introduction));
  const auto old = one->directory.find_or_assign(bob, introduction).value();
  const std::string foreign(one->redis.command({"HGET", hash_of("eve@example.com"), "current"})->text());
  ASSERT_TRUE(one->redis.command({"HSET", hash_of("bob@example.com"), "current", foreign}));
  EXPECT_EQ(one->directory.find(bob).error().kind, ErrorKind::Permanent);
  ASSERT_TRUE(one->redis.command({"HDEL", hash_of("bob@example.com"), "current"}));
  ASSERT_TRUE(one->directory.find_or_assign(bob, introduction));
  clock.advance(day * 91);
  ASSERT_TRUE(one->directory.find_or_assign(bob, introduction));
  const auto retired = one->directory.history("bob@example.com")->back();
  const std::string entry(
      one->redis.command({"HGET", hash_of("bob@example.com"), "pair:" + retired.fingerprint})->text());
  ASSERT_TRUE(one->redis.command({"HSET", hash_of("bob@example.com"), "current", entry}));
  EXPECT_EQ(one->directory.find(bob).error().kind, ErrorKind::Permanent);
}

TEST_F(KeyDirectoryTest, StoreAwayIsTemporaryAndRecovers) {
  auto one = node();
  const auto bob = address("bob@example.com");
  server.kill();
  EXPECT_EQ(one->directory.find(bob).error().kind, ErrorKind::Temporary);
  EXPECT_EQ(one->directory.find_or_assign(bob, introduction).error().kind, ErrorKind::Temporary);
  server.start();
  EXPECT_TRUE(one->directory.find_or_assign(bob, introduction));
}

}  // namespace
}  // namespace sealpost
