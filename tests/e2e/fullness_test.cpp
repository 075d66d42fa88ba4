// SPDX-License-Identifier: Apache-2.0
// A store that fills up: 452 in time and nothing accepted that is not durable, readiness that says why, and mail again
// once there is room.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <thread>

#include "queue/durability.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"

namespace sealpost::test {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

/// Repeats `look` until it holds.
bool eventually(const std::function<bool()>& look, seconds timeout = seconds(90)) {
  for (const auto deadline = steady_clock::now() + timeout; steady_clock::now() < deadline;) {
    if (look()) return true;
    poll(nullptr, 0, 10);
  }
  return false;
}

/// No delivery succeeds while this stands where the maildir should be.
class BlockedMaildir final {
 public:
  explicit BlockedMaildir(const RelayFixture& relay) : path_(relay.directory() / "mail") { std::ofstream file(path_); }
  void open() const { std::filesystem::remove(path_); }

 private:
  std::string path_;
};

/// Keys that are not the relay's, as many as it takes to that part of maxmemory.
class Filler final {
 public:
  explicit Filler(const RelayFixture& relay) : redis_(relay.redis_endpoint(), seconds(5)) {}
  void fill_to(std::uint64_t percent) {
    for (; 100 * read_memory(redis_).value().used < percent * read_memory(redis_).value().limit; ++keys_) {
      ASSERT_TRUE(redis_.command({"SET", "filler" + std::to_string(keys_), std::string(100'000, 'x')}));
    }
  }
  void empty() {
    while (keys_ > 0) ASSERT_TRUE(redis_.command({"DEL", "filler" + std::to_string(--keys_)}));
  }

 private:
  redis::Client redis_;
  int keys_ = 0;
};

/// A whole message on a connection of its own; the reply that ended it.
std::string submit_once(const RelayFixture& relay, const std::string& text = message("x", "y")) {
  try {
    return Submitter::logged_in(relay).submit("alice@example.com", {"bob@example.net"}, text);
  } catch (const std::runtime_error& why) {
    return why.what();  // 454 while Redis is away
  }
}

TEST(FullRedis, IsAnswered452DrainsAndTakesMailAgain) {
  RelayFixture relay(RelayFixture::Settings{{"redis.maxmemory", "12m"}, {"delivery.retry", "1s"}});
  const BlockedMaildir blocked(relay);
  const std::string large = message(
      "x", std::string(2000, 'x') + [] {
        std::string lines;
        for (int i = 0; i < 2000; ++i) lines += "\r\n" + std::string(78, 'x');
        return lines;
      }());
  std::size_t accepted = 0;
  std::string answer;
  {
    auto sender = Submitter::logged_in(relay);
    while (accepted < 500) {
      answer = sender.submit("alice@example.com", {"bob@example.net"}, large);
      if (!answer.starts_with("250")) break;
      ++accepted;
    }
  }
  EXPECT_GT(accepted, 10U);
  EXPECT_EQ(answer.substr(0, 9), "452 4.3.1") << answer;
  // What the connection's buffers took is given back by now, and the queue may stand a little below the mark again.
  Filler filler(relay);
  filler.fill_to(85);
  EXPECT_TRUE(eventually([&] { return relay.http("GET", "/readyz").status == 503; }));
  EXPECT_EQ(submit_once(relay).substr(0, 9), "452 4.3.1") << "small mail, too";
  const auto full = relay.http("GET", "/readyz");
  EXPECT_EQ(full.status, 503);
  EXPECT_NE(full.body.find("80 % of maxmemory"), std::string::npos) << full.body;

  filler.empty();
  blocked.open();
  EXPECT_EQ(relay.sealed_mail("bob@example.net", accepted).size(), accepted) << "all that was accepted, and no more";
  EXPECT_TRUE(eventually([&] { return relay.http("GET", "/readyz").status == 200; }));
  EXPECT_EQ(submit_once(relay).substr(0, 3), "250");
  EXPECT_EQ(relay.sealed_mail("bob@example.net", accepted + 1).size(), accepted + 1);

  // History makes room for mail: above half of maxmemory finished records go within seconds.
  filler.fill_to(60);
  EXPECT_TRUE(eventually([&] {
    return relay.ctl({"queue", "summary"}).out.find("\ndelivered: 0\n") != std::string::npos;
  }));
  EXPECT_EQ(relay.http("GET", "/readyz").status, 200);
}

TEST(FullRedis, TakesSmallMailAtOnceAfterLargeMailWasRefused) {
  const RelayFixture relay(RelayFixture::Settings{{"redis.maxmemory", "24m"}});
  std::string text;
  while (text.size() < 8'000'000) text += std::string(78, 'x') + "\r\n";
  const std::string large = message("x", text);
  std::array<std::string, 5> answers;
  {
    std::vector<std::jthread> senders;
    for (auto& answer : answers) senders.emplace_back([&] { answer = submit_once(relay, large); });
  }
  std::size_t accepted = 0;
  for (const auto& answer : answers) {
    EXPECT_TRUE(answer.starts_with("250") || answer.starts_with("452 4.3.1")) << answer;
    accepted += answer.starts_with("250") ? 1 : 0;
  }
  EXPECT_GT(accepted, 0U) << "one fits";
  EXPECT_LT(accepted, answers.size());
  redis::Client redis(relay.redis_endpoint(), seconds(5));
  // What was accepted is delivered; of what was refused nothing is left.
  EXPECT_TRUE(eventually([&] { return redis.command({"KEYS", "queue:*:body:*"}).value().size() == 0; }, seconds(60)));
  EXPECT_TRUE(eventually([&] { return submit_once(relay).starts_with("250"); }, seconds(60)));
  EXPECT_EQ(relay.http("GET", "/readyz").status, 200);
}

/// A small file system that only the calling thread and what it starts can see.
class SmallDisk final {
 public:
  /// Nothing when the kernel does not let us.
  static std::optional<SmallDisk> mount_at(const std::string& folder, const std::string& size) {
    if (unshare(CLONE_NEWNS) != 0) return std::nullopt;
    if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return std::nullopt;
    if (mount("tmpfs", folder.c_str(), "tmpfs", 0, ("size=" + size).c_str()) != 0) return std::nullopt;
    return SmallDisk(folder);
  }
  /// Leaves so many octets; Redis may take some of them in the middle of it.
  void fill(std::uint64_t left) const {
    std::filesystem::remove(ballast());
    const int file = ::open(ballast().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const auto taken = [&] {
      const auto available = std::filesystem::space(folder_).available;
      return available <= left || posix_fallocate(file, 0, static_cast<off_t>(available - left)) == 0;
    };
    EXPECT_TRUE(eventually(taken));
    close(file);
  }
  void make_room() const { std::filesystem::remove(ballast()); }

 private:
  explicit SmallDisk(std::string folder) : folder_(std::move(folder)) {}
  [[nodiscard]] std::string ballast() const { return folder_ + "/ballast"; }
  std::string folder_;
};

void fill_disk_and_recover(const SmallDisk& disk) {
  RelayFixture relay(RelayFixture::Settings{{"delivery.retry", "1s"}});
  const BlockedMaildir blocked(relay);
  ASSERT_EQ(submit_once(relay).substr(0, 3), "250");
  ASSERT_EQ(relay.http("GET", "/readyz").status, 200);

  disk.fill(40U << 20U);  // below the reserve of 64 MB
  ASSERT_TRUE(eventually([&] { return relay.http("GET", "/readyz").status == 503; }));
  EXPECT_NE(relay.http("GET", "/readyz").body.find("disk"), std::string::npos);
  EXPECT_EQ(submit_once(relay).substr(0, 9), "452 4.3.1");
  disk.make_room();
  ASSERT_TRUE(eventually([&] { return relay.http("GET", "/readyz").status == 200; }));
  ASSERT_EQ(submit_once(relay).substr(0, 3), "250");

  disk.fill(0);
  ASSERT_TRUE(eventually([&] { return relay.log().find("redis.died") != std::string::npos; })) << "short write";
  EXPECT_NE(submit_once(relay).substr(0, 3), "250");
  EXPECT_EQ(relay.http("GET", "/readyz").status, 503);
  disk.make_room();
  ASSERT_TRUE(eventually([&] { return relay.http("GET", "/readyz").status == 200; })) << relay.log();
  ASSERT_TRUE(eventually([&] { return submit_once(relay).starts_with("250"); }));
  blocked.open();
  EXPECT_EQ(relay.sealed_mail("bob@example.net", 3).size(), 3U) << "all that was accepted";
}

/// As root the test mounts for itself; as anybody else it runs itself again as the root of a namespace.
TEST(FullDisk, IsAnswered452AndLosesNothingWhenRedisDiesOfIt) {
  if (geteuid() != 0) {
    if (run({"unshare", "-rm", "true"}).status != 0) GTEST_SKIP() << "mount namespaces are not permitted here";
    const std::string self = std::filesystem::read_symlink("/proc/self/exe");
    const auto inside = run({"unshare", "-rm", self, "--gtest_filter=FullDisk.*"}, {}, {}, seconds(280));
    EXPECT_EQ(inside.status, 0) << inside.out << inside.err;
    return;
  }
  const TempDir folder;
  bool mounted = false;
  std::thread([&] {
    const auto disk = SmallDisk::mount_at(folder.path().string(), "160m");
    mounted = disk.has_value();
    if (!mounted) return;
    const char* before = std::getenv("TMPDIR");
    const std::string restored = before == nullptr ? "/tmp" : before;
    setenv("TMPDIR", folder.path().c_str(), 1);  // where the fixture makes its folders
    fill_disk_and_recover(*disk);
    setenv("TMPDIR", restored.c_str(), 1);
  }).join();
  if (!mounted) GTEST_SKIP() << "mount namespaces are not permitted here";
}

}  // namespace
}  // namespace sealpost::test
