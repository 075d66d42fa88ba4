// SPDX-License-Identifier: Apache-2.0
// A relay that runs as a user of its own, and root beside it: the operator's tool works and leaves no file that the
// relay cannot use; a relay started as root by mistake does not either.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "tests/support/build.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {
namespace {

constexpr uid_t service_user = 65534;

class OtherUser : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can start a program as another user";
    ASSERT_EQ(chown(dir.path().c_str(), service_user, service_user), 0);
    config = dir.write("sealpost.conf",
                       "[relay]\nstate_dir = " + state_dir() +
                           "\n[smtp]\nlisten = 127.0.0.1:0\nlisten_tls = off\n[http]\nlisten = off\n[redis]\n"
                           "maxmemory = 256m\n[keys]\npool_size = 1\n[delivery]\nroute = maildir:" +
                           (dir / "mail") + "\n",
                       0644);
  }
  [[nodiscard]] std::string state_dir() const { return dir / "state"; }
  [[nodiscard]] std::vector<std::string> as_service() const {
    const std::string user = std::to_string(service_user);
    return {"setpriv", "--reuid=" + user, "--regid=" + user, "--clear-groups", program("sealpostd"), "--config",
            config};
  }
  [[nodiscard]] Finished ctl(std::vector<std::string> arguments, const std::string& input = {}) const {
    arguments.insert(arguments.begin(), {program("sealpostctl"), "--config", config});
    return run(arguments, input);
  }
  void expect_all_the_services() const {
    std::size_t seen = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(state_dir())) {
      struct stat facts {};
      if (lstat(entry.path().c_str(), &facts) != 0) continue;  // a file of Redis' that is gone again
      EXPECT_EQ(facts.st_uid, service_user) << entry.path();
      ++seen;
    }
    EXPECT_GT(seen, 3U);
  }

  const TempDir dir;
  std::string config;
};

TEST_F(OtherUser, RootOperatesTheRelayAndLeavesNothingBehind) {
  Process relay(as_service());
  ASSERT_FALSE(relay.wait_for(" ready ", std::chrono::seconds(60)).empty()) << relay.output();
  const auto added = ctl({"account", "add", "crm", "--send-as", "@example.com", "--password-stdin"}, "long enough\n");
  EXPECT_EQ(added.status, 0) << added.err;
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"account", "list"}, {"key", "pool", "fill", "2"}, {"queue", "summary"}}) {
    const auto ran = ctl(command);
    EXPECT_EQ(ran.status, 0) << command[0] << ": " << ran.err;
  }
  const auto checked = ctl({"check"});
  EXPECT_EQ(checked.out.find("master key: "), std::string::npos) << checked.out;
  EXPECT_EQ(checked.out.find("redis: "), std::string::npos) << checked.out;
  expect_all_the_services();
  relay.signal(SIGTERM);
  EXPECT_EQ(relay.wait(std::chrono::seconds(60)), 0) << relay.output();
}

TEST_F(OtherUser, ARelayStartedAsRootStopsBeforeItTouchesTheServicesFiles) {
  {
    Process relay(as_service());
    ASSERT_FALSE(relay.wait_for(" ready ", std::chrono::seconds(60)).empty()) << relay.output();
    relay.signal(SIGTERM);
    ASSERT_EQ(relay.wait(std::chrono::seconds(60)), 0);
  }
  const auto by_root = run({program("sealpostd"), "--config", config});
  EXPECT_EQ(by_root.status, 78);
  EXPECT_NE(by_root.err.find(state_dir() + ": belongs to another user"), std::string::npos) << by_root.err;
  expect_all_the_services();
  Process again(as_service());
  EXPECT_FALSE(again.wait_for(" ready ", std::chrono::seconds(60)).empty()) << again.output();
  again.signal(SIGTERM);
  EXPECT_EQ(again.wait(std::chrono::seconds(60)), 0);
}

}  // namespace
}  // namespace sealpost::test
