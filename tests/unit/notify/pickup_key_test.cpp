// SPDX-License-Identifier: Apache-2.0
// What a pickup hands out: the pairs of the address, each first pickup told, and files that wait for their session.
#include <atomic>
#include <thread>

#include "tests/unit/notify/pickup_fixture.h"

namespace sealpost {
namespace {

using test::PickupTest;

TEST_F(PickupTest, CodeOpensTheAddressAndItsKey) {
  const auto notice = notified("Bob@example.net");
  ASSERT_TRUE(pickup->look(notice.token));
  const std::string session = session_of(notice);
  const auto opened = pickup->show(notice.token, session);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->address, "Bob@example.net");
  ASSERT_EQ(opened->keys.size(), 1U);
  EXPECT_TRUE(opened->attached_password.empty());
  const auto file = pickup->take(notice.token, session, {}, Pkcs12Format::Modern, std::nullopt);
  ASSERT_TRUE(file);
  EXPECT_FALSE(file->octets.empty());
}

TEST_F(PickupTest, AllPairsOfTheAddressAreOffered) {
  settings.interim_lifetime = day;
  restart();
  const auto first = notified("bob@example.net");
  clock.advance(day);
  const auto second = notified("bob@example.net");
  for (const auto& notice : {first, second}) {
    const std::string session = session_of(notice);
    const auto opened = pickup->show(notice.token, session);
    ASSERT_EQ(opened->keys.size(), 2U);
    EXPECT_EQ(opened->keys[0].state, PairState::Interim) << "the current one first";
    EXPECT_EQ(opened->keys[1].state, PairState::Replaced);
    EXPECT_TRUE(pickup->take(notice.token, session, opened->keys[1].fingerprint, Pkcs12Format::Modern, std::nullopt));
  }
}

TEST_F(PickupTest, FirstPickupIsToldOnce) {
  const auto notice = notified("bob@example.net");
  const std::string session = session_of(notice);
  EXPECT_TRUE(sent().empty()) << "the code alone is no pickup";
  ASSERT_TRUE(pickup->take(notice.token, session, {}, Pkcs12Format::Modern, std::nullopt));
  const auto told = sent();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_FALSE(told[0].notification);
  EXPECT_NE(told[0].raw.find("\r\nSubject: Your key was picked up\r\n"), std::string::npos);
  ASSERT_TRUE(pickup->take(notice.token, session, {}, Pkcs12Format::Compatible, std::nullopt));
  EXPECT_TRUE(sent().empty());
  EXPECT_TRUE(keys->directory.find(test::address("bob@example.net")).value()->picked_up);
}

TEST_F(PickupTest, NoKeyIsHandedOutThatTheAddressIsNotToldOf) {
  const auto notice = notified("bob@example.net");
  const std::string session = session_of(notice);
  bool away = true;
  Pickup untold(*store, keys->directory, keys->life, throttle, clock, random, log, [&](const KeyNews& news) {
    return away ? Status(Error::temporary("the store is away")) : notifier->tell(news);
  });
  EXPECT_EQ(untold.take(notice.token, session, {}, Pkcs12Format::Modern, std::nullopt).error().fault,
            PickupFault::Failed);
  EXPECT_FALSE(keys->directory.find(test::address("bob@example.net")).value()->picked_up);
  away = false;
  EXPECT_TRUE(untold.take(notice.token, session, {}, Pkcs12Format::Modern, std::nullopt));
  EXPECT_EQ(sent().size(), 1U);
}

TEST_F(PickupTest, SimultaneousFirstPickupsAreToldOnce) {
  const auto notice = notified("bob@example.net");
  const std::string session = session_of(notice);
  std::vector<std::jthread> threads;
  std::atomic<int> taken{0};
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      if (pickup->take(notice.token, session, {}, Pkcs12Format::Modern, std::nullopt)) ++taken;
    });
  }
  threads.clear();
  EXPECT_EQ(taken, 6);
  EXPECT_EQ(sent().size(), 1U);
}

TEST_F(PickupTest, KeyThatTheAddressNeverHadIsNotThere) {
  const auto bob = notified("bob@example.net");
  const std::string eves = assign("eve@example.net").fingerprint;
  const std::string session = session_of(bob);
  for (const std::string& fingerprint : {eves, std::string("x"), std::string(64, '0')}) {
    EXPECT_EQ(pickup->take(bob.token, session, fingerprint, Pkcs12Format::Modern, std::nullopt).error().fault,
              PickupFault::NoKey);
  }
}

TEST_F(PickupTest, FileWaitsForItsSessionOnly) {
  const auto notice = notified("bob@example.net");
  const std::string session = session_of(notice);
  const std::string other = session_of(notice);
  EXPECT_EQ(pickup->download(notice.token, session, Pickup::FileKind::Key).error().fault, PickupFault::NoFile)
      << "none was made yet";
  const auto password = pickup->prepare(notice.token, session, {}, Pkcs12Format::Modern);
  ASSERT_TRUE(password);
  EXPECT_EQ(pickup->download(notice.token, other, Pickup::FileKind::Key).error().fault, PickupFault::NoFile);
  const auto file = pickup->download(notice.token, session, Pickup::FileKind::Key);
  ASSERT_TRUE(file);
  EXPECT_TRUE(pickup->download(notice.token, session, Pickup::FileKind::Key))
      << "a second time, should the first have failed";
  const std::string path = dir.write("bob.p12", std::string(view(*file)));
  const auto opened = test::run({"openssl", "pkcs12", "-in", path, "-passin", "stdin", "-nokeys", "-info"},
                                std::string(password->reveal()) + "\n");
  EXPECT_EQ(opened.status, 0) << opened.err;
  EXPECT_NE(opened.out.find("BEGIN CERTIFICATE"), std::string::npos);
  const auto names = keys->redis.command({"KEYS", "pickup:*:file:*"}).value();
  ASSERT_EQ(names.size(), 1U);
  EXPECT_LE(keys->redis.command({"PTTL", std::string(names[0].text())})->integer(), 10 * 60 * 1000);
}

TEST_F(PickupTest, DamagedFileIsNoMissingOne) {
  const auto notice = notified("bob@example.net");
  const std::string session = session_of(notice);
  ASSERT_TRUE(pickup->prepare(notice.token, session, {}, Pkcs12Format::Modern));
  ASSERT_TRUE(keys->redis.command({"SET", only("pickup:*:file:*"), "damaged"}));
  EXPECT_EQ(pickup->download(notice.token, session, Pickup::FileKind::Key).error().fault, PickupFault::Failed);
  EXPECT_NE(log_file.text().find(" pickup.failed address=bob@example.net "), std::string::npos);
}

TEST_F(PickupTest, AttachedFileOpensWithThePasswordBehindTheCode) {
  notify_settings.mode = NotifyMode::Attach;
  restart();
  const auto notice = notified("bob@example.net");
  const auto mail = test::parse_mail(notice.raw);
  ASSERT_EQ(mail.parts.size(), 4U);
  const auto opened = pickup->show(notice.token, session_of(notice));
  ASSERT_FALSE(opened->attached_password.empty());
  const std::string path = dir.write("attached.p12", mail.parts[2].body);
  EXPECT_EQ(
      test::run({"openssl", "pkcs12", "-in", path, "-passin", "stdin", "-nodes"}, opened->attached_password + "\n")
          .status,
      0);
  const auto told = sent();
  ASSERT_EQ(told.size(), 1U) << "the password is all that was missing: nobody takes a key in silence";
  EXPECT_NE(told[0].raw.find("\nSubject: Your key was picked up\r\n"), std::string::npos);
  EXPECT_TRUE(opened->keys.at(0).picked_up);
  EXPECT_EQ(notice.raw.find(opened->attached_password), std::string::npos);
  EXPECT_EQ(all_of_redis().find(opened->attached_password), std::string::npos);
}

TEST_F(PickupTest, NothingOfItIsReadableInRedis) {
  const auto notice = notified("bob@example.net");
  const std::string session = session_of(notice);
  const auto password = pickup->prepare(notice.token, session, {}, Pkcs12Format::Modern);
  ASSERT_TRUE(password);
  std::string bare_code = notice.code;
  std::erase(bare_code, '-');
  const std::string all = all_of_redis();
  ASSERT_NE(all.find("bob@example.net"), std::string::npos) << "Redis' files are what is looked at";
  for (const std::string& secret :
       {notice.token, notice.code, bare_code, session, std::string(password->reveal()), to_hex(notice.token)}) {
    ASSERT_FALSE(secret.empty());
    EXPECT_EQ(all.find(secret), std::string::npos) << secret;
  }
}

}  // namespace
}  // namespace sealpost
