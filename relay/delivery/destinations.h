// SPDX-License-Identifier: Apache-2.0
// What attempts have taught this process of each destination: how many it may have at once, whether it is left alone
// for a while, and that slow ones do not take all workers.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "queue/mail_queue.h"
#include "relay/delivery/next_hop.h"

namespace sealpost {

struct DestinationsOptions {
  std::size_t concurrency = 20;                  ///< of one destination, at most
  std::size_t workers = 128;                     ///< half of them for slow destinations at most
  std::vector<std::chrono::milliseconds> retry;  ///< pauses of a destination that cannot be reached; 15 minutes at most
};

/// A destination begins with five attempts at once. Each that reaches it allows one more, up to the limit; each that
/// does not halves them, and lets the destination rest: meanwhile deliveries to it are deferred unseen, then one
/// attempt goes ahead of the others. A destination is slow whose last attempt took ten seconds and brought no reply;
/// one that is slow with a single attempt at a time rests, too. Slow ones have half of the workers together, in turn.
class Destinations final {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Destinations(DestinationsOptions options) : options_(std::move(options)) {}

  /// How many deliveries of each may be claimed next to those in flight.
  ClaimLimits limits(const std::map<std::string, std::size_t>& in_flight, TimePoint now);
  /// Other nodes have all permits but `mine`: no more than these for a second.
  void others_have_the_rest(const std::string& destination, std::size_t mine, TimePoint now);
  struct Rest {
    std::string why;
    std::chrono::steady_clock::duration since;  ///< how long ago it began
  };
  /// Set while no attempt should be made.
  std::optional<Rest> resting(const std::string& destination, TimePoint now);
  void ended(const std::string& destination, const Attempt& attempt, std::chrono::milliseconds took, TimePoint now);

 private:
  struct State {
    std::size_t window = 0;
    std::size_t failures = 0;  ///< in a row that did not reach it
    bool slow = false;
    TimePoint rests_since{};
    TimePoint rests_until{};
    std::string why;
    std::size_t permits = 0;  ///< until that time
    TimePoint permits_until{};
    TimePoint last{};
  };
  [[nodiscard]] std::size_t limit_of(const State& state, TimePoint now) const;
  State& state_of(const std::string& destination, TimePoint now);
  void forget_idle(TimePoint now);
  std::map<std::string, std::size_t> shares_of_slow(const std::map<std::string, std::size_t>& in_flight, TimePoint now);

  DestinationsOptions options_;
  std::mutex mutex_;
  std::map<std::string, State> states_;  ///< of destinations that were attempted lately
  std::string last_slow_;                ///< the slow one that had its turn last
};

}  // namespace sealpost
