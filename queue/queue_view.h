// SPDX-License-Identifier: Apache-2.0
// The operator's view of the queue: summary, search, one delivery with its history, and actions on deliveries. Reads
// records and indexes; never content.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "queue/delivery.h"
#include "queue/rates.h"
#include "queue/submitted.h"

namespace sealpost {

/// What is not set, matches all; an empty text matches only an empty one.
struct DeliveryFilter {
  std::optional<DeliveryState> state;
  std::optional<std::string> domain;
  std::optional<std::string> sender;  ///< empty for <>
  std::optional<std::string> recipient;
  std::optional<Duration> older_than;
  std::optional<std::string> error;  ///< substring of the last response, case-insensitive
  std::optional<std::string> account;
};

struct DeliveryPage {
  std::vector<DeliveryRecord> deliveries;
  std::string cursor;  ///< empty at the end
};

struct DestinationSummary {
  std::string domain;
  std::size_t queued = 0, sending = 0, deferred = 0, held = 0;
  std::optional<Time> oldest;
  std::map<std::string, std::size_t> ages;  ///< "5m", "20m", "80m", "320m", "1280m", "older": waiting deliveries by age
  std::string last_error;
  std::optional<Time> next_attempt;
};

/// Key pairs made in advance; the queue shows them, but whoever composes the summary counts them.
struct PoolStatus {
  std::size_t ready = 0;
  std::size_t wanted = 0;
};

struct QueueSummary {
  std::map<DeliveryState, std::size_t> states;
  std::optional<Time> oldest;
  QueueRates rates;
  std::optional<PoolStatus> pool;
  std::vector<DestinationSummary> destinations;
};

enum class QueueAction { Retry, Hold, Release, Drop };
struct ActionResult {
  std::size_t matched = 0;
  std::size_t changed = 0;
};

class QueueView final {
 public:
  QueueView(redis::Client& redis, const Clock& clock);

  /// States are exact; destinations count at most the 3,000 earliest deliveries of each set and shard.
  Result<QueueSummary> summary();
  Result<DeliveryPage> list(const DeliveryFilter& filter, std::size_t limit, const std::string& cursor);
  Result<DeliveryRecord> show(const DeliveryId& id);
  /// In the order of their numbers; none when there is no record of the message.
  Result<std::vector<DeliveryRecord>> deliveries_of(const MessageId& id);
  /// An account's own messages: list_submitted.
  Result<SubmittedPage> submitted(const std::string& account, const SubmittedFilter& filter, std::size_t limit,
                                  const std::string& cursor);
  /// Acts on waiting deliveries only; one that is being sent or is finished counts as matched, not as changed.
  Result<ActionResult> act(QueueAction action, const std::vector<DeliveryId>& ids, bool dry_run);
  Result<ActionResult> act(QueueAction action, const DeliveryFilter& filter, bool dry_run);

 private:
  Result<std::map<DeliveryState, std::size_t>> states();
  Result<std::vector<DeliveryRecord>> waiting_in(unsigned shard);
  redis::Client& redis_;
  const Clock& clock_;
};

}  // namespace sealpost
