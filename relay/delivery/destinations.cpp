// SPDX-License-Identifier: Apache-2.0
// Implements destinations.h.
#include "relay/delivery/destinations.h"

#include <algorithm>

#include "queue/retry_schedule.h"

namespace sealpost {
namespace {

constexpr std::size_t first_window = 5;
constexpr std::chrono::seconds slow_after{10};
constexpr std::chrono::minutes longest_rest{15};
constexpr std::chrono::seconds permits_hold{1};
/// What is remembered of a destination that nobody attempts.
constexpr std::chrono::hours memory{1};
constexpr std::size_t max_states = 10'000;

/// No reply of the server's says how the attempt ended.
bool unanswered(const Outcome& outcome) {
  const auto* deferred = std::get_if<Deferred>(&outcome);
  return deferred != nullptr && deferred->code == 0;
}

}  // namespace

std::size_t Destinations::limit_of(const State& state, TimePoint now) const {
  return state.permits_until > now ? std::min(state.window, state.permits) : state.window;
}

ClaimLimits Destinations::limits(const std::map<std::string, std::size_t>& in_flight, TimePoint now) {
  const auto flying = [&](const std::string& destination) {
    const auto found = in_flight.find(destination);
    return found == in_flight.end() ? std::size_t{0} : found->second;
  };
  ClaimLimits limits{std::min(first_window, options_.concurrency), {}};
  const std::lock_guard lock(mutex_);
  std::size_t for_slow = std::max<std::size_t>(1, options_.workers / 2);
  for (const auto& [destination, state] : states_) {
    if (state.slow) for_slow -= std::min(for_slow, flying(destination));
  }
  for (const auto& [destination, state] : states_) {
    const std::size_t now_flying = flying(destination);
    std::size_t limit = limit_of(state, now);
    // What rests is deferred at once, and takes no worker's time.
    if (state.slow && state.rests_until <= now) {
      const std::size_t more = std::min(for_slow, limit - std::min(limit, now_flying));
      for_slow -= more;
      limit = now_flying + more;
    }
    if (limit < limits.standard || now_flying > 0) limits.special.emplace(destination, limit);
  }
  return limits;
}

void Destinations::others_have_the_rest(const std::string& destination, std::size_t mine, TimePoint now) {
  const std::lock_guard lock(mutex_);
  State& state = state_of(destination, now);
  state.permits = mine;
  state.permits_until = now + permits_hold;
}

std::optional<std::string> Destinations::resting(const std::string& destination, TimePoint now) {
  const std::lock_guard lock(mutex_);
  const auto found = states_.find(destination);
  if (found == states_.end() || found->second.rests_until <= now) return std::nullopt;
  return found->second.why;
}

void Destinations::ended(const std::string& destination, const Attempt& attempt, std::chrono::milliseconds took,
                         TimePoint now) {
  if (std::holds_alternative<Abandoned>(attempt.outcome) || std::holds_alternative<Unreadable>(attempt.outcome)) return;
  const std::lock_guard lock(mutex_);
  State& state = state_of(destination, now);
  state.slow = unanswered(attempt.outcome) && took >= slow_after;
  if (attempt.reached && !state.slow) {
    state.window = std::min(state.window + 1, options_.concurrency);
    state.failures = 0;
    state.rests_until = {};
    return;
  }
  state.window = std::max<std::size_t>(1, state.window / 2);
  if (attempt.reached || state.rests_until > now) return;
  // Several attempts that ran at once count once.
  state.window = 1;
  ++state.failures;
  const std::chrono::milliseconds rest = retry_pause(options_.retry, state.failures);
  state.rests_until = now + std::min<std::chrono::milliseconds>(rest, longest_rest);
  state.why = response_of(attempt.outcome);
}

Destinations::State& Destinations::state_of(const std::string& destination, TimePoint now) {
  auto found = states_.find(destination);
  if (found == states_.end()) {
    if (states_.size() >= max_states) {
      std::erase_if(states_, [&](const auto& entry) { return now - entry.second.last > memory; });
    }
    if (states_.size() >= max_states) states_.erase(states_.begin());
    found = states_.emplace(destination, State{}).first;
    found->second.window = std::min(first_window, options_.concurrency);
  }
  found->second.last = now;
  return found->second;
}

}  // namespace sealpost
