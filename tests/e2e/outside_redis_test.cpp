// SPDX-License-Identifier: Apache-2.0
// A Redis of the operator's own, by URL: every way to name it, every setting that would lose mail, and several nodes on
// one.
#include <gtest/gtest.h>
#include <sysexits.h>

#include <tuple>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/build.h"
#include "tests/support/redis_server.h"
#include "tests/support/smtp_server.h"

namespace sealpost::test {
namespace {

/// A daemon on an outside Redis with folders of its own and no listener that it does not need.
struct Node {
  explicit Node(const std::string& url, const std::string& redis_lines = {}, const std::string& keys_lines = {},
                const std::string& route = {})
      : config(dir.write("sealpost.conf",
                         "[relay]\nhostname = relay.example.org\nstate_dir = " + (dir / "state") +
                             "\n[smtp]\nlisten = off\nlisten_tls = off\n[http]\nlisten = 127.0.0.1:0\n" +
                             "[delivery]\nroute = " + (route.empty() ? "maildir:" + (dir / "mail") : route) +
                             "\n[crypto]\nkey_type = p256\n[keys]\npool_size = 0\n" + keys_lines +
                             "[redis]\nurl = " + url + "\n" + redis_lines)),
        command({program("sealpostd"), "--config", config}) {}
  TempDir dir;
  std::string config;
  std::vector<std::string> command;
};

struct WeakSetting {
  std::string name;
  std::vector<std::string> arguments;  ///< of redis-server
  std::string named;                   ///< what the refusal must name
};
void PrintTo(const WeakSetting& c, std::ostream* out) { *out << c.name; }

class WeakRedis : public ::testing::TestWithParam<WeakSetting> {};

TEST_P(WeakRedis, StopsTheStartAndLeavesRedisAsItWas) {
  const RedisServer server(GetParam().arguments);
  const Node node(server.url());
  const auto done = run(node.command);
  EXPECT_EQ(done.status, EX_CONFIG) << done.err;
  EXPECT_NE(done.err.find(GetParam().named), std::string::npos) << done.err;
  redis::Client redis(server.endpoint(), std::chrono::seconds(10));
  EXPECT_EQ(redis.command({"DBSIZE"}).value().integer(), 0) << "nothing is written before the check";
}

INSTANTIATE_TEST_SUITE_P(
    Settings, WeakRedis,
    ::testing::Values(
        WeakSetting{"appendonly", {"--appendonly", "no"}, "appendonly is no; set it to yes"},
        WeakSetting{"appendfsync", {"--appendfsync", "everysec"}, "appendfsync is everysec; set it to always"},
        WeakSetting{"no_appendfsync_on_rewrite",
                    {"--no-appendfsync-on-rewrite", "yes"},
                    "no-appendfsync-on-rewrite is yes; set it to no"},
        WeakSetting{"maxmemory", {"--maxmemory", "0"}, "maxmemory is 0; set it"},
        WeakSetting{
            "policy", {"--maxmemory-policy", "allkeys-lru"}, "maxmemory-policy is allkeys-lru; set it to noeviction"},
        WeakSetting{"replica", {"--replicaof", "127.0.0.1 1"}, "its role is not master"},
        WeakSetting{"all_at_once",
                    {"--appendonly", "no", "--maxmemory", "0"},
                    "appendonly is no; set it to yes; Redis: maxmemory is 0"},
        WeakSetting{"config_forbidden",
                    {"--user", "default", "on", "nopass", "~*", "&*", "+@all", "-config"},
                    "CONFIG GET is not allowed"}),
    [](const auto& tested) { return tested.param.name; });

TEST(OutsideRedis, ThatIsNotThereIs69) {
  const TempDir empty;
  const auto done = run(Node("unix://" + (empty / "redis.sock")).command);
  EXPECT_EQ(done.status, EX_UNAVAILABLE);
  EXPECT_NE(done.err.find("Redis cannot be reached (unix://"), std::string::npos) << done.err;
}

struct Access {
  std::string name;
  bool tcp;
  std::string path;  ///< behind host:port
  std::string username;
  std::string password;
  int status;  ///< 0: it starts
};
void PrintTo(const Access& c, std::ostream* out) { *out << c.name; }

class OutsideRedisAccess : public ::testing::TestWithParam<Access> {
 protected:
  /// A free port can be taken by somebody else before redis-server has it: another one is tried then.
  static std::unique_ptr<RedisServer> listen(int& port) {
    for (int tries = 0; tries < 5; ++tries) {
      port = free_port();
      try {
        return std::make_unique<RedisServer>(std::vector<std::string>{"--port", std::to_string(port), "--bind",
                                                                      "127.0.0.1", "--user", "relay", "on", ">se;cret#",
                                                                      "~*", "&*", "+@all", "--user", "default", "off"});
      } catch (const std::runtime_error&) {
        continue;
      }
    }
    throw std::runtime_error("no port for redis-server");
  }
};

TEST_P(OutsideRedisAccess, IsBySettings) {
  const Access& c = GetParam();
  int port = 0;
  const auto server = listen(port);
  const TempDir secrets;
  const std::string url = c.tcp ? "redis://127.0.0.1:" + std::to_string(port) + c.path : server->url();
  const Node node(
      url, "username = " + c.username + "\npassword_file = " + secrets.write("password", c.password + "\n") + "\n");
  Process daemon(node.command);
  if (c.status != 0) {
    EXPECT_EQ(daemon.wait(), c.status) << daemon.output();
    EXPECT_EQ(daemon.output().find(c.password), std::string::npos) << "the log shows the password";
    return;
  }
  ASSERT_FALSE(daemon.wait_for(" ready ", std::chrono::seconds(60)).empty()) << daemon.output();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
  redis::Endpoint endpoint = server->endpoint();
  endpoint.username = "relay";
  endpoint.password = Secret::copy_of("se;cret#");
  endpoint.database = c.path.empty() ? 0 : std::stoi(c.path.substr(1));
  redis::Client redis(std::move(endpoint), std::chrono::seconds(10));
  EXPECT_EQ(redis.command({"EXISTS", "keys:ca"}).value().integer(), 1) << "in the database that the URL names";
}

INSTANTIATE_TEST_SUITE_P(Ways, OutsideRedisAccess,
                         ::testing::Values(Access{"tcp_with_database", true, "/3", "relay", "se;cret#", 0},
                                           Access{"unix_socket", false, "", "relay", "se;cret#", 0},
                                           Access{"wrong_password", true, "/0", "relay", "guessed-wrong",
                                                  EX_UNAVAILABLE},
                                           Access{"unknown_user", false, "", "nobody", "se;cret#", EX_UNAVAILABLE}),
                         [](const auto& tested) { return tested.param.name; });

std::string ca_of(const Node& node) {
  const auto done = run({program("sealpostctl"), "--config", node.config, "key", "ca"});
  EXPECT_EQ(done.status, 0) << done.err;
  return done.out;
}

TEST(TwoNodes, ThatStartAtOnceAgreeOnOneAuthority) {
  const RedisServer server;
  // One master key for all nodes, as the operator copies it: made by a first start elsewhere.
  const RedisServer scratch;
  const Node first_start(scratch.url());
  Process key_maker(first_start.command);
  ASSERT_FALSE(key_maker.wait_for(" ready ", std::chrono::seconds(60)).empty()) << key_maker.output();
  const std::string key_file = first_start.dir / "state/master.key";
  const Node one(server.url(), {}, "master_key_file = " + key_file + "\n");
  const Node other(server.url(), {}, "master_key_file = " + key_file + "\n");
  Process first(one.command);
  Process second(other.command);
  ASSERT_FALSE(first.wait_for(" ready ", std::chrono::seconds(60)).empty()) << first.output();
  ASSERT_FALSE(second.wait_for(" ready ", std::chrono::seconds(60)).empty()) << second.output();
  const std::string ca = ca_of(one);
  EXPECT_NE(ca.find("BEGIN CERTIFICATE"), std::string::npos);
  EXPECT_EQ(ca_of(other), ca);
}

TEST(TwoNodes, WithMasterKeysOfTheirOwnAreNotOneRelay) {
  const RedisServer server;
  const Node one(server.url());
  const Node other(server.url());
  Process first(one.command);
  Process second(other.command);
  const auto started = [](Process& node) { return !node.wait_for(" ready ", std::chrono::seconds(60)).empty(); };
  const bool first_runs = started(first);
  const bool second_runs = started(second);
  EXPECT_NE(first_runs, second_runs) << first.output() << second.output();
  Process& refused = first_runs ? second : first;
  EXPECT_EQ(refused.wait(), EX_CONFIG);
  EXPECT_NE(refused.output().find("master key"), std::string::npos) << refused.output();
}

/// How many transactions ran at once, by the order of what the server was told.
int most_at_once(const std::vector<std::string>& lines) {
  int running = 0;
  int most = 0;
  for (const auto& line : lines) {
    if (line.starts_with("MAIL")) most = std::max(most, ++running);
    if (line == ".") --running;
  }
  return most;
}

TEST(TwoNodes, TogetherHaveTheDestinationsConcurrency) {
  const RedisServer server;
  SmtpServerOptions slow;
  slow.pause = std::chrono::milliseconds(20);
  SmtpServer hop(slow);
  const std::string route = "smtp://127.0.0.1:" + std::to_string(hop.port());
  // The first one needs one permit of two; the other one alone would take both.
  const RelayFixture first({{"redis.url", server.url()},
                            {"relay.hostname", "first.example.org"},
                            {"delivery.route", route},
                            {"delivery.workers", "1"},
                            {"delivery.destination_concurrency", "2"}});
  const Node other(server.url(), {}, "master_key_file = " + first.state_dir() + "/master.key\n",
                   route + "\ndestination_concurrency = 2");
  Process second(other.command);
  ASSERT_FALSE(second.wait_for(" ready ", std::chrono::seconds(60)).empty()) << second.output();
  constexpr std::size_t count = 60;
  auto sender = Submitter::logged_in(first);
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("x", "y")).starts_with("250"));
  }
  ASSERT_TRUE(hop.wait_for(".", count + 1)) << "and the notification";
  EXPECT_EQ(most_at_once(hop.lines()), 2);
  EXPECT_NE(hop.line("EHLO first.example.org"), "");
  EXPECT_NE(hop.line("EHLO relay.example.org"), "");
}

class ChangedRedis : public ::testing::Test {
 protected:
  RedisServer server;
  RelayFixture relay{RelayFixture::Settings{{"redis.url", server.url()}}};
};

TEST_F(ChangedRedis, IsToldByReadinessWithTheSetting) {
  redis::Client redis(server.endpoint(), std::chrono::seconds(10));
  EXPECT_EQ(relay.http("GET", "/readyz").status, 200);
  for (const auto& [setting, weak, good] :
       {std::tuple{"appendfsync", "everysec", "always"}, std::tuple{"maxmemory", "0", "256mb"},
        std::tuple{"maxmemory-policy", "allkeys-lru", "noeviction"}, std::tuple{"appendonly", "no", "yes"}}) {
    ASSERT_TRUE(redis.command({"CONFIG", "SET", setting, weak}));
    const auto answer = relay.http("GET", "/readyz");
    EXPECT_EQ(answer.status, 503) << setting;
    EXPECT_NE(answer.body.find(std::string(setting) + " is "), std::string::npos) << answer.body;
    ASSERT_TRUE(redis.command({"CONFIG", "SET", setting, good}));
    EXPECT_EQ(relay.http("GET", "/readyz").status, 200) << setting;
  }
  EXPECT_EQ(relay.http("GET", "/healthz").status, 200);
  server.kill();
  EXPECT_EQ(relay.http("GET", "/readyz").status, 503);
  server.start();
  EXPECT_EQ(relay.http("GET", "/readyz").status, 200) << "without a restart of the relay";
}

}  // namespace
}  // namespace sealpost::test
