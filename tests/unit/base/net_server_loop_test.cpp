// SPDX-License-Identifier: Apache-2.0
// ServerLoop: steps, jobs, pauses, limits and failures, seen from the other end of real sockets.
#include <sys/resource.h>
#include <unistd.h>

#include "base/net/server_loop.h"
#include "tests/unit/base/net_fixture.h"

namespace sealpost::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using test::RawClient;

TEST_F(NetTest, AnswersOctetsWithTheConversationsOutput) {
  RawClient client(serve());
  EXPECT_EQ(client.read_line(), "hello");
  ASSERT_TRUE(client.send("echo one\r\necho two\r\n"));
  EXPECT_EQ(client.read_line(), "one");
  EXPECT_EQ(client.read_line(), "two");
  EXPECT_TRUE(story_.wait_for("opened 127.0.0.1 loopback"));
}

TEST_F(NetTest, SplitsAcrossReadsAreTheConversationsBusiness) {
  RawClient client(serve());
  EXPECT_EQ(client.read_line(), "hello");
  for (const char octet : std::string("echo split\r\n")) ASSERT_TRUE(client.send({&octet, 1}));
  EXPECT_EQ(client.read_line(), "split");
}

TEST_F(NetTest, ReadsAndWritesManyRecordsOverTls) {
  RawClient client(serve(options(true)));
  ASSERT_TRUE(client.start_tls());
  EXPECT_EQ(client.read_line(), "hello");
  const std::string long_line(200000, 'y');
  ASSERT_TRUE(client.send("echo " + long_line + "\r\nbig 300000\r\n"));
  EXPECT_EQ(client.read_line(), long_line);
  EXPECT_EQ(client.read_line(), std::string(300000, 'x'));
  EXPECT_TRUE(story_.wait_for("opened 127.0.0.1 tls loopback"));
}

TEST_F(NetTest, ThePeersEndIsTold) {
  const auto port = serve();
  {
    RawClient client(port);
    EXPECT_EQ(client.read_line(), "hello");
  }
  EXPECT_TRUE(story_.wait_for("destroyed"));
  EXPECT_TRUE(settles_at(0));
}

TEST_F(NetTest, AResetEndsTheConnection) {
  RawClient client(serve());
  EXPECT_EQ(client.read_line(), "hello");
  client.reset();
  EXPECT_TRUE(story_.wait_for("destroyed"));
  EXPECT_TRUE(settles_at(0));
}

TEST_F(NetTest, CloseComesBehindTheOutput) {
  RawClient client(serve());
  ASSERT_TRUE(client.send("big 2000000\r\nclose bye\r\n"));
  EXPECT_EQ(client.read_to_end(), "hello\r\n" + std::string(2000000, 'x') + "\r\nbye\r\n");
}

TEST_F(NetTest, OctetsThatNobodyReadDoNotCostTheLastReply) {
  RawClient client(serve());
  EXPECT_EQ(client.read_line(), "hello");
  ASSERT_TRUE(client.send("close bye\r\n" + std::string(4UL << 20U, 'z')));
  EXPECT_EQ(client.read_to_end(), "bye\r\n");
  EXPECT_LT(story_.octets(), 1UL << 20U);
}

TEST_F(NetTest, ThroughTlsTheEndIsACloseNotify) {
  RawClient client(serve(options(true)));
  ASSERT_TRUE(client.start_tls());
  ASSERT_TRUE(client.send("close bye\r\n"));
  EXPECT_EQ(client.read_to_end(), "hello\r\nbye\r\n");
}

TEST_F(NetTest, NothingIsReadWhileAJobRuns) {
  RawClient client(serve());
  EXPECT_EQ(client.read_line(), "hello");
  ASSERT_TRUE(client.send("job done\r\n"));
  ASSERT_TRUE(story_.wait_for("job begun"));
  const std::size_t before = story_.octets();
  const std::string flood(64UL << 20U, 'z');
  EXPECT_LT(client.send_until_blocked(flood), flood.size()) << "the kernel's buffers must fill up, not ours";
  EXPECT_EQ(story_.octets(), before);
  story_.open_gate();
  EXPECT_EQ(client.read_line(), "done");
  EXPECT_GT(client.send_until_blocked(std::string(1UL << 20U, 'z')), 0U) << "reading goes on";
}

TEST_F(NetTest, NothingIsReadWhileThePeerDoesNotTakeItsOutput) {
  RawClient client(serve(), 4096);
  EXPECT_EQ(client.read_line(), "hello");
  ASSERT_TRUE(client.send("big 30000000\r\n"));
  const std::string flood(64UL << 20U, 'z');
  EXPECT_LT(client.send_until_blocked(flood), flood.size());
  EXPECT_LT(story_.octets(), 1UL << 20U);
  EXPECT_EQ(client.read_line().size(), 30000000U);
}

TEST_F(NetTest, ALineBehindAJobIsReadAfterIt) {
  RawClient client(serve());
  ASSERT_TRUE(client.send("job first\r\n"));
  ASSERT_TRUE(story_.wait_for("job begun"));
  ASSERT_TRUE(client.send("echo second\r\n"));
  story_.open_gate();
  EXPECT_EQ(client.read_until("second\r\n"), "hello\r\nfirst\r\nsecond\r\n");
}

TEST_F(NetTest, AJobsReplyReachesAPeerThatOnlyEndedItsSide) {
  RawClient client(serve());
  ASSERT_TRUE(client.send("job done\r\n"));
  client.half_close();
  ASSERT_TRUE(story_.wait_for("job begun"));
  story_.open_gate();
  EXPECT_EQ(client.read_to_end(), "hello\r\ndone\r\n");
  EXPECT_TRUE(story_.wait_for("destroyed"));
}

TEST_F(NetTest, APeerMayBeGoneWhenItsJobEnds) {
  const auto port = serve();
  {
    RawClient client(port);
    EXPECT_EQ(client.read_line(), "hello");
    ASSERT_TRUE(client.send("job done\r\n"));
    ASSERT_TRUE(story_.wait_for("job begun"));
    client.reset();
  }
  EXPECT_EQ(loop_->connections(), 1U) << "the conversation lives until its job is done";
  story_.open_gate();
  EXPECT_TRUE(story_.wait_for("destroyed"));
  EXPECT_TRUE(settles_at(0));
}

TEST_F(NetTest, AHeldStepWaitsAndThenComesWhole) {
  RawClient client(serve());
  EXPECT_EQ(client.read_line(), "hello");
  const auto before = steady_clock::now();
  ASSERT_TRUE(client.send("hold 300\r\necho next\r\n"));
  EXPECT_EQ(client.read_line(), "held");
  EXPECT_GE(steady_clock::now() - before, milliseconds(300));
}

struct Failing {
  const char* name;
  const char* line;
  const char* event;
};
class NetFailureTest : public NetTest, public testing::WithParamInterface<Failing> {};

TEST_P(NetFailureTest, EndsThatConnectionOnlyAndIsLogged) {
  const auto port = serve();
  RawClient other(port);
  EXPECT_EQ(other.read_line(), "hello");
  RawClient client(port);
  EXPECT_EQ(client.read_line(), "hello");
  ASSERT_TRUE(client.send(GetParam().line));
  EXPECT_TRUE(client.expect_close());
  EXPECT_NE(logged().find(GetParam().event), std::string::npos) << logged();
  ASSERT_TRUE(other.send("echo alive\r\n"));
  EXPECT_EQ(other.read_line(), "alive");
}
INSTANTIATE_TEST_SUITE_P(Cases, NetFailureTest,
                         testing::Values(Failing{"Conversation", "throw\r\n", "net.conversation_failed"},
                                         Failing{"Job", "throw-job\r\n", "net.job_failed"}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(NetTest, BeyondTheLimitAConnectionIsRefusedWithALine) {
  auto limited = options();
  limited.max_connections = 2;
  limited.refusal = "421 too many\r\n";
  const auto port = serve(std::move(limited));
  auto first = std::make_unique<RawClient>(port);
  RawClient second(port);
  EXPECT_EQ(first->read_line(), "hello");
  EXPECT_EQ(second.read_line(), "hello");
  RawClient third(port);
  EXPECT_EQ(third.read_to_end(), "421 too many\r\n");
  first.reset();
  ASSERT_TRUE(settles_at(1));
  RawClient fourth(port);
  EXPECT_EQ(fourth.read_line(), "hello") << "a place that is given back can be taken again";
}

TEST_F(NetTest, OneNetworkCannotTakeAllPlaces) {
  auto limited = options();
  limited.max_connections_per_network = 1;
  limited.refusal = "421 too many\r\n";
  const auto port = serve(std::move(limited));
  RawClient first(port);
  EXPECT_EQ(first.read_line(), "hello");
  RawClient second(port);
  EXPECT_EQ(second.read_to_end(), "421 too many\r\n");
}

TEST_F(NetTest, TheLimitHoldsOverAllListenersAndATlsListenerOnlyCloses) {
  auto plain = options();
  plain.max_connections = 1;
  auto secure = options(true);
  secure.max_connections = 1;
  secure.refusal = "421 too many\r\n";
  const auto secure_port = loop_->listen(std::move(secure));
  ASSERT_TRUE(secure_port);
  RawClient first(serve(std::move(plain)));
  EXPECT_EQ(first.read_line(), "hello");
  RawClient second(*secure_port);
  EXPECT_TRUE(second.expect_close());
}

/// Takes every descriptor that the process may open; gives them back when it ends.
class AllDescriptors final {
 public:
  AllDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit few{256, before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    for (int taken = dup(0); taken >= 0; taken = dup(0)) taken_.push_back(taken);
  }
  ~AllDescriptors() {
    for (const int descriptor : taken_) ::close(descriptor);
    setrlimit(RLIMIT_NOFILE, &before_);
  }
  AllDescriptors(const AllDescriptors&) = delete;
  AllDescriptors& operator=(const AllDescriptors&) = delete;
  void give_one_back() {
    ::close(taken_.back());
    taken_.pop_back();
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

std::chrono::microseconds processor_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

TEST_F(NetTest, WithoutDescriptorsItWaitsAndGoesOnLater) {
  const auto port = serve();
  // UBSan looks at an object's type through a pipe, which there will be none for; what it has seen once it remembers.
  log_.warning("net.descriptors_taken");
  std::unique_ptr<RawClient> client;
  {
    AllDescriptors all;
    all.give_one_back();
    client = std::make_unique<RawClient>(port);
    ASSERT_TRUE(client->connected()) << "the kernel accepts into the backlog";
    const auto before = processor_time();
    EXPECT_FALSE(client->closed_within(milliseconds(500)));
    EXPECT_LT(processor_time() - before, milliseconds(250)) << "it spins";
  }
  EXPECT_EQ(client->read_line(), "hello");
  EXPECT_NE(logged().find("net.accept_paused"), std::string::npos) << logged();
}

struct BadAddress {
  const char* name;
  const char* address;
};
class NetListenTest : public NetTest, public testing::WithParamInterface<BadAddress> {};

TEST_P(NetListenTest, SaysWhatItCannotListenOn) {
  auto bad = options();
  bad.address = GetParam().address;
  const auto port = loop_->listen(std::move(bad));
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().kind, ErrorKind::Invalid);
  EXPECT_NE(port.error().public_text.find(GetParam().address), std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(Cases, NetListenTest,
                         testing::Values(BadAddress{"NotOurs", "192.0.2.1:2525"}, BadAddress{"NoPort", "127.0.0.1"},
                                         BadAddress{"PortTooLarge", "127.0.0.1:70000"}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(NetTest, APortInUseIsAnError) {
  const auto port = serve();
  auto again = options();
  again.address = "127.0.0.1:" + std::to_string(port);
  const auto second = loop_->listen(std::move(again));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::Temporary) << "it may pass";
}

}  // namespace
}  // namespace sealpost::net
