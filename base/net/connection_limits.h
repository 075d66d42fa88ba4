// SPDX-License-Identifier: Apache-2.0
// Counts a loop's connections, in all and per network. Used by the loop's thread; total() by any.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <unordered_map>

namespace sealpost::net {

class ConnectionLimits final {
 public:
  /// Counts one more, unless that would be more than either limit.
  [[nodiscard]] bool admit(const std::string& network, std::size_t max_total, std::size_t max_of_network);
  void release(const std::string& network);
  [[nodiscard]] std::size_t total() const { return total_; }

 private:
  std::atomic<std::size_t> total_{0};
  std::unordered_map<std::string, std::size_t> by_network_;
};

}  // namespace sealpost::net
