// SPDX-License-Identifier: Apache-2.0
// Implements permits.h.
#include "queue/permits.h"

#include <algorithm>
#include <vector>

#include "queue/keys.h"
#include "queue/scripts.h"

namespace sealpost {
namespace {

/// Long enough for a few renewals that fail; then a node that died holds nobody up.
constexpr const char* lease_seconds = "60";

}  // namespace

Result<Permits::Counts> Permits::ask(const Counts& wanted) {
  std::vector<redis::Client::Call> calls;
  for (const auto& [destination, count] : wanted) {
    calls.push_back(
        {{queue_keys::permits(destination)}, {holder_, std::to_string(count), std::to_string(limit_), lease_seconds}});
  }
  if (calls.empty()) return Counts{};
  auto replies = redis_.run_all(queue_scripts::permits(), calls);
  if (!replies) return replies.error();
  Counts granted;
  std::size_t row = 0;
  for (const auto& [destination, count] : wanted) {
    const auto number = static_cast<std::size_t>(std::max<std::int64_t>(0, (*replies)[row++].integer()));
    granted[destination] = number;
    if (number > 0) {
      held_[destination] = number;
    } else {
      held_.erase(destination);
    }
  }
  return granted;
}

Result<Permits::Counts> Permits::hold(const Counts& wanted) {
  const std::lock_guard lock(mutex_);
  Counts enough;
  Counts missing;
  for (const auto& [destination, count] : wanted) {
    const auto found = held_.find(destination);
    if (found != held_.end() && found->second >= count) {
      enough.insert(*found);
    } else {
      missing.emplace(destination, count);
    }
  }
  auto granted = ask(missing);
  if (granted) granted->merge(enough);
  return granted;
}

Status Permits::renew(const std::function<Counts()>& in_use) {
  const std::lock_guard lock(mutex_);
  Counts wanted = in_use();
  for (const auto& [destination, count] : held_) wanted.try_emplace(destination, 0);
  auto granted = ask(wanted);
  return granted ? Status() : Status(granted.error());
}

}  // namespace sealpost
