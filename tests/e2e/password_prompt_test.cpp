// SPDX-License-Identifier: Apache-2.0
// sealpostctl asks for a password at a terminal: what is typed is not shown, and the terminal shows again what is typed
// whether the program ends, is interrupted, or is stopped and goes on.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <functional>

#include "tests/e2e/relay_fixture.h"
#include "tests/support/build.h"

namespace sealpost::test {
namespace {

constexpr std::chrono::seconds patience{30};

/// A terminal with a program in its foreground, and the little of a shell that job control needs: without one,
/// SIGTSTP stops nobody.
class Terminal final {
 public:
  explicit Terminal(std::vector<std::string> argv) {
    std::vector<char*> words;
    for (auto& word : argv) words.push_back(word.data());
    words.push_back(nullptr);
    if (openpty(&screen_, &line_, nullptr, nullptr, nullptr) != 0 || pipe2(news_.data(), O_CLOEXEC) != 0) return;
    shell_ = fork();
    if (shell_ == 0) run_shell(words.data());
    static_cast<void>(next(job_));
  }
  ~Terminal() {
    if (job_ > 0) ::kill(job_, SIGKILL);
    if (shell_ > 0) waitpid(shell_, nullptr, 0);
    for (const int descriptor : {screen_, line_, news_[0], news_[1]}) ::close(descriptor);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] pid_t job() const { return job_; }
  void type(const std::string& keys) const {
    EXPECT_EQ(write(screen_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  /// What waitpid says of the program when it next stops or ends; -1 when it does neither.
  int next_status() {
    int status = -1;
    return next(status) ? status : -1;
  }
  [[nodiscard]] bool shows_typing() const {
    termios now{};
    return tcgetattr(line_, &now) == 0 && (now.c_lflag & ECHO) != 0;
  }
  /// All that the screen shows, once it holds the text.
  std::string shown(const std::string& text) {
    while (screen_text_.find(text) == std::string::npos) {
      pollfd polled{screen_, POLLIN, 0};
      std::array<char, 1024> part{};
      if (poll(&polled, 1, std::chrono::milliseconds(patience).count()) != 1) break;
      const ssize_t count = read(screen_, part.data(), part.size());
      if (count <= 0) break;
      screen_text_.append(part.data(), static_cast<std::size_t>(count));
    }
    return screen_text_;
  }

 private:
  bool next(int& value) {
    pollfd polled{news_[0], POLLIN, 0};
    return poll(&polled, 1, std::chrono::milliseconds(patience).count()) == 1 &&
           read(news_[0], &value, sizeof(value)) == sizeof(value);
  }
  void tell(int value) const {
    if (write(news_[1], &value, sizeof(value)) != sizeof(value)) _exit(126);
  }
  [[noreturn]] void run_shell(char** argv) const {
    setsid();
    ioctl(line_, TIOCSCTTY, 0);
    for (const int descriptor : {0, 1, 2}) dup2(line_, descriptor);
    const pid_t job = fork();
    if (job == 0) {
      setpgid(0, 0);
      signal(SIGTTOU, SIG_IGN);  // the foreground is taken from the background
      tcsetpgrp(0, getpid());
      signal(SIGTTOU, SIG_DFL);
      execv(argv[0], argv);
      _exit(127);
    }
    tell(job);
    for (int status = 0; waitpid(job, &status, WUNTRACED) == job;) {
      tell(status);
      if (!WIFSTOPPED(status)) break;
    }
    _exit(0);
  }

  int screen_ = -1;
  int line_ = -1;
  std::array<int, 2> news_ = {-1, -1};
  pid_t shell_ = -1;
  pid_t job_ = -1;
  std::string screen_text_;
};

bool eventually(const std::function<bool()>& look) {
  for (const auto deadline = std::chrono::steady_clock::now() + patience;
       std::chrono::steady_clock::now() < deadline;) {
    if (look()) return true;
    poll(nullptr, 0, 10);
  }
  return false;
}

class PasswordPrompt : public testing::Test {
 protected:
  static void SetUpTestSuite() { relay_ = new RelayFixture(); }
  static void TearDownTestSuite() { delete relay_; }
  static std::vector<std::string> add(const std::string& name) {
    return {program("sealpostctl"), "--config", relay_->config(), "account", "add", name, "--send-as", "@example.com"};
  }
  static RelayFixture* relay_;
};
RelayFixture* PasswordPrompt::relay_ = nullptr;

TEST_F(PasswordPrompt, InterruptedLeavesTheTerminalAsItWas) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "TSan keeps a signal back until libc's own read returns, which here is never";
#endif
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
