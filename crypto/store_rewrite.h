// SPDX-License-Identifier: Apache-2.0
// After a private key was destroyed, Redis' files still hold what it was told before: they are rewritten, so that they
// hold what stands there now and nothing else.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/redis/client.h"
#include "base/result.h"

namespace sealpost {

/// The script that destroys a key leaves a mark in its shard, which stands until a rewrite that began later has ended
/// well. For one thread; several nodes may do it, and find the marks gone or the rewrite running.
class StoreRewrite final {
 public:
  /// Anybody may have many keys destroyed, and each rewrite writes all of the store.
  static constexpr std::chrono::minutes pause{10};

  StoreRewrite(redis::Client& redis, const Clock& clock, Log& log) : redis_(redis), clock_(clock), log_(log) {}

  /// Begins a rewrite when one is asked for and the last began longer ago than the pause, and takes the marks away
  /// once it has ended. Call it every few seconds.
  Status serve();

 private:
  using Marks = std::map<std::string, std::string>;  ///< key → how many keys were destroyed there
  /// What Redis tells of its rewrites.
  struct Told {
    bool idle = false;
    bool ended_well = false;    ///< the last one; of a process that made none yet it says so, too
    std::string process;        ///< whose word it is
    std::int64_t rewrites = 0;  ///< since it was started
  };
  Result<Marks> marks();
  Result<Told> ask();
  Status begin(Marks marks, Time now);
  Status look();

  redis::Client& redis_;
  const Clock& clock_;
  Log& log_;
  Time began_{};
  Marks covered_;  ///< by the rewrite that runs
  Told before_;    ///< it was begun
};

}  // namespace sealpost
