// SPDX-License-Identifier: Apache-2.0
// The throttle's table under a flood of names: who floods it pays, nobody else.
#include <gtest/gtest.h>

#include <string>

#include "base/guess_throttle.h"
#include "tests/support/fakes.h"

namespace sealpost::test {
namespace {

using std::chrono::milliseconds;

class LoginFlood : public testing::Test {
 protected:
  milliseconds wait(const std::string& account, const std::string& network) {
    auto attempt = throttle.begin(account, network);
    return attempt ? milliseconds(0) : attempt.error();
  }
  void fail(const std::string& account, const std::string& network) {
    auto attempt = throttle.begin(account, network);
    ASSERT_TRUE(attempt);
    attempt->wrong();
  }
  void log_in(const std::string& account, const std::string& network) {
    auto attempt = throttle.begin(account, network);
    ASSERT_TRUE(attempt);
    attempt->right();
  }

  ManualClock clock;
  GuessThrottle throttle{clock};
};

TEST_F(LoginFlood, AttemptsThatAreHeldBackAnyhowTakeNoRoom) {
  log_in("crm", "198.51.100.1");
  fail("name", "192.0.2.1");
  for (int i = 0; i < 120'000; ++i) ASSERT_GT(wait("name" + std::to_string(i), "192.0.2.1").count(), 0);
  fail("erp", "203.0.113.1");
  EXPECT_EQ(wait("wiki", "203.0.113.2"), milliseconds(0)) << "newcomers have entries of their own";
  EXPECT_EQ(wait("crm", "198.51.100.1"), milliseconds(0));
}

TEST_F(LoginFlood, AKnownPairNeverSharesTheNewcomersEntry) {
  log_in("crm", "198.51.100.1");
  for (int i = 0; i < 30'000; ++i) {
    auto attempt = throttle.begin("name" + std::to_string(i), "2001:db8:" + std::to_string(i));
    if (attempt) attempt->wrong();
  }
  EXPECT_GT(wait("wiki", "203.0.113.2").count(), 0) << "the table is full, and newcomers failed";
  EXPECT_EQ(wait("crm", "198.51.100.1"), milliseconds(0));
  fail("crm", "198.51.100.1");
  EXPECT_EQ(wait("crm", "198.51.100.1"), milliseconds(250)) << "its own failures count";
}

}  // namespace
}  // namespace sealpost::test
