// SPDX-License-Identifier: Apache-2.0
// Real programs as tests use them: run one to its end, or keep one running and wait for what it prints. Everything
// started is ended by process id.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sealpost::test {

struct Finished {
  int status = -1;  ///< exit code, or 128 + signal
  std::string out;
  std::string err;
};

/// Runs argv (looked up in PATH) with the given input and environment additions; ends it by SIGKILL after the timeout.
Finished run(const std::vector<std::string>& argv, const std::string& input = {},
             const std::map<std::string, std::string>& environment = {},
             std::chrono::seconds timeout = std::chrono::seconds(60));

/// A program in the background; SIGKILLed by the destructor if it still runs. Its standard output and error are
/// gathered.
class Process final {
 public:
  explicit Process(const std::vector<std::string>& argv, const std::map<std::string, std::string>& environment = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// Exit code (128 + signal), or -1 when it still runs after the timeout.
  int wait(std::chrono::milliseconds timeout = std::chrono::seconds(30));
  /// All output so far (standard output and error as they came).
  std::string output();
  /// Waits until the output holds `text`; returns the whole output, or an empty string on time-out or exit without it.
  std::string wait_for(const std::string& text, std::chrono::milliseconds timeout = std::chrono::seconds(30));

 private:
  void gather();
  pid_t pid_ = -1;
  int pipe_ = -1;
  int status_ = -1;
  bool reaped_ = false;
  bool ended_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string output_;
  std::thread reader_;
};

/// A loopback port that was free a moment ago; for servers that cannot take port 0 themselves.
int free_port();

}  // namespace sealpost::test
