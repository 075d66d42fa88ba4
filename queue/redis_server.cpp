// SPDX-License-Identifier: Apache-2.0
// Implements redis_server.h.
#include "queue/redis_server.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include "base/redis/client.h"

namespace sealpost {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t max_socket_path = 107;  // sun_path less its NUL
constexpr milliseconds alive_interval{200};
constexpr milliseconds first_pause{1000};
constexpr milliseconds longest_pause{30'000};
constexpr std::chrono::minutes stable_after{1};
constexpr std::chrono::seconds stop_timeout{20};
constexpr std::chrono::seconds term_timeout{5};
constexpr std::chrono::seconds loading_told_every{10};
constexpr int lock_descriptor = 3;  ///< in the child

redis::Client client(const std::string& socket) {
  redis::Endpoint endpoint;
  endpoint.unix_path = socket;
  return {std::move(endpoint), milliseconds(1000), 1};
}

}  // namespace

EmbeddedRedis::EmbeddedRedis(std::string state_dir, std::uint64_t maxmemory, Log& log,
                             std::chrono::milliseconds patience)
    : state_dir_(std::move(state_dir)), maxmemory_(maxmemory), log_(log), patience_(patience) {}

EmbeddedRedis::~EmbeddedRedis() { stop(); }

EmbeddedRedis::Answer EmbeddedRedis::ask() const {
  auto redis = client(socket());
  auto pong = redis.command({"PING"});
  if (pong) return Answer::Ready;
  return pong.error().internal_detail.find("LOADING") != std::string::npos ? Answer::Loading : Answer::None;
}

/// A server that is stalled or still loads does not answer, but holds its lock: a second one beside it would write the
/// same append-only file.
bool EmbeddedRedis::alive() const {
  const int lock = open((state_dir_ + "/redis/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return false;
  const bool held = flock(lock, LOCK_EX | LOCK_NB) != 0;
  close(lock);
  return held;
}

Status EmbeddedRedis::launch() {
  const std::string folder = state_dir_ + "/redis";
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error::invalid(folder + ": " + std::strerror(errno));
  }
  const std::string log_file = folder + "/redis.log";
  const std::vector<std::string> arguments = {
      "redis-server", "--port", "0", "--unixsocket", socket(), "--unixsocketperm", "700", "--dir", folder,
      "--appendonly", "yes", "--appendfsync", "always", "--no-appendfsync-on-rewrite", "no", "--save", "",
      // The default of 64 MB rewrote 17 times in 6 s of 1 MB messages.
      "--auto-aof-rewrite-min-size", "1gb", "--maxmemory", std::to_string(maxmemory_), "--maxmemory-policy",
      "noeviction", "--daemonize", "no", "--logfile", log_file};
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  // The child inherits the lock and holds it for as long as it lives, whatever becomes of us.
  const int lock = open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (lock >= 0) close(lock);
    posix_spawn_file_actions_destroy(&actions);
    return Error::temporary("another redis-server still writes in " + folder);
  }
  posix_spawn_file_actions_adddup2(&actions, lock, lock_descriptor);
  posix_spawn_file_actions_addclosefrom_np(&actions, lock_descriptor + 1);
  // A group of its own: a Ctrl-C at the terminal is for the daemon, which ends Redis in order.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // The daemon blocks the signals that it waits for; its child must not.
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  const int failed = posix_spawnp(&child_, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(lock);
  if (failed != 0) {
    child_ = -1;
    return Error::invalid(std::string("redis-server cannot be started: ") + std::strerror(failed));
  }
  return {};
}

bool EmbeddedRedis::wait_until_ready() {
  auto deadline = steady_clock::now() + patience_;
  auto told = steady_clock::time_point();
  std::unique_lock lock(mutex_);
  while (!stopping_ && steady_clock::now() < deadline) {
    lock.unlock();
    const Answer answer = ask();
    if (answer == Answer::Ready) return true;
    const auto now = steady_clock::now();
    if (answer == Answer::Loading) deadline = now + patience_;
    if (answer == Answer::Loading && now - told >= loading_told_every) {
      log_.info("redis.loading", {{"socket", socket()}});
      told = now;
    }
    const bool gone = child_ > 0 && waitpid(child_, nullptr, WNOHANG) == child_;
    lock.lock();
    if (gone) {
      child_ = -1;
      return false;
    }
    wake_.wait_for(lock, milliseconds(20), [this] { return stopping_; });
  }
  return false;
}

Status EmbeddedRedis::start() {
  if (socket().size() > max_socket_path) {
    return Error::invalid("relay.state_dir: the path of its Redis socket has more than 107 octets: " + socket());
  }
  if (alive()) {
    if (!wait_until_ready()) {
      return Error::temporary("a redis-server of an earlier start lives, but does not answer; see " + state_dir_ +
                              "/redis/redis.log");
    }
    log_.info("redis.adopted", {{"socket", socket()}});
    // Its limit is the one of the earlier start.
    auto limited = client(socket()).command({"CONFIG", "SET", "maxmemory", std::to_string(maxmemory_)});
    if (!limited) log_.failure("redis.maxmemory_not_set", limited.error());
  } else {
    if (auto launched = launch(); !launched) return launched;
    if (!wait_until_ready()) {
      const std::string hint = "; see " + state_dir_ + "/redis/redis.log";
      if (child_ <= 0) return Error::invalid("redis-server does not start" + hint);
      end_child();
      return Error::temporary("redis-server does not answer" + hint);
    }
    log_.info("redis.started", {{"socket", socket()}, {"pid", child_}});
  }
  supervisor_ = std::thread([this] { supervise(); });
  return {};
}

/// Brings the server back after it died, with growing pauses: with a full disk it dies again and again.
void EmbeddedRedis::supervise() {
  milliseconds pause = first_pause;
  auto started = steady_clock::now();
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, alive_interval, [this] { return stopping_; })) {
    lock.unlock();
    // An adopted server is nobody's child here: only its lock tells.
    const bool dead = child_ > 0 ? waitpid(child_, nullptr, WNOHANG) == child_ : !alive();
    if (dead) {
      child_ = -1;
      log_.error("redis.died", {{"restart_in_ms", pause.count()}});
      if (steady_clock::now() - started > stable_after) pause = first_pause;
      lock.lock();
      if (wake_.wait_for(lock, pause, [this] { return stopping_; })) return;
      lock.unlock();
      pause = std::min(pause * 2, longest_pause);
      started = steady_clock::now();
      if (auto launched = launch(); !launched) log_.failure("redis.restart_failed", launched.error());
      if (child_ > 0 && wait_until_ready()) log_.info("redis.restarted", {{"pid", child_}});
    }
    lock.lock();
  }
}

void EmbeddedRedis::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  wake_.notify_all();
  if (!supervisor_.joinable()) return;
  supervisor_.join();
  auto redis = client(socket());
  // SHUTDOWN closes the connection instead of answering: an error here is how success looks.
  [[maybe_unused]] const auto ended = redis.command({"SHUTDOWN", "NOSAVE"});
  wait_until_gone(stop_timeout);
  end_child();
}

/// What it has acknowledged is on disk, so that even the last means loses nothing.
void EmbeddedRedis::end_child() {
  for (const int signal : {SIGTERM, SIGKILL}) {
    if (child_ <= 0) break;
    log_.warning("redis.terminated", {{"pid", child_}, {"signal", signal}});
    ::kill(child_, signal);
    wait_until_gone(term_timeout);
  }
}

void EmbeddedRedis::wait_until_gone(std::chrono::seconds limit) {
  const auto deadline = steady_clock::now() + limit;
  while (steady_clock::now() < deadline) {
    if (child_ > 0 && waitpid(child_, nullptr, WNOHANG) == child_) child_ = -1;
    if (child_ <= 0 && !alive()) return;
    std::this_thread::sleep_for(milliseconds(5));
  }
}

}  // namespace sealpost
