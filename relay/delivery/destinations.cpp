// SPDX-License-Identifier: Apache-2.0
// Implements destinations.h.
#include "relay/delivery/destinations.h"

#include <algorithm>

#include "queue/retry_schedule.h"

namespace sealpost {
namespace {

constexpr std::size_t first_window = 5;
constexpr std::chrono::seconds long_time{10};
constexpr std::chrono::minutes longest_rest{15};
constexpr std::chrono::seconds permits_hold{1};
/// What is remembered of a destination that nobody attempts.
constexpr std::chrono::hours memory{1};
constexpr std::chrono::milliseconds unseen_window{500};
constexpr std::size_t max_unseen = 100;
constexpr std::size_t max_states = 10'000;

/// No reply of the server's says how the attempt ended.
bool unanswered(const Outcome& outcome) {
  const auto* deferred = std::get_if<Deferred>(&outcome);
  return deferred != nullptr && deferred->code == 0;
}

}  // namespace

ClaimLimits Destinations::limits(TimePoint now) {
  {
    const std::lock_guard lock(mutex_);
    forget_idle(now);
  }
  return {[this, now](const std::string& destination) { return limit_of(destination, now); },
          std::max<std::size_t>(1, options_.workers / 2)};
}

ClaimLimits::Destination Destinations::limit_of(const std::string& destination, TimePoint now) {
  const std::lock_guard lock(mutex_);
  const std::size_t standard = std::min(first_window, options_.concurrency);
  const auto found = states_.find(destination);
  if (found == states_.end()) return {standard, true};
  const State& state = found->second;
  // What rests is deferred at once: that takes no worker's time, and need not be one at a time.
  std::size_t most = state.rests_until > now ? std::min(standard, room_unseen(now)) : state.window;
  if (state.permits_until > now) most = std::min(most, state.permits);
  const bool hangs = !state.running.empty() && now - *state.running.begin() >= long_time;
  return {most, !state.answered || hangs};
}

std::size_t Destinations::room_unseen(TimePoint now) const {
  return now - unseen_since_ >= unseen_window ? max_unseen : max_unseen - std::min(max_unseen, unseen_);
}

void Destinations::forget_idle(TimePoint now) {
  std::erase_if(states_,
                [&](const auto& entry) { return entry.second.running.empty() && now - entry.second.last > memory; });
}

/// The one that was not attempted for the longest time.
void Destinations::forget_one() {
  auto oldest = states_.end();
  for (auto one = states_.begin(); one != states_.end(); ++one) {
    if (!one->second.running.empty()) continue;
    if (oldest == states_.end() || one->second.last < oldest->second.last) oldest = one;
  }
  if (oldest != states_.end()) states_.erase(oldest);
}

void Destinations::others_have_the_rest(const std::string& destination, std::size_t mine, TimePoint now) {
  const std::lock_guard lock(mutex_);
  State& state = state_of(destination, now);
  state.permits = mine;
  state.permits_until = now + permits_hold;
}

std::optional<Destinations::Rest> Destinations::resting(const std::string& destination, TimePoint now) {
  const std::lock_guard lock(mutex_);
  const auto found = states_.find(destination);
  if (found == states_.end() || found->second.rests_until <= now) return std::nullopt;
  if (now - unseen_since_ >= unseen_window) {
    unseen_since_ = now;
    unseen_ = 0;
  }
  ++unseen_;
  return Rest{found->second.why, now - found->second.rests_since};
}

void Destinations::begun(const std::string& destination, TimePoint now) {
  const std::lock_guard lock(mutex_);
  state_of(destination, now).running.insert(now);
}

std::optional<Destinations::RestChange> Destinations::ended(const std::string& destination, TimePoint begun,
                                                            const Attempt& attempt, TimePoint now) {
  const std::lock_guard lock(mutex_);
  State& state = state_of(destination, now);
  if (const auto one = state.running.find(begun); one != state.running.end()) state.running.erase(one);
  if (std::holds_alternative<Abandoned>(attempt.outcome) || std::holds_alternative<Unreadable>(attempt.outcome)) {
    return std::nullopt;
  }
  return learn(state, attempt, now - begun, now);
}

std::optional<Destinations::RestChange> Destinations::learn(State& state, const Attempt& attempt,
                                                            std::chrono::steady_clock::duration took,
                                                            TimePoint now) const {
  const bool hung = unanswered(attempt.outcome) && took >= long_time;
  if (attempt.reached && !hung) {
    state.answered = true;
    state.window = std::min(state.window + 1, options_.concurrency);
    state.failures = 0;
    const bool rested = state.rests_until > now;
    state.rests_until = {};
    return rested ? std::optional(RestChange{}) : std::nullopt;
  }
  if (hung) state.answered = false;
  const bool one_at_a_time = state.window == 1;
  state.window = std::max<std::size_t>(1, state.window / 2);
  if (attempt.reached && !one_at_a_time) return std::nullopt;
  state.rests_since = now;
  state.why = response_of(attempt.outcome);
  // Several attempts that ran at once count once.
  if (state.rests_until > now) return std::nullopt;
  state.window = 1;
  ++state.failures;
  const std::chrono::milliseconds rest = retry_pause(options_.retry, state.failures);
  const auto length = std::min<std::chrono::milliseconds>(rest, longest_rest);
  state.rests_until = now + length;
  return RestChange{length, state.why};
}

std::size_t Destinations::size() {
  const std::lock_guard lock(mutex_);
  return states_.size();
}

Destinations::State& Destinations::state_of(const std::string& destination, TimePoint now) {
  auto found = states_.find(destination);
  if (found == states_.end()) {
    if (states_.size() >= max_states) forget_one();
    found = states_.emplace(destination, State{}).first;
    found->second.window = std::min(first_window, options_.concurrency);
  }
  found->second.last = now;
  return found->second;
}

}  // namespace sealpost
