// SPDX-License-Identifier: Apache-2.0
// sealpostctl asks for a password at a terminal: what is typed is not shown, and the terminal shows again what is typed
// whether the program ends, is interrupted, or is stopped and goes on.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>

#include "tests/e2e/relay_fixture.h"
#include "tests/support/build.h"
#include "tests/support/eventually.h"
#include "tests/support/terminal.h"

namespace sealpost::test {
namespace {

class PasswordPrompt : public testing::Test {
 protected:
  static void SetUpTestSuite() { relay_ = new RelayFixture(); }
  static void TearDownTestSuite() { delete relay_; }
#if defined(__SANITIZE_THREAD__)
  void SetUp() override {
    GTEST_SKIP() << "TSan keeps a signal back until libc's own read returns, which here is never";
  }
#endif
  static std::vector<std::string> add(const std::string& name) {
    return {program("sealpostctl"), "--config", relay_->config(), "account", "add", name, "--send-as", "@example.com"};
  }
  static RelayFixture* relay_;
};
RelayFixture* PasswordPrompt::relay_ = nullptr;

TEST_F(PasswordPrompt, InterruptedLeavesTheTerminalAsItWas) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    Terminal terminal(add("crm"));
    ASSERT_NE(terminal.shown("Password: ").find("Password: "), std::string::npos);
    ASSERT_FALSE(terminal.shows_typing());
    if (number == SIGINT) {
      terminal.type("\x03");
    } else {
      ::kill(terminal.job(), number);
    }
    const int status = terminal.next_status();
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == number) << "status " << status;
    EXPECT_TRUE(terminal.shows_typing()) << "after signal " << number;
  }
  EXPECT_EQ(relay_->ctl({"account", "list"}).out.find("crm"), std::string::npos);
}

TEST_F(PasswordPrompt, StoppedShowsTypingUntilItGoesOn) {
  Terminal terminal(add("stopped"));
  ASSERT_NE(terminal.shown("Password: ").find("Password: "), std::string::npos);
  terminal.type("\x1a");
  ASSERT_TRUE(WIFSTOPPED(terminal.next_status()));
  EXPECT_TRUE(terminal.shows_typing());
  ::kill(terminal.job(), SIGCONT);
  ASSERT_TRUE(eventually([&] { return !terminal.shows_typing(); }));
  terminal.type("battery-staple\n");
  ASSERT_NE(terminal.shown("Again: ").find("Again: "), std::string::npos);
  terminal.type("battery-staple\n");
  const int status = terminal.next_status();
  const std::string screen = terminal.shown("added");
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << screen;
  EXPECT_TRUE(terminal.shows_typing());
  EXPECT_EQ(screen.find("battery"), std::string::npos) << screen;
}

}  // namespace
}  // namespace sealpost::test
