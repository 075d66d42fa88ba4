// SPDX-License-Identifier: Apache-2.0
// What a real DNS server says, and what is made of it: records, aliases, names without records, no names, no answers.
#include "relay/delivery/unbound_resolver.h"

#include <Poco/Net/DatagramSocket.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <thread>

#include "tests/support/nsd.h"

namespace sealpost {
namespace {

using test::Nsd;

Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(30); }

/// Answers questions for names that begin with "good" (there are no such records), and no others.
class PickyServer final {
 public:
  PickyServer() : thread_([this] { serve(); }) {}
  ~PickyServer() {
    ending_ = true;
    thread_.join();
  }
  PickyServer(const PickyServer&) = delete;
  PickyServer& operator=(const PickyServer&) = delete;
  [[nodiscard]] std::string place() const { return socket_.address().toString(); }

 private:
  void serve() {
    std::array<char, 512> message{};
    Poco::Net::SocketAddress from;
    while (!ending_) {
      if (!socket_.poll(Poco::Timespan(0, 50'000), Poco::Net::Socket::SELECT_READ)) continue;
      const int size = socket_.receiveFrom(message.data(), static_cast<int>(message.size()), from);
      if (size < 17 || std::string_view(message.data() + 13, 4) != "good") continue;
      message[2] = static_cast<char>(message[2] | '\x84');  // an authoritative response (RFC 1035 section 4.1.1)
      message[3] = '\x80';                                  // no error
      socket_.sendTo(message.data(), size, from);
    }
  }
  Poco::Net::DatagramSocket socket_{Poco::Net::SocketAddress("127.0.0.1", 0)};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

class UnboundResolverTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server = std::make_unique<Nsd>("example.com",
                                   "two MX 20 B.example.com.\ntwo MX 10 a\nnull MX 0 .\nalias CNAME two\n"
                                   "odd MX 10 a\\@b.example.com.\n"
                                   "a A 127.0.0.2\na A 127.0.0.3\na AAAA 2001:db8::1\nb A 127.0.0.4\n"
                                   "text TXT \"no mail\"\nhost-alias CNAME b\n");
  }
  static void TearDownTestSuite() { server.reset(); }
  static std::unique_ptr<UnboundResolver> resolver() {
    auto made = UnboundResolver::make(server->place());
    if (!made) throw std::runtime_error(made.error().internal_detail);
    return *std::move(made);
  }
  static inline std::unique_ptr<Nsd> server;
};

TEST_F(UnboundResolverTest, MxRecordsHaveTheirHostsInLowerCaseWithoutAFinalDot) {
  auto answer = resolver()->mx("two.example.com", soon(), nullptr);
  ASSERT_TRUE(answer) << answer.error().internal_detail;
  auto records = answer->records;
  std::sort(records.begin(), records.end(), [](auto& a, auto& b) { return a.preference < b.preference; });
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].host, "a.example.com");
  EXPECT_EQ(records[0].preference, 10);
  EXPECT_EQ(records[1].host, "b.example.com");
  EXPECT_EQ(records[1].preference, 20);
}

TEST_F(UnboundResolverTest, AnAliasIsFollowedForMxAndForAddresses) {
  const auto made = resolver();
  auto mx = made->mx("alias.example.com", soon(), nullptr);
  ASSERT_TRUE(mx);
  EXPECT_EQ(mx->records.size(), 2U);
  auto addresses = made->addresses("host-alias.example.com", soon(), nullptr);
  ASSERT_TRUE(addresses);
  ASSERT_EQ(addresses->records.size(), 1U);
  EXPECT_EQ(addresses->records[0].toString(), "127.0.0.4");
}

TEST_F(UnboundResolverTest, ANullMxIsARecordWithoutAHost) {
  auto answer = resolver()->mx("null.example.com", soon(), nullptr);
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->records.size(), 1U);
  EXPECT_EQ(answer->records[0].host, "");
}

TEST_F(UnboundResolverTest, AddressesOfBothKindsComeInTurn) {
  auto answer = resolver()->addresses("a.example.com", soon(), nullptr);
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->records.size(), 3U);
  EXPECT_EQ(answer->records[0].toString(), "2001:db8::1");
  EXPECT_EQ(answer->records[1].family(), Poco::Net::IPAddress::IPv4);
  EXPECT_EQ(answer->records[2].family(), Poco::Net::IPAddress::IPv4);
}

TEST_F(UnboundResolverTest, ANameWithoutSuchRecordsIsNotANameThatDoesNotExist) {
  const auto made = resolver();
  auto no_data = made->mx("text.example.com", soon(), nullptr);
  ASSERT_TRUE(no_data);
  EXPECT_TRUE(no_data->records.empty());
  EXPECT_TRUE(no_data->name_exists);
  auto no_name = made->mx("nobody.example.com", soon(), nullptr);
  ASSERT_TRUE(no_name);
  EXPECT_FALSE(no_name->name_exists);
  auto no_host = made->addresses("nobody.example.com", soon(), nullptr);
  ASSERT_TRUE(no_host);
  EXPECT_FALSE(no_host->name_exists);
}

TEST_F(UnboundResolverTest, AHostThatNoHostCanBeCalledIsNone) {
  auto answer = resolver()->mx("odd.example.com", soon(), nullptr);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::Temporary);
}

TEST_F(UnboundResolverTest, ARefusalIsNoAnswer) {
  const auto made = resolver();
  auto mx = made->mx("elsewhere.example.org", soon(), nullptr);
  ASSERT_FALSE(mx);
  EXPECT_EQ(mx.error().kind, ErrorKind::Temporary);
  EXPECT_FALSE(made->addresses("elsewhere.example.org", soon(), nullptr));
}

TEST_F(UnboundResolverTest, ASilentServerIsWaitedForUntilTheDeadlineOrTheStop) {
  const Poco::Net::DatagramSocket silent(Poco::Net::SocketAddress("127.0.0.1", 0));
  auto made = UnboundResolver::make(silent.address().toString());
  ASSERT_TRUE(made);
  const auto begun = std::chrono::steady_clock::now();
  auto late = (*made)->mx("example.com", begun + std::chrono::milliseconds(50), nullptr);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::Temporary);
  PollableFlag stop;
  auto waiting = std::async(std::launch::async, [&] { return (*made)->mx("www.example.com", Deadline::max(), &stop); });
  stop.raise();
  EXPECT_FALSE(waiting.get());
}

TEST_F(UnboundResolverTest, NamesThatNobodyAnswersForHoldNoOthersUp) {
  const PickyServer server;
  auto made = UnboundResolver::make(server.place());
  ASSERT_TRUE(made);
  PollableFlag enough;
  std::vector<std::future<bool>> silent;
  for (int i = 0; i < 100; ++i) {
    silent.push_back(std::async(std::launch::async, [&made, &enough, i] {
      return (*made)->mx("silent" + std::to_string(i) + ".example.com", soon(), &enough).ok();
    }));
  }
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 5; ++i) {
    auto answer = (*made)->mx("good" + std::to_string(i) + ".example.com", soon(), nullptr);
    EXPECT_TRUE(answer) << answer.error().internal_detail;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10)) << "with 16 ports it took 46";
  enough.raise();
  for (auto& each : silent) EXPECT_FALSE(each.get());
}

TEST_F(UnboundResolverTest, ManyMayAskAtOnce) {
  const auto made = resolver();
  std::vector<std::future<bool>> asked;
  for (int i = 0; i < 64; ++i) {
    asked.push_back(std::async(std::launch::async, [&made, i] {
      const std::string name = i % 2 == 0 ? "two.example.com" : "nobody" + std::to_string(i) + ".example.com";
      auto answer = made->mx(name, soon(), nullptr);
      return answer && answer->name_exists == (i % 2 == 0);
    }));
  }
  for (auto& each : asked) EXPECT_TRUE(each.get());
}

}  // namespace
}  // namespace sealpost
