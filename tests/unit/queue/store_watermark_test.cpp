// SPDX-License-Identifier: Apache-2.0
// A store that hangs holds a mail transaction up once, not once for everybody who waits for the same answer.
#include <gtest/gtest.h>

#include <csignal>
#include <thread>
#include <vector>

#include "queue/durability.h"
#include "tests/support/redis_server.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

TEST(StoreWatermarkTest, ThoseWhoWaitForALookTakeItsAnswer) {
  test::RedisServer server;
  constexpr auto timeout = 500ms;
  constexpr std::size_t sessions = 10;
  redis::Client redis(server.endpoint(), timeout);
  StoreWatermark watermark(redis, {});
  kill(server.pid(), SIGSTOP);
  const auto begun = steady_clock::now();
  {
    std::vector<std::jthread> waiting;
    for (std::size_t i = 0; i < sessions; ++i) waiting.emplace_back([&] { EXPECT_FALSE(watermark.full()); });
  }
  const auto took = steady_clock::now() - begun;
  kill(server.pid(), SIGCONT);
  EXPECT_GE(took, timeout) << "nobody looked";
  EXPECT_LT(took, timeout * sessions / 2);
}

}  // namespace
}  // namespace sealpost
