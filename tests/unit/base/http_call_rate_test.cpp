// SPDX-License-Identifier: Apache-2.0
// How often an account may call: counted by account and window, told in every answer, refused with the time to wait.
#include <gmock/gmock.h>

#include "base/http/call_rate.h"
#include "tests/unit/base/http_fixture.h"

namespace sealpost::http {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::Not;

using CallFields = std::vector<std::pair<std::string, std::string>>;

TEST(CallRate, CountsEachAccountInItsWindow) {
  CallRate rate(2, 60s, 100);
  const auto now = steady_clock::now();
  EXPECT_EQ(rate.take("crm", now).left, 1U);
  EXPECT_EQ(rate.take("crm", now + 10s).left, 0U);
  const auto refused = rate.take("crm", now + 20500ms);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.over_in, 40s) << "rounded up";
  EXPECT_TRUE(rate.take("erp", now + 20s).allowed) << "another account";
  EXPECT_TRUE(rate.take("crm", now + 60s).allowed) << "another window";
}

TEST(CallRate, IsToldInTheFieldsOfTheDraft) {
  CallRate rate(1, 1500ms, 100);
  const auto now = steady_clock::now();
  EXPECT_EQ(rate.take("crm", now).fields(),
            (CallFields{{"RateLimit-Policy", "\"account\";q=1;w=2"}, {"RateLimit", "\"account\";r=0;t=2"}}));
  EXPECT_EQ(rate.take("crm", now + 1s).fields(), (CallFields{{"RateLimit-Policy", "\"account\";q=1;w=2"},
                                                             {"RateLimit", "\"account\";r=0;t=1"},
                                                             {"Retry-After", "1"}}));
}

TEST(CallRate, BoundsTheCallsThatAreNotAnsweredYet) {
  CallRate rate(0, 60s, 2);
  const auto now = steady_clock::now();
  auto first = rate.take("crm", now);
  const auto second = rate.take("crm", now);
  const auto third = rate.take("crm", now);
  EXPECT_TRUE(first.allowed && second.allowed);
  EXPECT_FALSE(third.allowed);
  EXPECT_TRUE(third.crowded);
  EXPECT_EQ(third.fields(), (CallFields{{"Retry-After", "1"}}));
  EXPECT_TRUE(rate.take("erp", now).allowed) << "another account";
  first = {};
  EXPECT_TRUE(rate.take("crm", now).allowed) << "one was answered";
}

TEST(CallRate, OfNoneIsNone) {
  CallRate rate(0, 60s, 100);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(rate.take("crm", steady_clock::now()).allowed);
  EXPECT_TRUE(rate.take("crm", steady_clock::now()).fields().empty());
}

TEST_F(HttpTest, AnAccountThatCallsTooOftenIsRefusedUnheard) {
  CallRate rate(2, 1h, 100);
  context_.call_rate = &rate;
  const auto call = [&](const std::string& target, const std::string& token) {
    Direct direct(context_, from("127.0.0.1"));
    return direct.say("GET " + target + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\n\r\n");
  };
  for (const char* left : {"1", "0"}) {
    const std::string answer = call("/submit", "submit");
    EXPECT_EQ(status_of(answer), 200);
    EXPECT_THAT(answer, HasSubstr("\r\nRateLimit-Policy: \"account\";q=2;w=3600\r\n"));
    EXPECT_THAT(answer, HasSubstr(std::string("\r\nRateLimit: \"account\";r=") + left + ";t=3600\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("Retry-After")));
  }
  const std::string refused = call("/submit", "submit");
  EXPECT_EQ(status_of(refused), 429);
  EXPECT_THAT(refused, HasSubstr("\r\nRetry-After: 3600\r\n"));
  EXPECT_THAT(refused, HasSubstr("application/problem+json"));
  EXPECT_EQ(handled_, 2);
  EXPECT_EQ(status_of(call("/keys", "submit")), 429) << "a call without the scope is a call, too";
  EXPECT_EQ(status_of(call("/operator", "operator")), 200) << "another account";
  EXPECT_THAT(call("/public", "submit"), Not(HasSubstr("RateLimit"))) << "where nobody asks who calls";
}

}  // namespace
}  // namespace sealpost::http
