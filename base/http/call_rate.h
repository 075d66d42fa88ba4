// SPDX-License-Identifier: Apache-2.0
// How often each account may call, in this process: a number of calls in a window of time, told to the caller
// (draft-ietf-httpapi-ratelimit-headers), and so many at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace sealpost::http {

class CallRate final {
 public:
  /// `limit` calls in each `window`; 0: no limit. `at_once` calls that are not answered yet.
  CallRate(std::size_t limit, std::chrono::milliseconds window, std::size_t at_once)
      : limit_(limit), window_(window), at_once_(at_once) {}

  struct Standing {
    bool allowed = true;
    std::size_t limit = 0;  ///< 0: there is none
    std::size_t left = 0;
    std::chrono::seconds window{};
    std::chrono::seconds over_in{};  ///< until the window ends, rounded up
    bool crowded = false;            ///< not allowed, since too many calls are not answered yet
    std::shared_ptr<void> in_hand;   ///< counts as one of them while it is kept

    /// RateLimit-Policy and RateLimit; Retry-After when the call is not allowed. Empty without a limit.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> fields() const;
  };
  /// Counts a call of an account that exists: as many rows are kept as there are accounts. Must outlive what it gives.
  Standing take(const std::string& account, std::chrono::steady_clock::time_point now);

 private:
  struct Window {
    std::chrono::steady_clock::time_point begun;
    std::size_t calls = 0;
    std::size_t at_once = 0;
  };
  void done(const std::string& account);

  std::size_t limit_;
  std::chrono::milliseconds window_;
  std::size_t at_once_;
  std::mutex mutex_;
  std::map<std::string, Window> windows_;
};

}  // namespace sealpost::http
