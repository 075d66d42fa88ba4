// SPDX-License-Identifier: Apache-2.0
// A terminal with a program in its foreground, and the little of a shell that job control needs: without one, SIGTSTP
// stops nobody. All waits end after 30 s.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace sealpost::test {

class Terminal final {
 public:
  /// argv[0] is a path. The terminal has 50 lines of 200 columns.
  explicit Terminal(std::vector<std::string> argv);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] pid_t job() const { return job_; }
  void type(const std::string& keys) const;
  /// What waitpid says of the program when it next stops or ends; -1 when it does neither.
  int next_status();
  [[nodiscard]] bool shows_typing() const;
  /// All that the screen was told, once that holds the text so many times.
  std::string shown(const std::string& text, std::size_t times = 1);

 private:
  bool next(int& value);
  void tell(int value) const;
  [[noreturn]] void run_shell(char** argv) const;

  int screen_ = -1;
  int line_ = -1;
  std::array<int, 2> news_ = {-1, -1};
  pid_t shell_ = -1;
  pid_t job_ = -1;
  std::string screen_text_;
};

}  // namespace sealpost::test
