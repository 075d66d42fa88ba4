// SPDX-License-Identifier: Apache-2.0
// Implements guess_throttle.h.
#include "base/guess_throttle.h"

#include <algorithm>
#include <utility>

namespace sealpost {
namespace {

constexpr Duration first_delay{250};
constexpr Duration longest_delay{30'000};
constexpr Duration forgiven_after{30'000};  ///< not shorter than the longest delay: a guesser's patience must not pay
constexpr Duration retry_soon{100};         ///< another check of the same account runs and ends at any moment
constexpr unsigned max_count = 16;
constexpr unsigned max_doublings = 7;
constexpr unsigned max_at_once = 16;  ///< as many as there are HTTP workers
constexpr std::chrono::hours trusted_for{1};
constexpr std::chrono::minutes sweep_interval{1};
constexpr std::size_t longest_name = 330;  ///< no account and no address has a longer one

Duration delay_after(unsigned failures) {
  return std::min(longest_delay, first_delay * (1U << std::min(failures - 1, max_doublings)));
}

/// What is left of the failures once time has forgiven some.
unsigned remaining(unsigned failures, Duration since_last) {
  const auto forgiven = since_last / forgiven_after;
  return forgiven >= failures ? 0 : failures - static_cast<unsigned>(forgiven);
}

}  // namespace

GuessThrottle::Attempt::Attempt(Attempt&& other) noexcept
    : throttle_(std::exchange(other.throttle_, nullptr)),
      pair_(std::move(other.pair_)),
      keys_(std::move(other.keys_)) {}

GuessThrottle::Attempt::~Attempt() {
  if (throttle_ != nullptr) throttle_->settle(*this, Outcome::Neither);
}

void GuessThrottle::Attempt::right() {
  if (throttle_ != nullptr) std::exchange(throttle_, nullptr)->settle(*this, Outcome::Right);
}

void GuessThrottle::Attempt::wrong() {
  if (throttle_ != nullptr) std::exchange(throttle_, nullptr)->settle(*this, Outcome::Wrong);
}

/// What is known under the key, which becomes that of the newcomers' entry when the table is full: who floods it with
/// names must not flush what it remembers of him.
GuessThrottle::Failures GuessThrottle::look_up(std::string& key, bool newcomers_share, Time now) {
  auto found = failures_.find(key);
  if (found == failures_.end() && newcomers_share && failures_.size() >= max_entries_) {
    make_room(now);
    if (failures_.size() >= max_entries_) key.clear();
    found = failures_.find(key);
  }
  if (found == failures_.end()) return {};
  found->second.last = std::min(found->second.last, now);  // the clock was set back
  return found->second;
}

void GuessThrottle::make_room(Time now) {
  if (swept_ <= now && now - swept_ < sweep_interval) return;
  swept_ = now;
  std::erase_if(failures_, [&](const auto& item) {
    const Failures& failures = item.second;
    return failures.in_flight == 0 && remaining(failures.count, now - failures.last) == 0;
  });
  std::erase_if(trusted_until_, [&](const auto& item) { return item.second <= now; });
}

Result<GuessThrottle::Attempt, Duration> GuessThrottle::begin(const std::string& account, const std::string& network) {
  const std::string name = account.substr(0, longest_name + 1);
  const std::string pair = "p" + network + "\n" + name;
  const Time now = clock_.now();
  const std::lock_guard lock(mutex_);
  const auto until = trusted_until_.find(pair);
  const bool trusted = until != trusted_until_.end() && now < until->second;
  std::vector<std::string> keys = {"n" + network, "a" + name};
  if (trusted) keys = {pair};
  Duration wait{0};
  for (auto& key : keys) {
    const Failures failures = look_up(key, !trusted, now);
    const unsigned count = remaining(failures.count, now - failures.last);
    if (failures.in_flight >= (count == 0 ? max_at_once : 1)) wait = std::max(wait, retry_soon);
    if (count > 0) wait = std::max(wait, delay_after(count) - (now - failures.last));
  }
  if (wait.count() > 0) return wait;
  for (const auto& key : keys) ++failures_[key].in_flight;
  return Attempt(*this, pair, std::move(keys));
}

void GuessThrottle::settle(const Attempt& attempt, Outcome outcome) {
  const Time now = clock_.now();
  const std::lock_guard lock(mutex_);
  for (const auto& key : attempt.keys_) {
    Failures& failures = failures_[key];
    --failures.in_flight;
    if (outcome == Outcome::Wrong) {
      failures.count = std::min(max_count, remaining(failures.count, std::max(Duration(0), now - failures.last)) + 1);
      failures.last = now;
    }
    if (failures.in_flight == 0 && failures.count == 0) failures_.erase(key);
  }
  if (outcome != Outcome::Right) return;
  make_room(now);
  if (trusted_until_.size() < max_entries_ || trusted_until_.contains(attempt.pair_)) {
    trusted_until_[attempt.pair_] = now + trusted_for;
  }
}

}  // namespace sealpost
