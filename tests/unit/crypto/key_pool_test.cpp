// SPDX-License-Identifier: Apache-2.0
// The background filler: it fills, refills when a pair was taken, overshoots little, survives Redis, and stops at once.
#include "crypto/key_pool.h"

#include <chrono>

#include "tests/support/eventually.h"
#include "tests/unit/crypto/key_fixture.h"

namespace sealpost {
namespace {

using test::address;
using test::eventually;

class KeyPoolTest : public test::KeyTest {
 protected:
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
  // The pool gives way to all others' work: on a busy machine this takes a while.
  ASSERT_TRUE(eventually([&] { return *one->vault.pool_stock() > 0; }, std::chrono::minutes(4)))
      << "the next one is begun at once";
  const std::size_t made = *one->vault.pool_stock();
  pool.stop();
  EXPECT_TRUE(has(*one, made)) << "it is abandoned, not waited for";
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
