// SPDX-License-Identifier: Apache-2.0
// Which destinations a relay leaves alone for a while, and why: told by whoever delivers, for whoever asks why mail
// waits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/redis/client.h"
#include "base/result.h"

namespace sealpost {

struct Rest {
  Time until{};
  std::string why;  ///< how the attempt ended that led to it
};

class Rests final {
 public:
  Rests(redis::Client& redis, const Clock& clock) : redis_(redis), clock_(clock) {}

  /// Of several nodes the last one's word counts; it is forgotten when the rest is over.
  Status begin(const std::string& destination, Duration length, std::string_view why);
  Status end(const std::string& destination);
  Result<std::optional<Rest>> find(const std::string& destination);

 private:
  redis::Client& redis_;
  const Clock& clock_;
};

}  // namespace sealpost
