// SPDX-License-Identifier: Apache-2.0
// The revocation list as it is fetched: from a store that hangs or went away, and its numbers over nodes and clocks.
#include "crypto/crl_publisher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/unit/crypto/key_fixture.h"

namespace sealpost {
namespace {

class CrlPublisherTest : public test::KeyTest {
 protected:
  static std::int64_t number_of(const std::string& crl) {
    const auto told = test::run({"openssl", "crl", "-inform", "DER", "-noout", "-crlnumber"}, crl).out;
    return std::stoll(told.substr(told.find("0x") + 2), nullptr, 16);  // "crlNumber=0x…"
  }
  std::unique_ptr<CrlPublisher> publisher(test::Node& of) {
    return std::make_unique<CrlPublisher>(of.redis, of.master, of.authority, clock, log);
  }
  std::unique_ptr<test::Node> one = node();
  std::unique_ptr<CrlPublisher> crl = publisher(*one);
};

TEST_F(CrlPublisherTest, IsMadeOnceAMinute) {
  const auto first = crl->list().value();
  clock.advance(CrlPublisher::lifetime - std::chrono::milliseconds(1));
  EXPECT_EQ(crl->list().value(), first);
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_NE(crl->list().value(), first);
}

TEST_F(CrlPublisherTest, NumbersRiseOverNodesAndClocks) {
  const auto first = number_of(crl->list().value());
  EXPECT_EQ(first, to_milliseconds(clock.now()) / 1000);
  auto two = node();
  const auto second = number_of(publisher(*two)->list().value());
  EXPECT_GT(second, first) << "in the same second";
  clock.advance(-std::chrono::hours(1));
  const auto third = number_of(crl->list().value());
  EXPECT_GT(third, second) << "by a clock that was set back";
  clock.advance(std::chrono::hours(2));
  EXPECT_GT(number_of(crl->list().value()), third + 3000) << "the time again";
}

TEST_F(CrlPublisherTest, AStoreThatHangsHoldsUpOneCaller) {
  const auto old = crl->list().value();
  clock.advance(CrlPublisher::lifetime);
  ASSERT_EQ(::kill(server.pid(), SIGSTOP), 0);
  std::atomic<int> given_the_old_one = 0;
  std::atomic<int> given_another = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] { ++(crl->list().value() == old ? given_the_old_one : given_another); });
  }
  EXPECT_TRUE(test::eventually([&] { return given_the_old_one == 3; }));
  EXPECT_EQ(given_another, 0);
  ASSERT_EQ(::kill(server.pid(), SIGCONT), 0);
  callers.clear();
  EXPECT_EQ(given_another, 1);
}

TEST_F(CrlPublisherTest, AStoreThatWentAwayIsLeftAloneForAWhile) {
  const auto old = crl->list().value();
  clock.advance(CrlPublisher::lifetime);
  server.kill();
  EXPECT_EQ(crl->list().value(), old);
  server.start();
  EXPECT_EQ(crl->list().value(), old) << "not asked again yet";
  clock.advance(CrlPublisher::pause);
  EXPECT_NE(crl->list().value(), old);
  server.kill();
  clock.advance(std::chrono::hours(25));
  EXPECT_FALSE(crl->list()) << "too old";
}

}  // namespace
}  // namespace sealpost
