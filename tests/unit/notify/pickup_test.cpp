// SPDX-License-Identifier: Apache-2.0
// Codes, locks, sessions and files of a pickup on a real Redis, under a clock that stands still.
#include "notify/pickup.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "notify/codes.h"
#include "tests/unit/notify/notify_fixture.h"

namespace sealpost {
namespace {

using test::SentNotice;

class PickupTest : public test::NotifyTest {
 protected:
  PickupFault fault_of(const SentNotice& notice, const std::string& code) {
    auto opened = pickup->open(notice.token, code);
    EXPECT_FALSE(opened);
    return opened ? PickupFault::Failed : opened.error().fault;
  }
  unsigned attempts_left(const SentNotice& notice, const std::string& code) {
    auto opened = pickup->open(notice.token, code);
    EXPECT_FALSE(opened);
    return opened ? 0 : opened.error().attempts_left;
  }
  std::string session_of(const SentNotice& notice) {
    auto session = pickup->open(notice.token, notice.code);
    EXPECT_TRUE(session) << session.error().error.public_text;
    return session ? std::string(session->reveal()) : std::string();
  }
  std::string only(const std::string& pattern) {
    const auto names = keys->redis.command({"KEYS", pattern}).value();
    EXPECT_EQ(names.size(), 1U) << pattern;
    return names.size() == 1 ? std::string(names[0].text()) : std::string();
  }
  std::string only_link() { return only("pickup:*:link:*"); }
  SentNotice resent(const std::string& mailbox) {
    notifier->start();
    notifier->resend(test::address(mailbox), "192.0.2.7");
    std::vector<SentNotice> notices;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (notices.empty() && std::chrono::steady_clock::now() < deadline) notices = sent();
    notifier->stop();
    notifier = make_notifier(random, [] {});
    return notices.empty() ? SentNotice{} : notices.front();
  }
};

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

TEST_F(PickupTest, CodeIsForgivenItsSpelling) {
  const auto notice = notified("bob@example.net");
  std::string typed = ascii_lower(notice.code);
  std::replace(typed.begin(), typed.end(), '-', ' ');
  EXPECT_TRUE(pickup->open(notice.token, typed));
}

TEST_F(PickupTest, FiveWrongCodesLockTheLink) {
  const auto notice = notified("bob@example.net");
  for (const unsigned left : {4U, 3U, 2U, 1U, 0U}) EXPECT_EQ(attempts_left(notice, wrong_code(left)), left);
  EXPECT_EQ(fault_of(notice, wrong_code()), PickupFault::Locked);
  EXPECT_EQ(fault_of(notice, notice.code), PickupFault::Locked) << "the right code comes too late";
  EXPECT_EQ(pickup->look(notice.token).error().fault, PickupFault::Locked);
  restart();
  EXPECT_EQ(fault_of(notice, notice.code), PickupFault::Locked) << "after a restart too";
}

TEST_F(PickupTest, WhatCannotBeACodeCountsToo) {
  const auto notice = notified("bob@example.net");
  for (const std::string& typed : {std::string("-"), std::string("x"), std::string(5000, '-'), std::string(1, '\0')}) {
    EXPECT_EQ(fault_of(notice, typed), PickupFault::WrongCode);
  }
  EXPECT_EQ(attempts_left(notice, "again"), 0U);
}

TEST_F(PickupTest, EmptyCodeIsWrongButNoAttempt) {
  const auto notice = notified("bob@example.net");
  EXPECT_EQ(fault_of(notice, wrong_code()), PickupFault::WrongCode);
  for (const char* typed : {"", " ", "\t", "\r\n", "   \n ", ""}) EXPECT_EQ(attempts_left(notice, typed), 4U);
  EXPECT_EQ(store->find(notice.token)->attempts, 1U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(fault_of(notice, wrong_code()), PickupFault::WrongCode);
  EXPECT_EQ(fault_of(notice, ""), PickupFault::Locked);
}

TEST_F(PickupTest, RightCodeForgetsTheWrongOnesBefore) {
  const auto notice = notified("bob@example.net");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(fault_of(notice, wrong_code()), PickupFault::WrongCode);
  EXPECT_TRUE(pickup->open(notice.token, notice.code));
  EXPECT_EQ(attempts_left(notice, wrong_code()), 4U);
}

TEST_F(PickupTest, AttemptIsCountedBeforeTheCodeIsCompared) {
  // A crash between the two must not give a guess for nothing: the count stands whether the comparison happens or not.
  const auto notice = notified("bob@example.net");
  const auto link = store->find(notice.token);
  ASSERT_TRUE(link);
  std::set<unsigned> counts;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(store->try_code(*link, Secret::copy_of(wrong_code()), clock.now()));
    counts.insert(store->find(notice.token)->attempts);
  }
  EXPECT_EQ(counts, (std::set<unsigned>{1, 2, 3, 4, 5}));
  const auto locked = store->try_code(*link, Secret::copy_of(notice.code), clock.now());
  EXPECT_TRUE(locked->locked);
  EXPECT_FALSE(locked->correct) << "the code is not even looked at";
}

TEST_F(PickupTest, RightCodesDoNotLockTheLinkWhileRedisIsFull) {
  const auto notice = notified("bob@example.net");
  EXPECT_EQ(fault_of(notice, wrong_code()), PickupFault::WrongCode);
  ASSERT_TRUE(keys->redis.command({"CONFIG", "SET", "maxmemory", "1"}));
  const Time first_use = clock.now();
  for (unsigned i = 0; i < max_code_attempts + 2; ++i) {
    EXPECT_EQ(fault_of(notice, notice.code), PickupFault::Failed) << "no room for a session";
    clock.advance(std::chrono::seconds(1));
  }
  EXPECT_EQ(store->find(notice.token)->attempts, 0U);
  EXPECT_EQ(store->find(notice.token)->first_used, first_use);
  EXPECT_EQ(attempts_left(notice, wrong_code()), 4U) << "wrong ones count all the same";
  ASSERT_TRUE(keys->redis.command({"CONFIG", "SET", "maxmemory", "0"}));
  EXPECT_TRUE(pickup->open(notice.token, notice.code));
}

TEST_F(PickupTest, ManyGuessersTogetherGetFiveGuesses) {
  const auto notice = notified("bob@example.net");
  constexpr std::size_t guessers = 16;
  std::atomic<int> compared{0};
  std::atomic<int> locked{0};
  std::atomic<int> others{0};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < guessers; ++i) {
    threads.emplace_back([&, i] {
      for (std::size_t n = 0; n < 10; ++n) {
        const auto opened = pickup->open(notice.token, wrong_code(i * 10 + n));
        if (opened) {
          ++others;
        } else if (opened.error().fault == PickupFault::WrongCode) {
          ++compared;
        } else {
          ++(opened.error().fault == PickupFault::Locked ? locked : others);
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(compared, 5);
  EXPECT_EQ(locked, static_cast<int>(guessers) * 10 - 5);
  EXPECT_EQ(others, 0);
}

TEST_F(PickupTest, CodeExpires) {
  const auto notice = notified("bob@example.net");
  clock.advance(day * 30 - std::chrono::milliseconds(1));
  EXPECT_TRUE(pickup->look(notice.token));
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(pickup->look(notice.token).error().fault, PickupFault::Expired);
  EXPECT_EQ(fault_of(notice, notice.code), PickupFault::Expired);
}

TEST_F(PickupTest, CodeWorksForADayAfterItsFirstUse) {
  const auto notice = notified("bob@example.net");
  ASSERT_TRUE(pickup->open(notice.token, notice.code));
  clock.advance(std::chrono::hours(23));
  EXPECT_TRUE(pickup->open(notice.token, notice.code)) << "and this use does not prolong it";
  clock.advance(std::chrono::hours(1) - std::chrono::milliseconds(1));
  EXPECT_TRUE(pickup->open(notice.token, notice.code));
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(fault_of(notice, notice.code), PickupFault::Expired);
}

TEST_F(PickupTest, UnknownLinksAreUnknown) {
  const auto notice = notified("bob@example.net");
  SentNotice other = notice;
  for (const std::string& token : {std::string(make_token(random).reveal()), std::string("x"), std::string(),
                                   std::string("../") + notice.token, notice.token + "a"}) {
    other.token = token;
    EXPECT_EQ(fault_of(other, notice.code), PickupFault::UnknownLink) << token;
  }
}

TEST_F(PickupTest, CodeOfAnotherLinkIsWrong) {
  const auto bob = notified("bob@example.net");
  const auto eve = notified("eve@example.net");
  EXPECT_EQ(fault_of({{}, false, {}, bob.token, {}}, eve.code), PickupFault::WrongCode);
}

TEST_F(PickupTest, StoredCodeMovedToAnotherLinkOpensNothing) {
  const auto bob = notified("bob@example.net");
  const auto eve = notified("eve@example.net");
  const auto links = keys->redis.command({"KEYS", "pickup:*:link:*"}).value();
  ASSERT_EQ(links.size(), 2U);
  const std::string first(links[0].text());
  const std::string second(links[1].text());
  const auto first_code = keys->redis.command({"HGET", first, "code"}).value();
  const auto second_code = keys->redis.command({"HGET", second, "code"}).value();
  ASSERT_TRUE(keys->redis.command({"HSET", first, "code", std::string(second_code.text())}));
  ASSERT_TRUE(keys->redis.command({"HSET", second, "code", std::string(first_code.text())}));
  EXPECT_EQ(fault_of({{}, false, {}, bob.token, {}}, eve.code), PickupFault::WrongCode);
  EXPECT_EQ(fault_of({{}, false, {}, eve.token, {}}, bob.code), PickupFault::WrongCode);
}

TEST_F(PickupTest, SessionMovedToAnotherAddressGivesNoKey) {
  // A thief with a mailbox of his own and a hand in Redis: he opens his own link, then has it lead to somebody else's
  // keys.
  const auto eve = notified("eve@example.net");
  const std::string session = session_of(eve);
  const auto hers = pickup->prepare(eve.token, session, {}, Pkcs12Format::Modern);
  ASSERT_TRUE(hers);
  const auto bob = assign("bob@example.net");
  const std::string link = only_link();
  ASSERT_TRUE(keys->redis.command(
      {"HSET", link, "address", "bob@example.net", "recipient", "bob@example.net", "fingerprint", bob.fingerprint}));
  EXPECT_EQ(fault_of(eve, eve.code), PickupFault::Failed);
  EXPECT_FALSE(pickup->show(eve.token, session));
  EXPECT_FALSE(pickup->take(eve.token, session, {}, Pkcs12Format::Modern, std::nullopt));
  EXPECT_FALSE(pickup->prepare(eve.token, session, {}, Pkcs12Format::Modern));
  EXPECT_FALSE(pickup->download(eve.token, session));
}

TEST_F(PickupTest, SessionsBelongToTheAddressToo) {
  const auto eve = notified("eve@example.net");
  const std::string session = session_of(eve);
  auto link = store->find(eve.token).value();
  EXPECT_TRUE(store->has_session(link, session).value());
  link.address = "bob@example.net";
  EXPECT_FALSE(store->has_session(link, session).value());
}

TEST_F(PickupTest, LinkPutUnderAnotherNameIsNoticed) {
  const auto bob = notified("bob@example.net");
  const std::string bobs = only_link();
  const auto eve = notified("eve@example.net");
  const std::string eves =
      "pickup:{" + store->find(eve.token)->id.substr(0, 1) + "}:link:" + store->find(eve.token)->id;
  const auto fields = keys->redis.command({"HGETALL", bobs}).value();
  for (std::size_t i = 0; i < fields.size(); i += 2) {
    ASSERT_TRUE(keys->redis.command({"HSET", eves, std::string(fields[i].text()), std::string(fields[i + 1].text())}));
  }
  EXPECT_EQ(fault_of(eve, eve.code), PickupFault::Failed);
}

TEST_F(PickupTest, NewCodeGoesToNoStrangerWhoseLinkStandsAsTheLatest) {
  notified("eve@example.net");
  const auto eves = keys->redis.command({"GET", only("pickup:*:latest:eve@example.net")}).value();
  notified("bob@example.net");
  ASSERT_TRUE(keys->redis.command({"SET", only("pickup:*:latest:bob@example.net"), std::string(eves.text())}));
  EXPECT_EQ(resent("bob@example.net").recipient, "bob@example.net");
}

/// A field of a link that somebody changes in Redis.
struct AlteredField {
  std::string name;
  std::string value;
};
void PrintTo(const AlteredField& altered, std::ostream* out) { *out << altered.name; }

class AlteredLinkTest : public PickupTest, public testing::WithParamInterface<AlteredField> {};

TEST_P(AlteredLinkTest, IsNoticed) {
  notify_settings.mode = NotifyMode::Attach;
  restart();
  const auto notice = notified("bob@example.net");
  const std::string session = session_of(notice);
  ASSERT_TRUE(keys->redis.command({"HSET", only_link(), GetParam().name, GetParam().value}));
  EXPECT_EQ(store->find(notice.token).error().kind, ErrorKind::Permanent);
  EXPECT_EQ(store->latest("bob@example.net").error().kind, ErrorKind::Permanent);
  EXPECT_EQ(pickup->look(notice.token).error().fault, PickupFault::Failed);
  EXPECT_EQ(pickup->show(notice.token, session).error().fault, PickupFault::Failed);
  EXPECT_EQ(resent("bob@example.net").recipient, "bob@example.net") << "a new code is still to be had";
}

INSTANTIATE_TEST_SUITE_P(Fields, AlteredLinkTest,
                         testing::Values(AlteredField{"address", "eve@example.net"},
                                         AlteredField{"recipient", "eve@example.net"},
                                         AlteredField{"fingerprint", std::string(64, 'a')},
                                         AlteredField{"expires", "99999999999999"}, AlteredField{"attached", ""},
                                         AlteredField{"mac", ""}, AlteredField{"mac", std::string(32, '0')}),
                         [](const auto& info) { return info.param.name + std::to_string(info.index); });

TEST_F(PickupTest, SessionIsBoundToItsLink) {
  const auto bob = notified("bob@example.net");
  const auto eve = notified("eve@example.net");
  const std::string session = session_of(eve);
  EXPECT_TRUE(pickup->show(eve.token, session));
  EXPECT_EQ(pickup->show(bob.token, session).error().fault, PickupFault::NoSession);
  EXPECT_EQ(pickup->take(bob.token, session, {}, Pkcs12Format::Modern, std::nullopt).error().fault,
            PickupFault::NoSession);
  for (const std::string& wrong : {std::string(), std::string("x"), session + "x", eve.token}) {
    EXPECT_EQ(pickup->show(eve.token, wrong).error().fault, PickupFault::NoSession) << wrong;
  }
}

TEST_F(PickupTest, SessionLastsHalfAnHour) {
  const auto notice = notified("bob@example.net");
  const std::string session = session_of(notice);
  const auto names = keys->redis.command({"KEYS", "pickup:*:session:*"}).value();
  ASSERT_EQ(names.size(), 1U);
  const std::string name(names[0].text());
  const auto left = keys->redis.command({"PTTL", name})->integer();
  EXPECT_LE(left, 30 * 60 * 1000);
  EXPECT_GT(left, 25 * 60 * 1000);
  ASSERT_TRUE(keys->redis.command({"PEXPIRE", name, "0"}));
  EXPECT_EQ(pickup->show(notice.token, session).error().fault, PickupFault::NoSession);
}

TEST_F(PickupTest, SessionOutlivesTheCode) {
  const auto notice = notified("bob@example.net");
  const std::string session = session_of(notice);
  clock.advance(day);
  EXPECT_EQ(fault_of(notice, notice.code), PickupFault::Expired);
  EXPECT_TRUE(pickup->show(notice.token, session));
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

TEST_F(PickupTest, SeveralCodesAreValidAtOnce) {
  const auto first = notified("bob@example.net");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(fault_of(first, wrong_code()), PickupFault::WrongCode);
  const auto second = resent("bob@example.net");
  ASSERT_FALSE(second.token.empty());
  EXPECT_NE(second.token, first.token);
  EXPECT_TRUE(pickup->open(second.token, second.code));
  EXPECT_EQ(fault_of(first, first.code), PickupFault::Locked) << "its own lock stays";

  const auto eve = notified("eve@example.net");
  const auto eves_second = resent("eve@example.net");
  EXPECT_TRUE(pickup->open(eve.token, eve.code)) << "an earlier code stays valid";
  EXPECT_TRUE(pickup->open(eves_second.token, eves_second.code));
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
  Pickup untold(*store, keys->directory, clock, random, log, [&](const std::string& recipient, const KeyRecord& key) {
    return away ? Status(Error::temporary("the store is away")) : notifier->tell_picked_up(recipient, key);
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
  EXPECT_EQ(pickup->download(notice.token, session).error().fault, PickupFault::NoFile) << "none was made yet";
  const auto password = pickup->prepare(notice.token, session, {}, Pkcs12Format::Modern);
  ASSERT_TRUE(password);
  EXPECT_EQ(pickup->download(notice.token, other).error().fault, PickupFault::NoFile);
  const auto file = pickup->download(notice.token, session);
  ASSERT_TRUE(file);
  EXPECT_TRUE(pickup->download(notice.token, session)) << "a second time, should the first have failed";
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
  EXPECT_EQ(pickup->download(notice.token, session).error().fault, PickupFault::Failed);
  EXPECT_NE(log_file.text().find(" pickup.failed address=bob@example.net "), std::string::npos);
}

TEST_F(PickupTest, AttachedFileOpensWithThePasswordBehindTheCode) {
  notify_settings.mode = NotifyMode::Attach;
  restart();
  const auto notice = notified("bob@example.net");
  const auto mail = test::parse_mail(notice.raw);
  ASSERT_EQ(mail.parts.size(), 3U);
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
