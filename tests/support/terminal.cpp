// SPDX-License-Identifier: Apache-2.0
// Implements terminal.h by a pseudo-terminal.
#include "tests/support/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <csignal>

namespace sealpost::test {
namespace {

constexpr std::chrono::milliseconds patience{30'000};

std::size_t count_of(const std::string& text, const std::string& in) {
  std::size_t count = 0;
  for (auto at = in.find(text); at != std::string::npos; at = in.find(text, at + text.size())) ++count;
  return count;
}

}  // namespace

Terminal::Terminal(std::vector<std::string> argv) {
  std::vector<char*> words;
  for (auto& word : argv) words.push_back(word.data());
  words.push_back(nullptr);
  const winsize size{50, 200, 0, 0};
  if (openpty(&screen_, &line_, nullptr, nullptr, &size) != 0 || pipe2(news_.data(), O_CLOEXEC) != 0) return;
  shell_ = fork();
  if (shell_ == 0) run_shell(words.data());
  static_cast<void>(next(job_));
}

Terminal::~Terminal() {
  if (job_ > 0) ::kill(job_, SIGKILL);
  if (shell_ > 0) waitpid(shell_, nullptr, 0);
  for (const int descriptor : {screen_, line_, news_[0], news_[1]}) ::close(descriptor);
}

void Terminal::type(const std::string& keys) const {
  EXPECT_EQ(write(screen_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
}

int Terminal::next_status() {
  int status = -1;
  return next(status) ? status : -1;
}

bool Terminal::shows_typing() const {
  termios now{};
  return tcgetattr(line_, &now) == 0 && (now.c_lflag & ECHO) != 0;
}

std::string Terminal::shown(const std::string& text, std::size_t times) {
  while (count_of(text, screen_text_) < times) {
    pollfd polled{screen_, POLLIN, 0};
    std::array<char, 1024> part{};
    if (poll(&polled, 1, static_cast<int>(patience.count())) != 1) break;
    const ssize_t count = read(screen_, part.data(), part.size());
    if (count <= 0) break;
    screen_text_.append(part.data(), static_cast<std::size_t>(count));
  }
  return screen_text_;
}

bool Terminal::next(int& value) {
  pollfd polled{news_[0], POLLIN, 0};
  return poll(&polled, 1, static_cast<int>(patience.count())) == 1 &&
         read(news_[0], &value, sizeof(value)) == sizeof(value);
}

void Terminal::tell(int value) const {
  if (write(news_[1], &value, sizeof(value)) != sizeof(value)) _exit(126);
}

void Terminal::run_shell(char** argv) const {
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

}  // namespace sealpost::test
