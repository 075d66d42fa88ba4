// SPDX-License-Identifier: Apache-2.0
// The directory in numbers, for an operator: keys that nobody has picked up, and recipients' own certificates that end.
// Counted by Redis from sets that the pairs' scripts keep, so it costs the same however many addresses there are.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/redis/client.h"
#include "base/result.h"

namespace sealpost {

/// A certificate that ends within this time ends soon.
inline constexpr std::chrono::hours ends_soon{24 * 30};

struct OwnCertificateEnd {
  std::string address;  ///< directory key
  Time ends{};
};

struct KeySummary {
  std::size_t not_picked_up = 0;             ///< addresses whose current private key lies here and was never taken
  std::optional<Time> oldest_not_picked_up;  ///< when the first of them was assigned
  std::size_t ended = 0;                     ///< own certificates that have ended: mail to them is held
  std::size_t ending = 0;                    ///< those that end soon
  std::vector<OwnCertificateEnd> soonest;    ///< of both, the earliest first
};

/// `rows`: so many of `soonest` at most.
Result<KeySummary> read_key_summary(redis::Client& redis, Time now, std::size_t rows);

/// Gives the pairs that an earlier version left their places in the sets; does nothing once that was done.
Status index_earlier_pairs(redis::Client& redis);

}  // namespace sealpost
