// SPDX-License-Identifier: Apache-2.0
// The Redis adapter against a real redis-server: pipelines, scripts, slots, a server that dies, one that is full, many
// threads.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <future>
#include <thread>

#include "base/redis/client.h"
#include "tests/support/metrics_text.h"
#include "tests/support/redis_server.h"

namespace sealpost {
namespace {

using std::chrono::seconds;

/// One server for the cases that leave it alive.
class RedisClient : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server = std::make_unique<test::RedisServer>(); }
  static void TearDownTestSuite() { server.reset(); }
  void SetUp() override { ASSERT_TRUE(client.command({"FLUSHALL"})); }

  static std::unique_ptr<test::RedisServer> server;
  redis::Client client{server->endpoint(), seconds(10)};
};
std::unique_ptr<test::RedisServer> RedisClient::server;

TEST_F(RedisClient, RoundTripsAreTimedThoseThatFailToo) {
  metrics::Registry registry;
  redis::Client timed(server->endpoint(), seconds(10), 1, registry.timing("redis_seconds", "Redis.", {30}));
  ASSERT_TRUE(timed.command({"PING"}));
  ASSERT_TRUE(timed.pipeline({{"PING"}, {"PING"}}));
  timed.close();
  ASSERT_FALSE(timed.command({"PING"}));
  const std::string text = registry.text({});
  EXPECT_EQ(test::sample(text, "redis_seconds_count"), 3);
  EXPECT_GT(test::sample(text, "redis_seconds_sum"), 0);
}

TEST_F(RedisClient, CarriesBinaryValues) {
  const std::string value("a\0\r\n$5\xff", 7);
  ASSERT_TRUE(client.command({"SET", "k", value}));
  const auto reply = client.command({"GET", "k"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->text(), value);
  EXPECT_FALSE(reply->is_nil());
  const auto none = client.command({"GET", "none"});
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->is_nil());
  EXPECT_EQ(none->text(), "");
  EXPECT_EQ(none->integer(), 0);
}

TEST_F(RedisClient, APipelineAnswersInOrder) {
  const auto replies = client.pipeline({{"SET", "k", "1"}, {"INCR", "k"}, {"GET", "k"}, {"MGET", "k", "none"}});
  ASSERT_TRUE(replies);
  ASSERT_EQ(replies->size(), 4U);
  EXPECT_EQ((*replies)[0].text(), "OK");
  EXPECT_EQ((*replies)[1].integer(), 2);
  EXPECT_EQ((*replies)[2].text(), "2");
  ASSERT_EQ((*replies)[3].size(), 2U);
  EXPECT_EQ((*replies)[3][0].text(), "2");
  EXPECT_TRUE((*replies)[3][1].is_nil());
}

TEST_F(RedisClient, AnEmptyPipelineIsNothing) {
  const auto replies = client.pipeline({});
  ASSERT_TRUE(replies);
  EXPECT_TRUE(replies->empty());
}

TEST_F(RedisClient, AnErrorReplyIsInternalAndTheConnectionStaysInStep) {
  const auto failed = client.pipeline({{"SET", "k", "text"}, {"INCR", "k"}, {"GET", "k"}});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::Internal);
  EXPECT_EQ(failed.error().public_text, "internal error");
  const auto after = client.command({"GET", "k"});
  ASSERT_TRUE(after);
  EXPECT_EQ(after->text(), "text");
  EXPECT_FALSE(client.command({"NOSUCHCOMMAND"}));
}

TEST_F(RedisClient, AScriptThatRedisDoesNotKnowIsSentWhole) {
  const redis::Script script("add", "return redis.call('INCRBY', KEYS[1], ARGV[1])");
  ASSERT_TRUE(client.command({"SCRIPT", "FLUSH"}));
  for (const int expected : {2, 4}) {
    const auto reply = client.run(script, {"k"}, {"2"});
    ASSERT_TRUE(reply) << reply.error().internal_detail;
    EXPECT_EQ(reply->integer(), expected);
  }
  const auto known = client.command({"SCRIPT", "EXISTS", script.sha1()});
  ASSERT_TRUE(known);
  EXPECT_EQ((*known)[0].integer(), 1);
}

TEST_F(RedisClient, ManyRunsFallBackEachOnItsOwn) {
  const redis::Script script("fill", "return redis.call('INCRBY', KEYS[1], ARGV[1])");
  ASSERT_TRUE(client.command({"SCRIPT", "FLUSH"}));
  std::vector<redis::Client::Call> calls;
  for (int i = 1; i <= 20; ++i) calls.push_back({{"k" + std::to_string(i)}, {std::to_string(i)}});
  const auto replies = client.run_all(script, calls);
  ASSERT_TRUE(replies);
  ASSERT_EQ(replies->size(), 20U);
  for (int i = 1; i <= 20; ++i) EXPECT_EQ((*replies)[static_cast<std::size_t>(i - 1)].integer(), i);
}

TEST_F(RedisClient, AScriptsErrorNamesTheScript) {
  const auto reply = client.run(redis::Script("broken", "return redis.call('NOSUCH')"), {"k"}, {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::Internal);
  EXPECT_TRUE(reply.error().internal_detail.starts_with("broken: ")) << reply.error().internal_detail;
}

TEST_F(RedisClient, KeysInDifferentSlotsAreRefusedBeforeTheyAreSent) {
  const redis::Script script("write", "redis.call('SET', KEYS[1], '1') return 1");
  const auto refused = client.run(script, {"a", "b"}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Internal);
  const auto after = client.command({"EXISTS", "a"});
  ASSERT_TRUE(after);
  EXPECT_EQ(after->integer(), 0);
  EXPECT_TRUE(client.run(script, {"a{x}", "b{x}"}, {}));
}

TEST_F(RedisClient, SlotsAreThoseOfRedisItself) {
  // CLUSTER KEYSLOT needs cluster mode; these stand in the specification or came from redis-cli on a cluster node.
  EXPECT_EQ(redis::slot_of("123456789"), 0x31c3U);
  EXPECT_EQ(redis::slot_of("foo"), 12182U);
  EXPECT_EQ(redis::slot_of(""), 0U);
  EXPECT_EQ(redis::slot_of("{user1000}.following"), redis::slot_of("{user1000}.followers"));
  EXPECT_EQ(redis::slot_of("{user1000}.following"), redis::slot_of("user1000"));
  EXPECT_EQ(redis::slot_of("foo{{bar}}zap"), redis::slot_of("{bar"));
  EXPECT_EQ(redis::slot_of("foo{bar}{zap}"), redis::slot_of("bar"));
  EXPECT_NE(redis::slot_of("foo{}{bar}"), redis::slot_of("bar"));
}

TEST_F(RedisClient, ThreadsShareFewConnections) {
  redis::Client narrow(server->endpoint(), seconds(10), 3);
  std::atomic<int> failures{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        const std::string key = "thread" + std::to_string(t);
        for (int i = 1; i <= 100; ++i) {
          const auto reply = narrow.command({"INCR", key});
          if (!reply || reply->integer() != i) ++failures;
        }
      });
    }
  }
  EXPECT_EQ(failures, 0);
  const auto clients = client.command({"CLIENT", "LIST"});
  ASSERT_TRUE(clients);
  const auto list = clients->text();
  EXPECT_LE(std::count(list.begin(), list.end(), '\n'), 5);
}

/// Six calls of a quarter of a second each cannot all get the one connection within their patience of 0.4 s.
TEST_F(RedisClient, AnExhaustedPoolIsTemporary) {
  redis::Client single(server->endpoint(), std::chrono::milliseconds(400), 1);
  std::atomic<int> refused{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 6; ++t) {
      threads.emplace_back([&] {
        const auto reply = single.command({"BLPOP", "never", "0.25"});
        if (reply) return;
        EXPECT_EQ(reply.error().kind, ErrorKind::Temporary);
        if (reply.error().internal_detail == "redis: every connection is in use") ++refused;
      });
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_TRUE(single.command({"PING"}));
}

TEST_F(RedisClient, ClosingEndsCallsThatWaitAndRefusesLaterOnes) {
  redis::Client closed(server->endpoint(), std::chrono::minutes(10), 1);
  auto blocked = std::async(std::launch::async, [&] { return closed.command({"BLPOP", "none", "0"}); });
  while (client.command({"INFO", "clients"})->text().find("blocked_clients:1") == std::string_view::npos) {
    ASSERT_EQ(blocked.wait_for(std::chrono::milliseconds(1)), std::future_status::timeout);
  }
  auto queued = std::async(std::launch::async, [&] { return closed.command({"PING"}); });  // there is one connection
  closed.close();
  for (auto* call : {&blocked, &queued}) {
    ASSERT_EQ(call->wait_for(seconds(60)), std::future_status::ready);
    const auto reply = call->get();
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().kind, ErrorKind::Temporary);
  }
  EXPECT_FALSE(closed.command({"PING"}));
  EXPECT_TRUE(client.command({"PING"})) << "other clients go on";
}

TEST_F(RedisClient, SelectsItsDatabase) {
  redis::Endpoint endpoint = server->endpoint();
  endpoint.database = 3;
  redis::Client third(std::move(endpoint), seconds(10));
  ASSERT_TRUE(third.command({"SET", "k", "third"}));
  EXPECT_TRUE(client.command({"GET", "k"})->is_nil());
}

TEST(RedisClientAway, NoServerIsTemporary) {
  redis::Endpoint endpoint;
  endpoint.unix_path = "/nonexistent/redis.sock";
  redis::Client client(std::move(endpoint), seconds(1));
  const auto reply = client.command({"PING"});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::Temporary);
  EXPECT_FALSE(redis::is_store_full(reply.error()));
  EXPECT_FALSE(reply.error().public_text.empty());
}

TEST(RedisClientAway, ComesBackWithoutARestartOfOurs) {
  test::RedisServer server;
  redis::Client client(server.endpoint(), seconds(10));
  const redis::Script script("get", "return redis.call('GET', KEYS[1])");
  ASSERT_TRUE(client.command({"SET", "k", "kept"}));
  ASSERT_TRUE(client.run(script, {"k"}, {}));
  for (int round = 0; round < 2; ++round) {
    server.kill();
    for (int i = 0; i < 3; ++i) {
      const auto reply = client.command({"GET", "k"});
      ASSERT_FALSE(reply);
      EXPECT_EQ(reply.error().kind, ErrorKind::Temporary);
    }
    server.start();
    const auto reply = client.run(script, {"k"}, {});
    ASSERT_TRUE(reply) << reply.error().internal_detail;
    EXPECT_EQ(reply->text(), "kept");
  }
}

TEST(RedisClientAway, IdleConnectionsOfADeadServerCostOneCall) {
  test::RedisServer server;
  redis::Client client(server.endpoint(), seconds(10));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 5; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) EXPECT_TRUE(client.command({"PING"}));
      });
    }
  }
  server.kill();
  server.start();
  (void)client.command({"PING"});  // may meet the dead connection
  EXPECT_TRUE(client.command({"PING"}));
}

TEST(RedisClientAway, ASilentServerIsTemporaryAndItsLateReplyIsNobodys) {
  test::RedisServer server;
  redis::Client client(server.endpoint(), std::chrono::milliseconds(200));
  ASSERT_TRUE(client.command({"SET", "k", "kept"}));
  ASSERT_EQ(::kill(server.pid(), SIGSTOP), 0);
  const auto reply = client.command({"INCR", "counter"});
  ASSERT_EQ(::kill(server.pid(), SIGCONT), 0);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::Temporary);
  EXPECT_FALSE(redis::is_store_full(reply.error()));
  redis::Client patient(server.endpoint(), seconds(10));
  ASSERT_TRUE(patient.command({"PING"}));
  const auto after = client.command({"GET", "k"});
  ASSERT_TRUE(after) << after.error().internal_detail;
  EXPECT_EQ(after->text(), "kept");
}

TEST(RedisClientTcp, SpeaksToAPort) {
  const int port = test::free_port();
  test::RedisServer server({"--bind", "127.0.0.1", "--port", std::to_string(port)});
  redis::Endpoint endpoint;
  endpoint.host = "127.0.0.1";
  endpoint.port = port;
  redis::Client client(std::move(endpoint), seconds(10));
  const auto reply = client.pipeline({{"SET", "k", std::string(1'000'000, 'x')}, {"STRLEN", "k"}});
  ASSERT_TRUE(reply) << reply.error().internal_detail;
  EXPECT_EQ((*reply)[1].integer(), 1'000'000);
}

struct ErrorReply {
  const char* name;
  const char* text;
  ErrorKind kind;
  bool full;
};
class RedisErrorReply : public ::testing::TestWithParam<ErrorReply> {};

TEST_P(RedisErrorReply, MeansAnError) {
  std::string text = GetParam().text;
  redisReply reply{};
  reply.type = REDIS_REPLY_ERROR;
  reply.str = text.data();
  reply.len = text.size();
  const Error error = redis::to_error(redis::ReplyView(&reply));
  EXPECT_EQ(error.kind, GetParam().kind);
  EXPECT_EQ(redis::is_store_full(error), GetParam().full);
  EXPECT_EQ(error.public_text.find(text), std::string::npos);
  EXPECT_NE(error.internal_detail.find(text), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, RedisErrorReply,
    ::testing::Values(
        ErrorReply{"oom", "OOM command not allowed when used memory > 'maxmemory'.", ErrorKind::Temporary, true},
        ErrorReply{"oom_in_script", "ERR Error running script: OOM command not allowed", ErrorKind::Temporary, true},
        ErrorReply{"misconf", "MISCONF Errors writing to the AOF file: No space left", ErrorKind::Temporary, true},
        ErrorReply{"loading", "LOADING Redis is loading the dataset in memory", ErrorKind::Temporary, false},
        ErrorReply{"busy", "BUSY Redis is busy running a script.", ErrorKind::Temporary, false},
        ErrorReply{"readonly", "READONLY You can't write against a read only replica.", ErrorKind::Temporary, false},
        ErrorReply{"noauth", "NOAUTH Authentication required.", ErrorKind::Temporary, false},
        ErrorReply{"noperm", "NOPERM this user has no permissions", ErrorKind::Temporary, false},
        ErrorReply{"wrong_type", "WRONGTYPE Operation against a key", ErrorKind::Internal, false},
        ErrorReply{"syntax", "ERR syntax error", ErrorKind::Internal, false}),
    [](const auto& info) { return info.param.name; });

TEST(RedisClientFull, AFullStoreIsTemporaryAndSaysSo) {
  test::RedisServer server({"--maxmemory", "4mb"});
  redis::Client client(server.endpoint(), seconds(10));
  // Large values first, then small ones: a request's own buffer counts, too.
  Result<redis::Reply> reply = client.command({"PING"});
  for (const std::size_t size : {100'000U, 1'000U}) {
    reply = client.command({"PING"});
    for (int i = 0; i < 10'000 && reply; ++i) {
      reply = client.command({"SET", std::to_string(size) + ":" + std::to_string(i), std::string(size, 'x')});
    }
  }
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::Temporary);
  EXPECT_TRUE(redis::is_store_full(reply.error()));
  const auto script = client.run(redis::Script("set", "return redis.call('SET', KEYS[1], '1')"), {"k"}, {});
  ASSERT_FALSE(script);
  EXPECT_TRUE(redis::is_store_full(script.error())) << script.error().internal_detail;
  EXPECT_TRUE(client.command({"GET", "100000:0"}));
}

TEST(RedisClientAuth, AWrongPasswordIsTemporaryAndARightOneWorks) {
  test::RedisServer server({"--requirepass", "pw with blank"});
  redis::Endpoint wrong = server.endpoint();
  wrong.password = Secret::copy_of("other");
  const auto refused = redis::Client(std::move(wrong), seconds(5)).command({"PING"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Temporary);
  EXPECT_EQ(refused.error().internal_detail.find("other"), std::string::npos);
  const auto none = redis::Client(server.endpoint(), seconds(5)).command({"GET", "k"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::Temporary);
  redis::Endpoint right = server.endpoint();
  right.username = "default";
  right.password = Secret::copy_of("pw with blank");
  EXPECT_TRUE(redis::Client(std::move(right), seconds(5)).command({"GET", "k"}));
}

}  // namespace
}  // namespace sealpost
