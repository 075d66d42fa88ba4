// SPDX-License-Identifier: Apache-2.0
// Operators' sessions: who gets one, what ends one, and that Redis alone opens none.
#include "queue/operator_session.h"

#include "tests/unit/queue/operator_fixture.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using Use = OperatorSessions::Use;

class OperatorSessionTest : public QueueTest {
 protected:
  Result<Secret> log_in(const std::string& name, const std::string& password) {
    return sessions.log_in(name, Secret::copy_of(password), "192.0.2.1");
  }
  std::string cookie() { return std::string(log_in("olga", "right").value().reveal()); }
  bool lives(const std::string& cookie, Use use = Use::Counts) { return sessions.find(cookie, use).ok(); }
  /// Redis' own clock ends keys; the test's stands for it.
  std::int64_t left(const std::string& key) { return redis.command({"PTTL", key}).value().integer(); }
  std::string only_key() { return keys("queue:operator:*").at(0); }

  People people;
  OperatorSessions sessions{
      redis, master, clock, random, log, people, [this](const std::string& name) { return people.stamp(name); }};
};

TEST_F(OperatorSessionTest, IsAnOperators) {
  const std::string first = cookie();
  const auto session = sessions.find(first);
  ASSERT_TRUE(session);
  EXPECT_EQ(session->account, "olga");
  EXPECT_EQ(people.last_network, "192.0.2.1") << "whose guesses are counted";
  const std::string second = cookie();
  EXPECT_NE(first, second);
  EXPECT_GE(first.size(), 32U);
  EXPECT_NE(session->csrf, sessions.find(second)->csrf);
  EXPECT_EQ(session->csrf, sessions.find(first)->csrf);
}

struct Refused {
  const char* name;
  const char* account;
  const char* password;
  ErrorKind kind;
};
class OperatorLogin : public OperatorSessionTest, public testing::WithParamInterface<Refused> {};
TEST_P(OperatorLogin, IsRefused) {
  const auto refused = log_in(GetParam().account, GetParam().password);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, GetParam().kind);
  EXPECT_TRUE(keys("queue:operator:*").empty());
}
INSTANTIATE_TEST_SUITE_P(Cases, OperatorLogin,
                         testing::Values(Refused{"WrongPassword", "olga", "wrong", ErrorKind::Invalid},
                                         Refused{"UnknownAccount", "nobody", "right", ErrorKind::Invalid},
                                         Refused{"NoName", "", "right", ErrorKind::Invalid},
                                         Refused{"AColonMovesIntoNoPassword", "olga:right", "", ErrorKind::Invalid},
                                         Refused{"NoOperator", "app", "right", ErrorKind::Permanent},
                                         Refused{"NoOperatorAndWrong", "app", "wrong", ErrorKind::Invalid}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(OperatorSessionTest, AGuesserWaits) {
  people.throttled = true;
  const auto refused = log_in("olga", "right");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().retry_after, std::chrono::seconds(7));
}

TEST_F(OperatorSessionTest, EndsHalfAnHourAfterItsLastUse) {
  const std::string mine = cookie();
  const auto half_an_hour = Duration(minutes(30)).count();
  EXPECT_NEAR(left(only_key()), half_an_hour, 60'000);
  redis.command({"PEXPIRE", only_key(), "100000"}).value();
  EXPECT_TRUE(lives(mine, Use::OnlyWatches));
  EXPECT_LE(left(only_key()), 100'000) << "an open page is no use";
  EXPECT_TRUE(lives(mine));
  EXPECT_NEAR(left(only_key()), half_an_hour, 60'000);
  redis.command({"DEL", only_key()}).value();  // what the end of its time does
  EXPECT_FALSE(lives(mine));
}

TEST_F(OperatorSessionTest, EndsAfterTwelveHoursHoweverUsed) {
  const std::string mine = cookie();
  clock.advance(hours(12) - minutes(1));
  EXPECT_TRUE(lives(mine));
  EXPECT_LE(left(only_key()), 60'000);
  redis.command({"PERSIST", only_key()}).value();
  clock.advance(minutes(1));
  EXPECT_FALSE(lives(mine));
}

TEST_F(OperatorSessionTest, EndsWithTheAccountAsItWas) {
  const std::vector<std::function<void()>> changes = {
      [this] { people.accounts.erase("olga"); }, [this] { people.accounts["olga"].admin = false; },
      [this] { people.accounts["olga"].password = "other"; }, [this] { ++people.accounts["olga"].version; }};
  for (const auto& change : changes) {
    people.accounts["olga"] = {"right", true};
    const std::string mine = cookie();
    ASSERT_TRUE(lives(mine));
    change();
    const auto ended = sessions.find(mine);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind, ErrorKind::NotFound);
  }
}

TEST_F(OperatorSessionTest, EndsByTheOperatorsWish) {
  const std::string mine = cookie();
  const std::string other = cookie();
  ASSERT_TRUE(sessions.log_out(mine));
  EXPECT_FALSE(lives(mine));
  EXPECT_TRUE(lives(other));
  EXPECT_TRUE(sessions.log_out(mine)) << "twice does no harm";
}

TEST_F(OperatorSessionTest, RedisAloneOpensNone) {
  const std::string mine = cookie();
  const std::string key = only_key();
  const std::string record(redis.command({"GET", key}).value().text());
  for (const auto& text : {key, record}) {
    EXPECT_EQ(text.find(mine), std::string::npos);
    EXPECT_EQ(text.find("right"), std::string::npos);
  }
  const auto put = [&](const std::string& where, const std::string& what) {
    redis.command({"SET", where, what}).value();
  };
  // As somebody would who can write to Redis: another account, another time, another place, no MAC.
  people.accounts["eve"] = {"right", true};
  std::string moved = record;
  moved.replace(moved.find("olga"), 4, "eve");
  for (const std::string& forged :
       {moved, "1" + record, record.substr(0, record.rfind(' ')), std::string(), std::string("9999999999999 olga")}) {
    put(key, forged);
    EXPECT_FALSE(lives(mine)) << forged;
  }
  put(key, record);
  EXPECT_TRUE(lives(mine));
  const std::string other = cookie();
  for (const auto& each : keys("queue:operator:*")) put(each, record);
  EXPECT_FALSE(lives(other)) << "a record belongs to its place";
}

TEST_F(OperatorSessionTest, NothingIsNone) {
  for (const char* text : {"", "x", "../../"}) EXPECT_EQ(sessions.find(text).error().kind, ErrorKind::NotFound);
}

TEST_F(OperatorSessionTest, WithoutTheStoreNobodyIsSentAway) {
  const std::string mine = cookie();
  people.away = true;
  EXPECT_EQ(sessions.find(mine).error().kind, ErrorKind::Temporary);
  EXPECT_EQ(log_in("olga", "right").error().kind, ErrorKind::Temporary);
}

TEST_F(OperatorSessionTest, IsOpenedInAFullStoreToo) {
  redis.command({"CONFIG", "SET", "maxmemory", "1"}).value();
  EXPECT_FALSE(redis.command({"SET", "x", std::string(1000, 'x')}));
  const std::string mine = cookie();
  EXPECT_TRUE(lives(mine));
  EXPECT_TRUE(sessions.log_out(mine));
}

}  // namespace
}  // namespace sealpost::test
