// SPDX-License-Identifier: Apache-2.0
// Implements call_rate.h.
#include "base/http/call_rate.h"

namespace sealpost::http {

CallRate::Standing CallRate::take(const std::string& account, std::chrono::steady_clock::time_point now) {
  if (limit_ == 0) return {};
  const std::lock_guard lock(mutex_);
  auto [row, fresh] = windows_.try_emplace(account, Window{now, 0});
  Window& window = row->second;
  if (now - window.begun >= window_) window = {now, 0};
  Standing standing;
  standing.allowed = window.calls < limit_;
  if (standing.allowed) ++window.calls;
  standing.limit = limit_;
  standing.left = limit_ - window.calls;
  standing.window = std::chrono::ceil<std::chrono::seconds>(window_);
  standing.over_in = std::chrono::ceil<std::chrono::seconds>(window.begun + window_ - now);
  return standing;
}

std::vector<std::pair<std::string, std::string>> CallRate::Standing::fields() const {
  if (limit == 0) return {};
  const std::string seconds = std::to_string(over_in.count());
  std::vector<std::pair<std::string, std::string>> all = {
      {"RateLimit-Policy", "\"account\";q=" + std::to_string(limit) + ";w=" + std::to_string(window.count())},
      {"RateLimit", "\"account\";r=" + std::to_string(left) + ";t=" + seconds}};
  if (!allowed) all.emplace_back("Retry-After", seconds);
  return all;
}

}  // namespace sealpost::http
