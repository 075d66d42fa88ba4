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

std::size_t count_of(const std::map<std::string, std::size_t>& counts, const std::string& destination) {
  const auto found = counts.find(destination);
  return found == counts.end() ? 0 : found->second;
}

}  // namespace

std::size_t Destinations::limit_of(const State& state, TimePoint now) const {
  return state.permits_until > now ? std::min(state.window, state.permits) : state.window;
}

/// How many more each slow destination may have; those that had no share this time are the first next time, since
/// nobody knows here whether anything waits for them.
std::map<std::string, std::size_t> Destinations::shares_of_slow(const std::map<std::string, std::size_t>& in_flight,
                                                                TimePoint now) {
  std::size_t left = std::max<std::size_t>(1, options_.workers / 2);
  std::vector<std::string> waiting;
  for (const auto& [destination, state] : states_) {
    if (!state.slow) continue;
    left -= std::min(left, count_of(in_flight, destination));
    // What rests is deferred at once, and takes no worker's time.
    if (state.rests_until <= now) waiting.push_back(destination);
  }
  std::rotate(waiting.begin(), std::upper_bound(waiting.begin(), waiting.end(), last_slow_), waiting.end());
  std::map<std::string, std::size_t> shares;
  for (const auto& destination : waiting) {
    const std::size_t limit = limit_of(states_.at(destination), now);
    const std::size_t more = std::min(left, limit - std::min(limit, count_of(in_flight, destination)));
    left -= more;
    shares[destination] = more;
    if (more > 0) last_slow_ = destination;
  }
  return shares;
}

ClaimLimits Destinations::limits(const std::map<std::string, std::size_t>& in_flight, TimePoint now) {
  ClaimLimits limits{std::min(first_window, options_.concurrency), {}};
  const std::lock_guard lock(mutex_);
  forget_idle(now);
  const auto shares = shares_of_slow(in_flight, now);
  for (const auto& [destination, state] : states_) {
    const std::size_t flying = count_of(in_flight, destination);
    std::size_t limit = limit_of(state, now);
    if (const auto share = shares.find(destination); share != shares.end()) limit = flying + share->second;
    const bool rests = state.rests_until > now;
    if (flying > 0 || (limit < limits.standard && !rests)) limits.special.emplace(destination, limit);
  }
  return limits;
}

void Destinations::forget_idle(TimePoint now) {
  std::erase_if(states_, [&](const auto& entry) { return now - entry.second.last > memory; });
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
  return Rest{found->second.why, now - found->second.rests_since};
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
  const bool one_at_a_time = state.window == 1;
  state.window = std::max<std::size_t>(1, state.window / 2);
  if (attempt.reached && !one_at_a_time) return;
  state.rests_since = now;
  state.why = response_of(attempt.outcome);
  // Several attempts that ran at once count once.
  if (state.rests_until > now) return;
  state.window = 1;
  ++state.failures;
  const std::chrono::milliseconds rest = retry_pause(options_.retry, state.failures);
  state.rests_until = now + std::min<std::chrono::milliseconds>(rest, longest_rest);
}

Destinations::State& Destinations::state_of(const std::string& destination, TimePoint now) {
  auto found = states_.find(destination);
  if (found == states_.end()) {
    if (states_.size() >= max_states) states_.erase(states_.begin());
    found = states_.emplace(destination, State{}).first;
    found->second.window = std::min(first_window, options_.concurrency);
  }
  found->second.last = now;
  return found->second;
}

}  // namespace sealpost
