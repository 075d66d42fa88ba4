// SPDX-License-Identifier: Apache-2.0
// The queue in numbers: by state, age, destination, account and failure; each is counted by Redis, none by looking at
// deliveries, so it costs the same however many wait.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "queue/delivery.h"
#include "queue/rates.h"

namespace sealpost {

/// Classes of age as qshape(1) has them: younger than so many minutes, and "older".
inline constexpr std::array<std::chrono::minutes, 5> age_bounds = {std::chrono::minutes(5), std::chrono::minutes(20),
                                                                   std::chrono::minutes(80), std::chrono::minutes(320),
                                                                   std::chrono::minutes(1280)};
inline constexpr std::array<const char*, age_bounds.size() + 1> age_names = {"5m",   "20m",   "80m",
                                                                             "320m", "1280m", "older"};
/// Waiting deliveries by age, in the order of age_names.
using AgeCounts = std::array<std::size_t, age_names.size()>;

struct DestinationSummary {
  std::string domain;
  std::size_t queued = 0, sending = 0, deferred = 0, held = 0;
  std::optional<Time> oldest;
  AgeCounts ages{};
  std::size_t concurrency = 0;      ///< attempts that the nodes may make at once now
  double delivered_per_minute = 0;  ///< mean of the last five minutes
  std::string last_error;
  std::optional<Time> next_attempt;

  [[nodiscard]] std::size_t waiting() const { return queued + sending + deferred + held; }
};

struct AccountSummary {
  std::string account;
  std::size_t waiting = 0;
  double accepted_per_minute = 0;  ///< mean of the last five minutes
};

/// Deliveries that failed alike: the reply without its host, digits but those of its codes as #.
struct ErrorSummary {
  std::string error;  ///< empty for all that are too different to be counted apart
  std::size_t count = 0;
};

/// Key pairs made in advance.
struct PoolStatus {
  std::size_t ready = 0;
  std::size_t wanted = 0;
};

/// Recipients who were given a key and have not picked it up.
struct PickupStatus {
  std::size_t waiting = 0;
  std::optional<Time> oldest;  ///< since when the first of them has it
};

struct CertificateEnd {
  std::string of;       ///< "tls", "issuing_ca" or "recipient"
  std::string address;  ///< of the recipient's own one
  Time ends{};
};
/// Certificates that end within 30 days, or have ended: the relay's and the recipients' own.
struct CertificateStatus {
  std::size_t ended = 0;
  std::size_t ending = 0;
  std::vector<CertificateEnd> soonest;  ///< the first of both
};

/// Mail hangs on keys, so a summary tells of them, too; whoever composes it counts them.
struct KeyStatus {
  PoolStatus pool;
  PickupStatus pickups;
  CertificateStatus certificates;
};

struct QueueCounts {
  std::map<DeliveryState, std::size_t> states;  ///< all seven
  std::optional<Time> oldest;                   ///< of what waits
  std::optional<Time> oldest_moving;            ///< of what waits and is not held
  AgeCounts ages{};
};

struct QueueSummary : QueueCounts {
  QueueRates rates;
  std::optional<KeyStatus> keys;
  std::vector<DestinationSummary> destinations;  ///< the most waiting first
  std::size_t more_destinations = 0;             ///< for which something waits, too
  std::vector<AccountSummary> accounts;
  std::vector<ErrorSummary> errors;
};

/// `rows`: at most so many destinations, accounts and errors.
Result<QueueSummary> read_queue_summary(redis::Client& redis, Time now, std::size_t rows);
/// Mail of every domain goes through one next hop: what may be attempted at once is that hop's, and no domain's own.
Status share_concurrency(redis::Client& redis, const std::string& route, QueueSummary& summary);
/// One row of it; all zero when nothing waits.
Result<DestinationSummary> read_destination(redis::Client& redis, Time now, const std::string& domain);
/// In one round trip.
Result<QueueCounts> read_queue_counts(redis::Client& redis, Time now);

}  // namespace sealpost
