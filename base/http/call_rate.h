// SPDX-License-Identifier: Apache-2.0
// How often each account may call, in this process: a number of calls in a window of time, told to the caller
// (draft-ietf-httpapi-ratelimit-headers).
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace sealpost::http {

class CallRate final {
 public:
  /// `limit` calls in each `window`; 0: no limit.
  CallRate(std::size_t limit, std::chrono::milliseconds window) : limit_(limit), window_(window) {}

  struct Standing {
    bool allowed = true;
    std::size_t limit = 0;  ///< 0: there is none
    std::size_t left = 0;
    std::chrono::seconds window{};
    std::chrono::seconds over_in{};  ///< until the window ends, rounded up

    /// RateLimit-Policy and RateLimit; Retry-After when the call is not allowed. Empty without a limit.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> fields() const;
  };
  /// Counts a call of an account that exists: as many rows are kept as there are accounts.
  Standing take(const std::string& account, std::chrono::steady_clock::time_point now);

 private:
  struct Window {
    std::chrono::steady_clock::time_point begun;
    std::size_t calls = 0;
  };
  std::size_t limit_;
  std::chrono::milliseconds window_;
  std::mutex mutex_;
  std::map<std::string, Window> windows_;
};

}  // namespace sealpost::http
