// SPDX-License-Identifier: Apache-2.0
// The background filler: it fills, refills when a pair was taken, overshoots little, survives Redis, and stops at once.
#include "crypto/key_pool.h"

#include <chrono>
#include <functional>

#include "tests/unit/crypto/key_fixture.h"

namespace sealpost {
namespace {

using test::address;

class KeyPoolTest : public test::KeyTest {
 protected:
  /// The filler runs on its own; its effect shows in Redis only, so look until it does.
  static bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < end) {
      if (condition()) return true;
      std::this_thread::yield();
    }
    return false;
  }
  static bool has(test::Node& node, std::size_t wanted) {
    auto stock = node.vault.pool_stock();
    return stock && *stock == wanted;
  }
};

TEST_F(KeyPoolTest, FillsAndRefills) {
  auto one = node();
  KeyPool pool(one->vault, 5, log);
  pool.start();
  ASSERT_TRUE(eventually([&] { return has(*one, 5); }));
  const auto taken = std::chrono::steady_clock::now();
  ASSERT_TRUE(one->vault.bind(address("a@example.com")));
  EXPECT_TRUE(eventually([&] { return has(*one, 5); }));
  EXPECT_LT(std::chrono::steady_clock::now() - taken, std::chrono::seconds(4)) << "woken, not by its own looking";
}

TEST_F(KeyPoolTest, TwoNodesOvershootByOneAtMost) {
  auto one = node();
  auto two = node();
  {
    KeyPool first(one->vault, 20, log);
    KeyPool second(two->vault, 20, log);
    first.start();
    second.start();
    ASSERT_TRUE(eventually([&] { return *one->vault.pool_stock() >= 20; }));
  }
  EXPECT_LE(*one->vault.pool_stock(), 21U);
}

TEST_F(KeyPoolTest, SizeZeroMakesNothing) {
  auto one = node();
  KeyPool pool(one->vault, 0, log);
  pool.start();
  pool.stop();
  EXPECT_TRUE(has(*one, 0));
}

TEST_F(KeyPoolTest, StopsWhileAPairIsBeingMade) {
  auto one = node(KeyType::Rsa4096);
  KeyPool pool(one->vault, 1000, log);
  pool.start();
  const auto asked = std::chrono::steady_clock::now();
  pool.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(2));
}

TEST_F(KeyPoolTest, GoesOnWhenRedisIsBack) {
  auto one = node();
  server.kill();
  KeyPool pool(one->vault, 3, log);
  pool.start();
  server.start();
  EXPECT_TRUE(eventually([&] { return has(*one, 3); }));
}

}  // namespace
}  // namespace sealpost
