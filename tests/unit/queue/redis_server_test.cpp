// SPDX-License-Identifier: Apache-2.0
// The embedded Redis: one server per folder held by its lock, adopted when it outlived its daemon, brought back with
// growing pauses when it dies.
#include "queue/redis_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>

#include "base/redis/client.h"
#include "queue/durability.h"
#include "tests/support/eventually.h"
#include "tests/support/fakes.h"
#include "tests/support/temp_dir.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

class EmbeddedRedisTest : public ::testing::Test {
 protected:
  EmbeddedRedisTest() : descriptor_(open((dir / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}
  ~EmbeddedRedisTest() override {
    [[maybe_unused]] const auto ended = client().command({"SHUTDOWN", "NOSAVE"});  // one that a test left for adoption
    close(descriptor_);
    if (!path_.empty()) setenv("PATH", path_.c_str(), 1);
  }

  std::unique_ptr<EmbeddedRedis> make(std::chrono::milliseconds patience = 60s) {
    return std::make_unique<EmbeddedRedis>(dir.path().string(), 64U << 20U, log, patience);
  }
  /// Puts a redis-server in front of the real one that is given more arguments, until the test ends.
  void start_with(const std::string& arguments) {
    const std::string script =
        dir.write("redis-server", "#!/bin/sh\nexec /usr/bin/redis-server \"$@\" " + arguments + "\n");
    ASSERT_EQ(chmod(script.c_str(), 0700), 0);
    path_ = getenv("PATH");
    ASSERT_EQ(setenv("PATH", (dir.path().string() + ":" + path_).c_str(), 1), 0);
  }
  [[nodiscard]] redis::Client client() const {
    redis::Endpoint endpoint;
    endpoint.unix_path = dir / "redis.sock";
    return {std::move(endpoint), 1s, 1};
  }
  /// The server's process id; nothing when none answers, or one that still loads.
  [[nodiscard]] std::optional<pid_t> server_pid() const {
    auto redis = client();
    if (!redis.command({"PING"})) return std::nullopt;
    auto info = redis.command({"INFO", "server"});
    if (!info) return std::nullopt;
    const auto at = info->text().find("process_id:") + 11;
    pid_t pid = 0;
    std::from_chars(info->text().data() + at, info->text().data() + info->text().size(), pid);
    return pid;
  }
  /// Waits until another server than `before` answers.
  [[nodiscard]] std::optional<pid_t> successor(pid_t before) const {
    std::optional<pid_t> pid;
    const bool other = test::eventually([&] { return (pid = server_pid()) && *pid != before; });
    return other ? pid : std::nullopt;
  }
  [[nodiscard]] bool is_locked() const {
    const int lock = open((dir / "redis/lock").c_str(), O_RDWR | O_CLOEXEC);
    const bool held = lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0;
    if (lock >= 0) close(lock);
    return held;
  }
  std::string events() const { return test::read_file(dir / "log"); }

  test::TempDir dir;
  SystemClock clock;

 private:
  int descriptor_;
  std::string path_;

 protected:
  Log log{LogLevel::Debug, LogFormat::Text, clock, descriptor_};
};

TEST_F(EmbeddedRedisTest, StartsDurableAndEndsInOrder) {
  auto server = make();
  ASSERT_TRUE(server->start());
  auto redis = client();
  EXPECT_TRUE(check_durability(redis).value().empty());
  EXPECT_EQ(read_memory(redis).value().limit, 64U << 20U);
  EXPECT_TRUE(is_locked());
  const pid_t pid = server_pid().value();
  server->stop();
  EXPECT_EQ(kill(pid, 0), -1) << "still runs";
  EXPECT_FALSE(is_locked());
}

TEST_F(EmbeddedRedisTest, ThatLoadsIsWaitedForHoweverLongThatTakes) {
  {
    auto server = make();
    ASSERT_TRUE(server->start());
    std::vector<redis::Command> commands;
    for (int i = 0; i < 4096; ++i) commands.push_back({"SET", "key" + std::to_string(i), "1"});
    ASSERT_TRUE(client().pipeline(commands));
  }
  start_with("--key-load-delay 1000");  // 1 ms for each; after each 1,024 it looks at its socket
  auto server = make(3s);
  const auto begun = steady_clock::now();
  const auto started = server->start();
  EXPECT_TRUE(started) << started.error().public_text;
  EXPECT_GE(steady_clock::now() - begun, 4s);
  EXPECT_NE(events().find("redis.loading"), std::string::npos);
  EXPECT_EQ(client().command({"DBSIZE"}).value().integer(), 4096);
}

TEST_F(EmbeddedRedisTest, ThatStaysSilentIsEndedAndTheNextStartMayTryAgain) {
  {
    auto server = make();
    ASSERT_TRUE(server->start());
    ASSERT_TRUE(client().command({"SET", "key", std::string(1024, 'x')}));
  }
  start_with("--key-load-delay 30000000");  // half a minute in which it does not look at its socket
  auto server = make(1s);
  const auto started = server->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::Temporary);
  EXPECT_FALSE(is_locked()) << "it was left behind";
}

TEST_F(EmbeddedRedisTest, IsBroughtBackWithItsDataAfterAGrowingPause) {
  auto server = make();
  ASSERT_TRUE(server->start());
  ASSERT_TRUE(client().command({"SET", "kept", "1"}));
  pid_t pid = server_pid().value();
  for (const auto pause : {1s, 2s}) {
    const auto died = steady_clock::now();
    kill(pid, SIGKILL);
    const auto next = successor(pid);
    ASSERT_TRUE(next) << events();
    EXPECT_GE(steady_clock::now() - died, pause);
    pid = *next;
    EXPECT_EQ(client().command({"GET", "kept"}).value().text(), "1");
    EXPECT_NE(events().find("redis.died restart_in_ms=" + std::to_string(std::chrono::milliseconds(pause).count())),
              std::string::npos)
        << events();
  }
}

TEST_F(EmbeddedRedisTest, AServerThatOutlivedItsDaemonIsAdoptedAndSupervised) {
  auto crashed = make();
  ASSERT_TRUE(crashed->start());
  const pid_t pid = server_pid().value();
  ASSERT_TRUE(client().command({"CONFIG", "SET", "maxmemory", "1gb"}));
  auto next = make();  // the first one has not ended its server: as after a crash
  ASSERT_TRUE(next->start());
  EXPECT_EQ(server_pid(), pid);
  EXPECT_NE(events().find("redis.adopted"), std::string::npos);
  auto redis = client();
  EXPECT_EQ(read_memory(redis).value().limit, 64U << 20U) << "the limit of this start";
  crashed.reset();  // ends the server, which is not the adopter's doing
  EXPECT_TRUE(successor(pid)) << "the adopter brings it back: " << events();
}

TEST_F(EmbeddedRedisTest, AStalledServerIsWaitedForNotDoubled) {
  auto crashed = make();
  ASSERT_TRUE(crashed->start());
  const pid_t pid = server_pid().value();
  kill(pid, SIGSTOP);
  EXPECT_TRUE(is_locked());
  auto next = make();
  Status started;
  {
    const std::jthread starter([&] { started = next->start(); });
    EXPECT_FALSE(server_pid()) << "nobody answers while it is stopped";
    kill(pid, SIGCONT);
  }
  EXPECT_TRUE(started);
  EXPECT_EQ(server_pid(), pid);
  EXPECT_EQ(events().find("redis.died"), std::string::npos) << events();
}

TEST_F(EmbeddedRedisTest, AFolderWhoseSocketPathIsTooLongIsRefused) {
  EmbeddedRedis server("/tmp/" + std::string(100, 'x'), 64U << 20U, log);
  const auto started = server.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::Invalid);
  EXPECT_NE(started.error().public_text.find("107 octets"), std::string::npos);
}

TEST_F(EmbeddedRedisTest, AFolderThatCannotBeMadeIsRefused) {
  EmbeddedRedis server(dir / "absent", 64U << 20U, log);
  const auto started = server.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::Invalid);
}

}  // namespace
}  // namespace sealpost
