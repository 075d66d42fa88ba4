// SPDX-License-Identifier: Apache-2.0
// Idle strangers may take the connections that there are, never the descriptors that deliveries need.
#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/build.h"
#include "tests/support/raw_client.h"

namespace sealpost::test {
namespace {

/// The relay of the fixture once more, with a limit of open files.
class LimitedRelay final {
 public:
  LimitedRelay(const RelayFixture& fixture, const std::string& soft, const std::string& hard)
      : process_({"sh", "-c", "ulimit -Sn " + soft + " && ulimit -Hn " + hard + " && exec \"$0\" --config \"$1\"",
                  program("sealpostd"), fixture.config()}),
        log_(process_.wait_for(" ready ", std::chrono::seconds(60))) {}

  Process& process() { return process_; }
  [[nodiscard]] const std::string& log() const { return log_; }
  [[nodiscard]] int port(const std::string& service) const {
    const std::string mark = "service=" + service + " port=";
    return std::stoi(log_.substr(log_.find(mark) + mark.size()));
  }

 private:
  Process process_;
  std::string log_;
};

TEST(Descriptors, DeliveriesKeepTheirsWhileStrangersTakeAllConnections) {
  RelayFixture relay(RelayFixture::Settings{{"smtp.max_connections_per_client", "1000"}});
  ASSERT_EQ(relay.stop(), 0);
  LimitedRelay limited(relay, "200", "200");
  ASSERT_NE(limited.log().find("descriptors.few"), std::string::npos) << limited.log();
  EXPECT_NE(limited.log().find("smtp.max_connections"), std::string::npos) << "the warning names the setting";

  auto sender = Submitter::logged_in(limited.port("smtps"));
  std::vector<std::unique_ptr<RawClient>> strangers;
  std::string greeting;
  while (strangers.size() < 300) {
    strangers.push_back(std::make_unique<RawClient>(static_cast<std::uint16_t>(limited.port("smtp"))));
    greeting = strangers.back()->read_line();
    if (!greeting.starts_with("220")) break;
  }
  EXPECT_EQ(greeting.substr(0, 9), "421 4.7.0") << "told, not left waiting";
  EXPECT_EQ(sender.submit("alice@example.com", {"bob@example.net"}, message("x", "text")).substr(0, 9), "250 2.6.0");
  EXPECT_EQ(relay.sealed_mail("bob@example.net", 1).size(), 1U);
  EXPECT_EQ(limited.process().output().find("Too many open files"), std::string::npos);
  limited.process().signal(SIGTERM);
  EXPECT_EQ(limited.process().wait(std::chrono::seconds(60)), 0);
}

TEST(Descriptors, TheSoftLimitIsRaisedAtTheStart) {
  RelayFixture relay;
  ASSERT_EQ(relay.stop(), 0);
  LimitedRelay limited(relay, "100", "10000");
  const std::string limits = read_file("/proc/" + std::to_string(limited.process().pid()) + "/limits");
  const auto row = limits.substr(limits.find("Max open files"));
  EXPECT_EQ(row.substr(0, row.find('\n')).find(" 100 "), std::string::npos) << row;
  EXPECT_EQ(limited.log().find("descriptors.few"), std::string::npos);
  limited.process().signal(SIGTERM);
  EXPECT_EQ(limited.process().wait(std::chrono::seconds(60)), 0);
}

}  // namespace
}  // namespace sealpost::test
