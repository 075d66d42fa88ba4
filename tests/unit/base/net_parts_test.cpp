// SPDX-License-Identifier: Apache-2.0
// The loop's parts by themselves: which addresses are one network, counting connections, the worker pool.
#include <Poco/Net/IPAddress.h>
#include <gtest/gtest.h>

#include <future>
#include <latch>

#include "base/net/connection_limits.h"
#include "base/net/network.h"
#include "base/net/worker_pool.h"

namespace sealpost::net {
namespace {

struct NetworkCase {
  const char* name;
  const char* address;
  const char* network;
};
class NetworkOf : public testing::TestWithParam<NetworkCase> {};

TEST_P(NetworkOf, IsWhatLimitsCountBy) {
  EXPECT_EQ(network_of(Poco::Net::IPAddress(GetParam().address)), GetParam().network);
}
INSTANTIATE_TEST_SUITE_P(Cases, NetworkOf,
                         testing::Values(NetworkCase{"V4", "192.0.2.7", "192.0.2.7"},
                                         NetworkCase{"V6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
                                         NetworkCase{"V6OfTheSame64", "2001:db8:1:2::1", "2001:db8:1:2::"},
                                         NetworkCase{"V6Loopback", "::1", "::"}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(ConnectionLimits, CountsInAllAndByNetwork) {
  ConnectionLimits limits;
  EXPECT_TRUE(limits.admit("a", 3, 2));
  EXPECT_TRUE(limits.admit("a", 3, 2));
  EXPECT_FALSE(limits.admit("a", 3, 2)) << "of one network";
  EXPECT_TRUE(limits.admit("b", 3, 2));
  EXPECT_FALSE(limits.admit("c", 3, 2)) << "in all";
  EXPECT_EQ(limits.total(), 3U);
  limits.release("a");
  EXPECT_TRUE(limits.admit("c", 3, 2));
  limits.release("never came");
  EXPECT_EQ(limits.total(), 3U);
}

TEST(WorkerPool, RunsAsManyJobsAtOnceAsItHasThreads) {
  std::latch together(3);
  std::promise<void> done;
  std::atomic<int> ended{0};
  WorkerPool pool(3);
  for (int i = 0; i < 3; ++i) {
    pool.post([&] {
      together.arrive_and_wait();
      if (++ended == 3) done.set_value();
    });
  }
  EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST(WorkerPool, ItsEndWaitsForWhatRunsAndDropsTheRest) {
  std::promise<void> begun;
  std::promise<void> gate;
  std::atomic<bool> ran{false};
  std::atomic<bool> ran_late{false};
  auto pool = std::make_unique<WorkerPool>(1);
  pool->post([&] {
    begun.set_value();
    gate.get_future().wait();
    ran = true;
  });
  begun.get_future().wait();
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  pool->post([&, held = std::move(held)] { ran_late = true; });
  std::thread ender([&] { pool.reset(); });
  while (!watch.expired()) std::this_thread::yield();  // the destructor has dropped it
  gate.set_value();
  ender.join();
  EXPECT_TRUE(ran);
  EXPECT_FALSE(ran_late);
}

}  // namespace
}  // namespace sealpost::net
