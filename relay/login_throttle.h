// SPDX-License-Identifier: Apache-2.0
// Makes guessing slow: how long the answer to a failed login is held back, by account and by client network, in this process.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>

namespace sealpost {

class LoginThrottle final {
 public:
  /// Counts a failure and returns the delay of its answer: doubling from a quarter of a second to 30 seconds.
  std::chrono::milliseconds failed(const std::string& account, const std::string& network);
  /// Forgets the failures of both: whoever knows the password is not the one who guesses.
  void succeeded(const std::string& account, const std::string& network);

 private:
  struct Failures {
    unsigned count = 0;
    std::chrono::steady_clock::time_point last;
  };
  unsigned count(const std::string& key, std::chrono::steady_clock::time_point now);
  std::mutex mutex_;
  std::unordered_map<std::string, Failures> failures_;
};

}  // namespace sealpost
