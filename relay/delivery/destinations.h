// SPDX-License-Identifier: Apache-2.0
// What attempts have taught this process of each destination: how many it may have at once, whether it is left alone
// for a while, and that those which may not answer do not take all workers.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "queue/mail_queue.h"
#include "relay/delivery/next_hop.h"

namespace sealpost {

struct DestinationsOptions {
  std::size_t concurrency = 20;                  ///< of one destination, at most
  std::size_t workers = 128;                     ///< half of them for doubtful destinations at most
  std::vector<std::chrono::milliseconds> retry;  ///< pauses of a destination that cannot be reached; 15 minutes at most
};

/// A destination begins with five attempts at once. Each that reaches it allows one more, up to the limit; each that
/// does not halves them, and lets the destination rest: meanwhile deliveries to it are deferred unseen, then one
/// attempt goes ahead of the others. A destination is doubtful until it has answered an attempt, while one has run for
/// ten seconds, and after one that took as long and brought no reply; one that hangs with a single attempt at a time
/// rests, too. Doubtful ones have half of the workers together.
class Destinations final {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Destinations(DestinationsOptions options) : options_(std::move(options)) {}

  /// Looks the state up when it is asked for a destination; for as long as this object lives.
  ClaimLimits limits(TimePoint now);
  /// Other nodes have all permits but `mine`: no more than these for a second.
  void others_have_the_rest(const std::string& destination, std::size_t mine, TimePoint now);
  struct Rest {
    std::string why;
    std::chrono::steady_clock::duration since;  ///< how long ago it began
  };
  /// Set while no attempt should be made: a delivery is deferred unseen then. That is housekeeping, and kept to 200 in
  /// a second, so that long queues for dead destinations do not take the time of the others.
  std::optional<Rest> resting(const std::string& destination, TimePoint now);
  void begun(const std::string& destination, TimePoint now);
  /// A destination begins to rest for so long, or its rest has ended early.
  struct RestChange {
    std::optional<std::chrono::milliseconds> length;  ///< nothing: it has ended
    std::string why;
  };
  /// Of each attempt that has begun, with the same time.
  std::optional<RestChange> ended(const std::string& destination, TimePoint begun, const Attempt& attempt,
                                  TimePoint now);
  /// Of how many something is remembered.
  [[nodiscard]] std::size_t size();

 private:
  struct State {
    std::size_t window = 0;
    std::size_t failures = 0;            ///< in a row that did not reach it
    bool answered = false;               ///< the last attempt was, or took no long time
    std::multiset<TimePoint> running{};  ///< when the attempts that have not ended began
    TimePoint rests_since{};
    TimePoint rests_until{};
    std::string why;
    std::size_t permits = 0;  ///< until that time
    TimePoint permits_until{};
    TimePoint last{};
  };
  ClaimLimits::Destination limit_of(const std::string& destination, TimePoint now);
  std::optional<RestChange> learn(State& state, const Attempt& attempt, std::chrono::steady_clock::duration took,
                                  TimePoint now) const;
  State& state_of(const std::string& destination, TimePoint now);
  [[nodiscard]] std::size_t room_unseen(TimePoint now) const;
  void forget_idle(TimePoint now);
  void forget_one();

  DestinationsOptions options_;
  std::mutex mutex_;
  std::map<std::string, State> states_;  ///< of destinations that were attempted lately
  TimePoint unseen_since_{};             ///< deferrals unseen are counted from then on
  std::size_t unseen_ = 0;
};

}  // namespace sealpost
