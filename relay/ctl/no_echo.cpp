// SPDX-License-Identifier: Apache-2.0
// Implements no_echo.h. A signal's handler can reach static data only, hence the variables beside the class.
#include "relay/ctl/no_echo.h"

#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace sealpost::ctl {
namespace {

/// Those that end or stop a program by default.
constexpr std::array caught = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP};
std::array<struct sigaction, caught.size()> found_actions;
termios shown;
termios hidden;

/// Restores the terminal, then lets the signal do what it does by default. A stopped program comes back here when it
/// goes on. Calls only what POSIX allows in a handler.
void restore_and_obey(int number) {
  const int error = errno;
  tcsetattr(STDIN_FILENO, TCSANOW, &shown);
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  struct sigaction ours {};
  sigaction(number, &by_default, &ours);
  sigset_t this_one;
  sigemptyset(&this_one);
  sigaddset(&this_one, number);
  static_cast<void>(raise(number));
  pthread_sigmask(SIG_UNBLOCK, &this_one, nullptr);
  pthread_sigmask(SIG_BLOCK, &this_one, nullptr);
  sigaction(number, &ours, nullptr);
  tcsetattr(STDIN_FILENO, TCSANOW, &hidden);
  errno = error;
}

}  // namespace

NoEcho::NoEcho() {
  active_ = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &shown) == 0;
  if (!active_) return;
  hidden = shown;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  struct sigaction ours {};
  ours.sa_handler = restore_and_obey;
  ours.sa_flags = SA_RESTART;
  for (const int number : caught) sigaddset(&ours.sa_mask, number);
  for (std::size_t i = 0; i < caught.size(); ++i) {
    sigaction(caught[i], nullptr, &found_actions[i]);
    // Who started us with a signal ignored (nohup) wants it to stay so.
    if (found_actions[i].sa_handler != SIG_IGN) sigaction(caught[i], &ours, nullptr);
  }
  tcsetattr(STDIN_FILENO, TCSANOW, &hidden);
}

NoEcho::~NoEcho() {
  if (!active_) return;
  tcsetattr(STDIN_FILENO, TCSANOW, &shown);
  for (std::size_t i = 0; i < caught.size(); ++i) sigaction(caught[i], &found_actions[i], nullptr);
}

}  // namespace sealpost::ctl
