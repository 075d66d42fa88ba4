// SPDX-License-Identifier: Apache-2.0
// What ends by itself: silent and dripping peers, and the whole loop when it is stopped.
#include <thread>

#include "tests/unit/base/net_fixture.h"

namespace sealpost::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using test::RawClient;

TEST_F(NetTest, TheConversationsLastWordGoesOutAtItsDeadline) {
  RawClient client(serve());
  ASSERT_TRUE(client.send("deadline 100\r\n"));
  const auto before = steady_clock::now();
  EXPECT_EQ(client.read_to_end(), "hello\r\nset\r\ntoo late\r\n");
  EXPECT_LT(steady_clock::now() - before, seconds(3))
      << "an earlier deadline must not wait for the timer of a later one";
}

TEST_F(NetTest, ADeadlineThatWasMovedOnDoesNotFire) {
  RawClient client(serve());
  ASSERT_TRUE(client.send("deadline 200\r\n"));
  EXPECT_EQ(client.read_until("set\r\n"), "hello\r\nset\r\n");
  ASSERT_TRUE(client.send("deadline 60000\r\n"));
  EXPECT_EQ(client.read_line(), "set");
  EXPECT_FALSE(client.closed_within(milliseconds(500)));
  EXPECT_EQ(story_.count("timed out"), 0U);
}

TEST_F(NetTest, ADeadlineDoesNotPassWhileAJobRuns) {
  RawClient client(serve());
  ASSERT_TRUE(client.send("deadline 50\r\njob done\r\n"));
  ASSERT_TRUE(story_.wait_for("job begun"));
  EXPECT_FALSE(client.closed_within(milliseconds(300)));
  story_.open_gate();
  EXPECT_EQ(client.read_to_end(), "hello\r\nset\r\ndone\r\ntoo late\r\n");
}

TEST_F(NetTest, APeerThatTakesNothingIsDroppedAtTheDeadline) {
  RawClient client(serve(), 4096);
  EXPECT_EQ(client.read_line(), "hello");
  ASSERT_TRUE(client.send("deadline 200\r\nbig 30000000\r\n"));
  EXPECT_TRUE(story_.wait_for("destroyed"));
  EXPECT_EQ(story_.count("timed out"), 0U) << "there is no room for a last word";
}

TEST_F(NetTest, ASilentHandshakeEnds) {
  auto secure = options(true);
  secure.handshake_timeout = milliseconds(200);
  RawClient client(serve(std::move(secure)));
  EXPECT_TRUE(client.closed_within(seconds(5)));
  EXPECT_EQ(story_.count("opened 127.0.0.1 tls loopback"), 0U);
}

TEST_F(NetTest, ADrippedHandshakeEndsAllTheSame) {
  auto secure = options(true);
  secure.handshake_timeout = milliseconds(300);
  RawClient client(serve(std::move(secure)));
  // A record that announces 512 octets of ClientHello, one octet at a time.
  const std::string record = std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(400, 'r');
  std::size_t sent = 0;
  while (sent < record.size() && client.send({&record[sent], 1}) && !client.closed_within(milliseconds(20))) ++sent;
  EXPECT_LT(sent, record.size()) << "the deadline is absolute, whatever drips in";
}

TEST_F(NetTest, ADrippedHandshakeBehindStartTlsEndsToo) {
  auto plain = options();
  plain.handshake_timeout = milliseconds(200);
  RawClient client(serve(std::move(plain)));
  ASSERT_TRUE(client.send("starttls\r\n"));
  EXPECT_EQ(client.read_until("ready\r\n"), "hello\r\nready\r\n");
  ASSERT_TRUE(client.send(std::string("\x16\x03", 2)));
  EXPECT_TRUE(client.closed_within(seconds(5)));
}

TEST_F(NetTest, APeerThatNeverClosesIsClosedAfterTheLastReply) {
  RawClient client(serve());
  ASSERT_TRUE(client.send("close bye\r\n"));
  EXPECT_EQ(client.read_to_end(), "hello\r\nbye\r\n");
  EXPECT_TRUE(settles_at(0)) << "lingering ends although the peer keeps its side open";
}

TEST_F(NetTest, StopClosesTheListenersAndWhatIsIdle) {
  const auto port = serve();
  RawClient client(port);
  EXPECT_EQ(client.read_line(), "hello");
  loop_->stop(seconds(30));
  EXPECT_TRUE(client.expect_close());
  EXPECT_EQ(loop_->connections(), 0U);
  EXPECT_FALSE(RawClient(port).connected());
}

TEST_F(NetTest, StopLetsARunningJobReply) {
  RawClient client(serve());
  ASSERT_TRUE(client.send("job done\r\n"));
  ASSERT_TRUE(story_.wait_for("job begun"));
  std::thread stopper([this] { loop_->stop(seconds(30)); });
  EXPECT_FALSE(client.closed_within(milliseconds(200)));
  story_.open_gate();
  EXPECT_EQ(client.read_to_end(), "hello\r\ndone\r\n");
  stopper.join();
}

TEST_F(NetTest, StopDoesNotRunAHeldJobEarly) {
  const auto port = serve();
  RawClient idle(port);
  EXPECT_EQ(idle.read_line(), "hello");
  RawClient client(port);
  ASSERT_TRUE(client.send("later-job\r\n"));
  ASSERT_TRUE(story_.wait_for("job begun"));
  std::thread stopper([this] { loop_->stop(seconds(30)); });
  EXPECT_TRUE(idle.expect_close()) << "the loop stops";
  story_.open_gate();
  EXPECT_EQ(client.read_to_end(), "hello\r\n");
  stopper.join();
  EXPECT_EQ(story_.count("held job run"), 0U);
}

TEST_F(NetTest, TheGraceEndsWithoutTheReply) {
  RawClient client(serve());
  ASSERT_TRUE(client.send("job done\r\n"));
  ASSERT_TRUE(story_.wait_for("job begun"));
  std::thread stopper([this] { loop_->stop(milliseconds(100)); });
  EXPECT_EQ(client.read_to_end(), "hello\r\n");
  story_.open_gate();
  stopper.join();
  EXPECT_EQ(loop_->connections(), 0U);
}

TEST_F(NetTest, JobsThatHaveNotBegunByTheEndOfTheGraceAreDropped) {
  const auto port = serve();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<RawClient>(port));
    EXPECT_EQ(clients.back()->read_line(), "hello");
    ASSERT_TRUE(clients.back()->send("job done\r\n"));
  }
  ASSERT_TRUE(story_.wait_for("job begun"));
  std::thread stopper([this] { loop_->stop(milliseconds(100)); });
  for (auto& client : clients) EXPECT_TRUE(client->expect_close());
  story_.open_gate();
  stopper.join();
  EXPECT_LE(story_.count("job begun"), 2U) << "there are two workers";
}

}  // namespace
}  // namespace sealpost::net
