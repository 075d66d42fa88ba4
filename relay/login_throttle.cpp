// SPDX-License-Identifier: Apache-2.0
// Implements login_throttle.h.
#include "relay/login_throttle.h"

#include <algorithm>

namespace sealpost {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds first_delay{250};
constexpr milliseconds longest_delay{30'000};
constexpr std::chrono::minutes forgotten_after{15};
constexpr std::size_t max_entries = 100'000;
constexpr unsigned max_doublings = 7;

}  // namespace

unsigned LoginThrottle::count(const std::string& key, steady_clock::time_point now) {
  auto& entry = failures_[key];
  if (now - entry.last > forgotten_after) entry.count = 0;
  entry.last = now;
  return ++entry.count;
}

milliseconds LoginThrottle::failed(const std::string& account, const std::string& network) {
  const auto now = steady_clock::now();
  const std::lock_guard lock(mutex_);
  if (failures_.size() >= max_entries) {
    std::erase_if(failures_, [&](const auto& entry) { return now - entry.second.last > forgotten_after; });
    if (failures_.size() >= max_entries) failures_.clear();
  }
  const unsigned worst = std::max(count("a" + account, now), count("n" + network, now));
  return std::min(longest_delay, first_delay * (1U << std::min(worst - 1, max_doublings)));
}

void LoginThrottle::succeeded(const std::string& account, const std::string& network) {
  const std::lock_guard lock(mutex_);
  failures_.erase("a" + account);
  failures_.erase("n" + network);
}

}  // namespace sealpost
