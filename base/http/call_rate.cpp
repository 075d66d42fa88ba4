// SPDX-License-Identifier: Apache-2.0
// Implements call_rate.h.
#include "base/http/call_rate.h"

#include <algorithm>

namespace sealpost::http {

CallRate::Standing CallRate::take(const std::string& account, std::chrono::steady_clock::time_point now) {
  const std::lock_guard lock(mutex_);
  Window& window = windows_.try_emplace(account, Window{now, 0, 0}).first->second;
  if (now - window.begun >= window_) {
    window.begun = now;
    window.calls = 0;
  }
  Standing standing;
  standing.crowded = window.at_once >= at_once_;
  standing.allowed = !standing.crowded && (limit_ == 0 || window.calls < limit_);
  if (standing.allowed) {
    ++window.calls;
    ++window.at_once;
    standing.in_hand = std::shared_ptr<void>(nullptr, [this, account](void*) { done(account); });
  }
  standing.limit = limit_;
  standing.left = limit_ - std::min(window.calls, limit_);
  standing.window = std::chrono::ceil<std::chrono::seconds>(window_);
  standing.over_in = std::chrono::ceil<std::chrono::seconds>(window.begun + window_ - now);
  return standing;
}

void CallRate::done(const std::string& account) {
  const std::lock_guard lock(mutex_);
  --windows_[account].at_once;
}

std::vector<std::pair<std::string, std::string>> CallRate::Standing::fields() const {
  std::vector<std::pair<std::string, std::string>> all;
  const std::string seconds = std::to_string(over_in.count());
  if (limit > 0) {
    all = {{"RateLimit-Policy", "\"account\";q=" + std::to_string(limit) + ";w=" + std::to_string(window.count())},
           {"RateLimit", "\"account\";r=" + std::to_string(left) + ";t=" + seconds}};
  }
  if (!allowed) all.emplace_back("Retry-After", crowded ? "1" : seconds);
  return all;
}

}  // namespace sealpost::http
