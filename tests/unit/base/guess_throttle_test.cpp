// SPDX-License-Identifier: Apache-2.0
// The brake on guessing, on a clock that the test moves.
#include "base/guess_throttle.h"

#include <gtest/gtest.h>

#include <deque>
#include <optional>

#include "tests/support/fakes.h"

namespace sealpost::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class GuessThrottleTest : public testing::Test {
 protected:
  /// How long a check would have to wait; zero when it may begin (and then it counts as neither right nor wrong).
  milliseconds wait(const std::string& account, const std::string& network) {
    auto attempt = throttle.begin(account, network);
    return attempt ? milliseconds(0) : attempt.error();
  }
  /// Waits as long as it must, then is wrong. Returns how long that was.
  milliseconds guess(const std::string& account, const std::string& network) {
    milliseconds waited{0};
    while (true) {
      auto attempt = throttle.begin(account, network);
      if (attempt) {
        attempt->wrong();
        return waited;
      }
      waited += attempt.error();
      clock.advance(attempt.error());
    }
  }
  void log_in(const std::string& account, const std::string& network) {
    auto attempt = throttle.begin(account, network);
    ASSERT_TRUE(attempt);
    attempt->right();
  }

  ManualClock clock;
  GuessThrottle throttle{clock};
};

TEST_F(GuessThrottleTest, WaitsDoubleUpToHalfAMinute) {
  std::vector<milliseconds::rep> waits;
  for (int i = 0; i < 10; ++i) waits.push_back(guess("crm", "192.0.2.1").count());
  EXPECT_EQ(waits, (std::vector<milliseconds::rep>{0, 250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000}));
}

TEST_F(GuessThrottleTest, GuessesFromManyNetworksCountForTheAccount) {
  for (int i = 0; i < 5; ++i) guess("crm", "192.0.2." + std::to_string(i));
  EXPECT_EQ(wait("crm", "198.51.100.1"), milliseconds(4000));
  EXPECT_EQ(wait("erp", "198.51.100.1"), milliseconds(0));
}

TEST_F(GuessThrottleTest, GuessesAtManyAccountsCountForTheNetwork) {
  for (int i = 0; i < 5; ++i) guess("account" + std::to_string(i), "192.0.2.1");
  EXPECT_EQ(wait("another", "192.0.2.1"), milliseconds(4000));
  EXPECT_EQ(wait("another", "192.0.2.2"), milliseconds(0));
}

TEST_F(GuessThrottleTest, ManyConnectionsGuessNoFasterThanOne) {
  guess("crm", "192.0.2.1");
  int looked_at = 0;
  const auto end = clock.now() + seconds(60);
  while (clock.now() < end) {
    for (int connection = 0; connection < 100; ++connection) {
      auto attempt = throttle.begin("crm", "192.0.2." + std::to_string(connection));
      if (!attempt) continue;
      ++looked_at;
      attempt->wrong();
    }
    clock.advance(milliseconds(250));
  }
  EXPECT_EQ(looked_at, 7) << "at 0.25, 0.75, 1.75, 3.75, 7.75, 15.75 and 31.75 s";
}

TEST_F(GuessThrottleTest, OneCheckAtATimeOnceOneHasFailed) {
  guess("crm", "192.0.2.1");
  clock.advance(milliseconds(250));
  auto in_flight = throttle.begin("crm", "192.0.2.1");
  ASSERT_TRUE(in_flight);
  EXPECT_GT(wait("crm", "192.0.2.1"), milliseconds(0));
  EXPECT_GT(wait("crm", "192.0.2.2"), milliseconds(0)) << "the same account from elsewhere";
  EXPECT_GT(wait("erp", "192.0.2.1"), milliseconds(0)) << "another account from the same network";
  in_flight->wrong();
  EXPECT_EQ(wait("crm", "192.0.2.2"), milliseconds(500));
}

TEST_F(GuessThrottleTest, WithoutAFailureABurstMayBegin) {
  std::deque<GuessThrottle::Attempt> burst;
  for (int i = 0; i < 16; ++i) {
    auto attempt = throttle.begin("crm", "192.0.2.1");
    ASSERT_TRUE(attempt) << i;
    burst.push_back(std::move(*attempt));
  }
  EXPECT_GT(wait("crm", "192.0.2.1"), milliseconds(0)) << "in flight counts until it has succeeded";
  for (auto& attempt : burst) attempt.wrong();
  EXPECT_EQ(wait("crm", "192.0.2.1"), milliseconds(30000)) << "a burst of guesses is paid for afterwards";
}

TEST_F(GuessThrottleTest, TheRealSenderIsNotHeldBackByOthers) {
  log_in("crm", "198.51.100.1");
  for (int i = 0; i < 10; ++i) guess("crm", "192.0.2.1");
  EXPECT_EQ(wait("crm", "198.51.100.1"), milliseconds(0));
  EXPECT_GT(wait("crm", "198.51.100.2"), milliseconds(0)) << "another network is not known";
  for (int i = 0; i < 10; ++i) guess("erp", "198.51.100.1");
  EXPECT_EQ(wait("crm", "198.51.100.1"), milliseconds(0)) << "nor by another account of the same network";
}

TEST_F(GuessThrottleTest, TheRealSendersNetworkGuessesNoFasterEither) {
  log_in("crm", "198.51.100.1");
  for (int i = 0; i < 5; ++i) guess("crm", "198.51.100.1");
  EXPECT_EQ(wait("crm", "198.51.100.1"), milliseconds(4000));
  clock.advance(seconds(4));
  log_in("crm", "198.51.100.1");
  guess("crm", "198.51.100.1");
  EXPECT_EQ(wait("crm", "198.51.100.1"), milliseconds(8000)) << "a login in between does not buy new guesses";
}

TEST_F(GuessThrottleTest, KnowledgeOfTheNetworkLastsAnHour) {
  log_in("crm", "198.51.100.1");
  clock.advance(hours(1) - seconds(300));
  for (int i = 0; i < 10; ++i) guess("crm", "192.0.2.1");
  EXPECT_EQ(wait("crm", "198.51.100.1"), milliseconds(0));
  clock.advance(hours(1));
  for (int i = 0; i < 10; ++i) guess("crm", "192.0.2.1");
  EXPECT_GT(wait("crm", "198.51.100.1"), milliseconds(0));
}

TEST_F(GuessThrottleTest, OwnLoginDoesNotForgiveWhatOthersGuessed) {
  for (int i = 0; i < 8; ++i) guess("crm", "192.0.2.1");
  clock.advance(seconds(30));
  log_in("crm", "198.51.100.1");
  EXPECT_GT(guess("crm", "192.0.2.1") + guess("crm", "192.0.2.1"), milliseconds(8000));
}

TEST_F(GuessThrottleTest, FailuresAreForgivenOneByOne) {
  for (int i = 0; i < 4; ++i) guess("crm", "192.0.2.1");
  EXPECT_EQ(wait("crm", "192.0.2.1"), milliseconds(2000));
  clock.advance(seconds(90));
  guess("crm", "192.0.2.1");
  EXPECT_EQ(wait("crm", "192.0.2.1"), milliseconds(500)) << "one of four was left, and one more";
  clock.advance(seconds(60));
  std::deque<GuessThrottle::Attempt> burst;
  for (int i = 0; i < 2; ++i) {
    auto attempt = throttle.begin("crm", "192.0.2.1");
    ASSERT_TRUE(attempt) << "all are forgiven";
    burst.push_back(std::move(*attempt));
  }
}

TEST_F(GuessThrottleTest, AnAttemptThatCouldNotBeCheckedCountsAsNeither) {
  guess("crm", "192.0.2.1");
  clock.advance(milliseconds(250));
  {
    auto store_away = throttle.begin("crm", "192.0.2.1");
    ASSERT_TRUE(store_away);
  }
  EXPECT_EQ(wait("crm", "192.0.2.1"), milliseconds(0));
}

TEST_F(GuessThrottleTest, AClockThatIsSetBackHoldsNobodyForLong) {
  for (int i = 0; i < 10; ++i) guess("crm", "192.0.2.1");
  clock.advance(-hours(24));
  EXPECT_EQ(wait("crm", "192.0.2.1"), milliseconds(30000));
  clock.advance(seconds(30));
  EXPECT_EQ(wait("crm", "192.0.2.1"), milliseconds(0));
}

TEST(GuessThrottleMemory, AFloodOfNamesNeitherGrowsItNorFlushesIt) {
  ManualClock clock;
  GuessThrottle throttle(clock, 100);
  const auto fail = [&](const std::string& account, const std::string& network) {
    auto attempt = throttle.begin(account, network);
    if (attempt) attempt->wrong();
    return attempt.ok();
  };
  for (int i = 0; i < 5; ++i) {
    fail("crm", "192.0.2.1");
    clock.advance(seconds(5));
  }
  int looked_at = 0;
  for (int i = 0; i < 10'000; ++i)
    looked_at += fail("name" + std::to_string(i), "2001:db8:" + std::to_string(i)) ? 1 : 0;
  EXPECT_LT(looked_at, 120) << "those beyond the table share one entry";
  fail("crm", "192.0.2.1");
  EXPECT_FALSE(throttle.begin("crm", "192.0.2.1").ok()) << "what was known of the account is still known";
  clock.advance(hours(1));
  EXPECT_TRUE(fail("new", "198.51.100.1"));
  EXPECT_TRUE(fail("newer", "198.51.100.2")) << "there is room again";
}

TEST_F(GuessThrottleTest, OverlongNamesAreOne) {
  const std::string long_name(5000, 'x');
  guess(long_name + "a", "192.0.2.1");
  EXPECT_GT(wait(long_name + "b", "192.0.2.2"), milliseconds(0));
}

}  // namespace
}  // namespace sealpost::test
