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
TEST(PrivateAddresses, AreWhatNobodyOnTheInternetHas) {
  for (const char* address :
       {"127.0.0.1",  "10.1.2.3",        "172.31.255.255",    "192.168.0.1",       "169.254.169.254",
        "100.64.0.1", "0.0.0.0",         "224.0.0.1",         "255.255.255.255",   "::",
        "::1",        "::ffff:10.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b::10.0.0.1", "2001:2::1",
        "2001:20::1", "2002:a00:1::",    "2001:db8::1",       "fc00::1",           "fe80::1",
        "5f00::1",    "ff02::1"}) {
    EXPECT_TRUE(is_private(Poco::Net::IPAddress(address))) << address;
  }
  for (const char* address :
       {"8.8.8.8", "172.32.0.1", "100.128.0.1", "193.0.0.1", "2606:4700::1", "2001:4860::8888", "64:ff9b::8.8.8.8"}) {
    EXPECT_FALSE(is_private(Poco::Net::IPAddress(address))) << address;
  }
}

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
