// SPDX-License-Identifier: Apache-2.0
// Makes guessing slow, in this process: whether a password, proof or code may be looked at now. Whoever checks one asks
// here first, and waits without occupying a worker (SMTP) or refuses (HTTP) until it may.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace sealpost {

/// Failures are counted per account and per client network. While none is known, a few checks may run at once, so that
/// a busy sender's first logins are not slowed down. After a failure checks of that account, and of that network, run
/// one at a time and so long after the last failure as their number says: 250 ms, doubling up to 30 s. One failure is
/// forgiven every 30 s. Hence hanging up early, or opening many connections, gains a guesser nothing.
///
/// A network from which the account logged in within the last hour is not held back by what others do: for that pair of
/// account and network its own failures count alone. Accounts that do not exist are treated like those that do.
///
/// Of a pickup link, what is said here of accounts holds for the address that it leads to.
///
/// Only an attempt that may begin is remembered: what is held back anyhow fills no table. When the table is full,
/// newcomers share one entry; known pairs never do.
class GuessThrottle final {
 public:
  explicit GuessThrottle(const Clock& clock, std::size_t max_entries = 50'000)
      : clock_(clock), max_entries_(max_entries) {}

  /// Leave to look at one password or proof. In flight until it is told the outcome or destroyed; the latter counts as
  /// neither (the store is away).
  class Attempt final {
   public:
    Attempt(Attempt&& other) noexcept;
    Attempt& operator=(Attempt&&) = delete;
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;
    ~Attempt();
    void right();
    void wrong();

   private:
    friend class GuessThrottle;
    Attempt(GuessThrottle& throttle, std::string pair, std::vector<std::string> keys)
        : throttle_(&throttle), pair_(std::move(pair)), keys_(std::move(keys)) {}
    GuessThrottle* throttle_;
    std::string pair_;
    std::vector<std::string> keys_;  ///< what this attempt counts for
  };

  /// The error is how long to wait before asking again; nothing is counted then.
  Result<Attempt, Duration> begin(const std::string& account, const std::string& network);

 private:
  struct Failures {
    unsigned in_flight = 0;
    unsigned count = 0;
    Time last{};
  };
  enum class Outcome { Right, Wrong, Neither };
  void settle(const Attempt& attempt, Outcome outcome);
  Failures look_up(std::string& key, bool newcomers_share, Time now);
  void make_room(Time now);

  const Clock& clock_;
  std::size_t max_entries_;
  std::mutex mutex_;
  std::unordered_map<std::string, Failures> failures_;
  std::unordered_map<std::string, Time> trusted_until_;
  Time swept_{};
};

}  // namespace sealpost
