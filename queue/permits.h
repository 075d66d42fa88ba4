// SPDX-License-Identifier: Apache-2.0
// delivery.destination_concurrency, over all relay nodes on one Redis: how many attempts a node may have under way at a
// destination. A node holds permits under a lease of a minute, takes more when it needs them, and gives back what it
// does not use.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "base/redis/client.h"
#include "base/result.h"

namespace sealpost {

class Permits final {
 public:
  /// `holder` names this node, and stays the same after a restart, which so has its permits again at once. `limit`:
  /// permits of one destination, all nodes together.
  Permits(redis::Client& redis, std::string holder, std::size_t limit)
      : redis_(redis), holder_(std::move(holder)), limit_(limit) {}

  using Counts = std::map<std::string, std::size_t>;  ///< by destination

  /// How many permits this node has, after asking for those that are missing to `wanted`.
  Result<Counts> hold(const Counts& wanted);
  /// Keeps as many as are in use, and gives the others back; call it several times a minute. Nobody takes permits while
  /// `in_use` is asked.
  Status renew(const std::function<Counts()>& in_use);

 private:
  Result<Counts> ask(const Counts& wanted);

  redis::Client& redis_;
  std::string holder_;
  std::size_t limit_;
  std::mutex mutex_;
  Counts held_;
};

}  // namespace sealpost
