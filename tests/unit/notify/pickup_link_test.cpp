// SPDX-License-Identifier: Apache-2.0
// Links and sessions of a pickup lead where they were made to lead, whatever somebody writes into Redis.
#include <ostream>

#include "notify/codes.h"
#include "tests/unit/notify/pickup_fixture.h"

namespace sealpost {
namespace {

using test::PickupTest;
using test::SentNotice;

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
  EXPECT_FALSE(pickup->download(eve.token, session, Pickup::FileKind::Key));
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
  const std::string eves = only("pickup:*:link:" + store->find(eve.token)->id);
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

}  // namespace
}  // namespace sealpost
