// SPDX-License-Identifier: Apache-2.0
// The master key: its file, its binding to one store, and what it wraps.
#include "crypto/master_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <stdexcept>

#include "base/encoding.h"
#include "tests/support/redis_server.h"

namespace sealpost {
namespace {

using test::read_file;

class MasterKeyTest : public ::testing::Test {
 protected:
  std::string make(const std::string& name) {
    const std::string path = dir_ / name;
    EXPECT_TRUE(MasterKey::create(path, random_));
    return path;
  }
  MasterKey load(const std::string& path) { return MasterKey::load(path, random_).value(); }

  test::TempDir dir_;
  SystemRandom random_;
};

TEST_F(MasterKeyTest, FileIsTheOwnersAloneAndIsNeverOverwritten) {
  const auto path = make("master.key");
  struct stat facts {};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777U, 0600U);
  const auto content = read_file(path);
  EXPECT_FALSE(MasterKey::create(path, random_));
  EXPECT_EQ(read_file(path), content);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_.path()), {}), 1) << "nothing is left beside it";
}

TEST_F(MasterKeyTest, UnwrapsWhatItWrapped) {
  auto key = load(make("master.key"));
  for (const auto& plain : {std::string(), std::string("x"), std::string(100'000, 'p')}) {
    auto blob = key.wrap(Purpose::PrivateKey, "a@example.com", plain);
    ASSERT_TRUE(blob);
    EXPECT_EQ(blob->size(), plain.size() + 1 + 4 + 12 + 16);
    auto again = key.unwrap(Purpose::PrivateKey, "a@example.com", *blob);
    ASSERT_TRUE(again);
    EXPECT_EQ(view(*again), plain);
  }
  EXPECT_NE(*key.wrap(Purpose::Notice, "", "same"), *key.wrap(Purpose::Notice, "", "same"));
}

TEST_F(MasterKeyTest, BlobMovedToAnotherPlaceDoesNotOpen) {
  auto key = load(make("master.key"));
  const auto blob = *key.wrap(Purpose::PrivateKey, "a@example.com", "secret");
  for (const auto& [purpose, context] : {std::pair{Purpose::PrivateKey, "b@example.com"},
                                         {Purpose::PrivateKey, ""},
                                         {Purpose::CaKey, "a@example.com"}}) {
    auto opened = key.unwrap(purpose, context, blob);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, ErrorKind::Permanent);
  }
}

TEST_F(MasterKeyTest, AnyAlteredOctetIsNoticed) {
  auto key = load(make("master.key"));
  const auto blob = *key.wrap(Purpose::Notice, "id", "secret");
  for (std::size_t i = 0; i < blob.size(); ++i) {
    auto altered = blob;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    auto opened = key.unwrap(Purpose::Notice, "id", altered);
    ASSERT_FALSE(opened) << "octet " << i;
    EXPECT_EQ(opened.error().kind, ErrorKind::Permanent);
  }
  for (std::size_t size = 0; size < blob.size(); ++size) {
    EXPECT_FALSE(key.unwrap(Purpose::Notice, "id", blob.substr(0, size))) << "cut to " << size;
  }
}

TEST_F(MasterKeyTest, MacsDifferByPurposeAndKey) {
  auto one = load(make("one.key"));
  auto two = load(make("two.key"));
  std::set<std::string> seen;
  for (int i = 0; i <= static_cast<int>(Purpose::AuditTrail); ++i) {
    seen.insert(one.mac(static_cast<Purpose>(i), "data"));
    seen.insert(two.mac(static_cast<Purpose>(i), "data"));
  }
  EXPECT_EQ(seen.size(), 2U * (static_cast<unsigned>(Purpose::AuditTrail) + 1));
  EXPECT_EQ(one.mac(Purpose::ApiToken, "data").size(), 32U);
}

TEST_F(MasterKeyTest, EveryPurposeHasKeysOfItsOwn) {
  auto key = load(make("master.key"));
  constexpr auto last = Purpose::OperatorSession;
  std::set<std::string> macs;
  for (int number = 0; number <= static_cast<int>(last); ++number) {
    const auto purpose = static_cast<Purpose>(number);
    macs.insert(key.mac(purpose, "x"));
    const auto blob = key.wrap(purpose, "here", "plain").value();
    EXPECT_TRUE(key.unwrap(purpose, "here", blob)) << number;
    const auto other = static_cast<Purpose>(number == 0 ? 1 : number - 1);
    EXPECT_FALSE(key.unwrap(other, "here", blob)) << number;
  }
  EXPECT_EQ(macs.size(), static_cast<std::size_t>(last) + 1);
  EXPECT_THROW(key.mac(static_cast<Purpose>(macs.size()), "x"), std::out_of_range);
}

TEST_F(MasterKeyTest, AppendedKeyWrapsAndOldOneStillOpensAndNames) {
  const auto path = make("old.key");
  auto old = load(path);
  const auto blob = *old.wrap(Purpose::CaKey, "c", "secret");
  const auto other = read_file(make("new.key"));
  const auto rotated = dir_.write("rotated.key", read_file(path) + other.substr(other.find('\n') + 1));
  auto both = load(rotated);
  EXPECT_EQ(view(*both.unwrap(Purpose::CaKey, "c", blob)), "secret");
  EXPECT_EQ(both.mac(Purpose::PickupToken, "t"), old.mac(Purpose::PickupToken, "t"));
  EXPECT_EQ(both.id(), old.id());
  EXPECT_FALSE(old.unwrap(Purpose::CaKey, "c", *both.wrap(Purpose::CaKey, "c", "secret"))) << "wrapped with the newest";
}

struct BadFile {
  std::string name;
  std::string content;
  unsigned mode;
  std::string reason;
};
std::ostream& operator<<(std::ostream& out, const BadFile& file) { return out << file.name; }

class MasterKeyBadFile : public ::testing::TestWithParam<BadFile> {};

TEST_P(MasterKeyBadFile, StopsTheStartWithFileAndReason) {
  const test::TempDir dir;
  SystemRandom random;
  const auto path = dir.write("master.key", GetParam().content, GetParam().mode);
  auto key = MasterKey::load(path, random);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind, ErrorKind::Invalid);
  EXPECT_NE(key.error().public_text.find(path), std::string::npos) << key.error().public_text;
  EXPECT_NE(key.error().public_text.find(GetParam().reason), std::string::npos) << key.error().public_text;
}

const std::string zero_key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

INSTANTIATE_TEST_SUITE_P(Files, MasterKeyBadFile,
                         ::testing::Values(BadFile{"Empty", "", 0600, "version 1"},
                                           BadFile{"OtherVersion", "version 2\n", 0600, "version 1"},
                                           BadFile{"NoKey", "version 1\n", 0600, "no key"},
                                           BadFile{"NotBase64", "version 1\nkey 00000000 !\n", 0600, "line 2"},
                                           BadFile{"ShortKey", "version 1\nkey 00000000 AAAA\n", 0600, "32 octets"},
                                           BadFile{"WrongId", "version 1\nkey 00000000 " + zero_key + "\n", 0600,
                                                   "does not fit its id"},
                                           BadFile{"NotAKeyLine", "version 1\nhello\n", 0600, "is no key"},
                                           BadFile{"GroupMayRead", "version 1\n", 0640, "0600"},
                                           BadFile{"OthersMayRead", "version 1\n", 0604, "0600"},
                                           BadFile{"Endless", std::string(100'000, 'x'), 0600, "too long"}),
                         [](const auto& info) { return info.param.name; });

class MasterKeyStoreTest : public MasterKeyTest {
 protected:
  test::RedisServer server_;
  redis::Client redis_{server_.endpoint(), std::chrono::seconds(5)};
};

TEST_F(MasterKeyStoreTest, FirstStartMakesFileAndLaterOnesKeepIt) {
  const auto path = dir_ / "master.key";
  auto first = MasterKey::open(path, redis_, random_);
  ASSERT_TRUE(first);
  auto second = MasterKey::open(path, redis_, random_);
  ASSERT_TRUE(second);
  EXPECT_EQ(first->id(), second->id());
}

TEST_F(MasterKeyStoreTest, AnotherKeyStopsTheStart) {
  ASSERT_TRUE(MasterKey::open(dir_ / "master.key", redis_, random_));
  auto other = MasterKey::open(make("other.key"), redis_, random_);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::Invalid);
  EXPECT_NE(other.error().public_text.find("other.key"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(dir_ / "other.key")) << "a file that was there is never removed";
}

TEST_F(MasterKeyStoreTest, MissingFileIsNotMadeAnewWhenTheStoreHangsOnAKey) {
  const auto path = dir_ / "master.key";
  ASSERT_TRUE(MasterKey::open(path, redis_, random_));
  std::filesystem::remove(path);
  auto again = MasterKey::open(path, redis_, random_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::Invalid);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(MasterKeyStoreTest, NothingInTheStoreTellsTheKey) {
  const auto path = dir_ / "master.key";
  ASSERT_TRUE(MasterKey::open(path, redis_, random_));
  const auto file = read_file(path);
  const auto secret = *from_base64(file.substr(file.rfind(' ') + 1, 44));
  const std::string stored(redis_.command({"GET", "keys:master"})->text());
  EXPECT_EQ(stored.size(), 8U + 1 + 64);
  EXPECT_EQ(stored.find(to_hex(secret)), std::string::npos);
}

TEST_F(MasterKeyStoreTest, StoreAwayIsTemporary) {
  server_.kill();
  auto key = MasterKey::open(dir_ / "master.key", redis_, random_);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind, ErrorKind::Temporary);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "master.key"));
}

}  // namespace
}  // namespace sealpost
