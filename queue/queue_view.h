// SPDX-License-Identifier: Apache-2.0
// The operator's view of the queue: summary, search, one delivery with its history, and actions on deliveries. Reads
// records and indexes; never content.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "queue/delivery.h"
#include "queue/delivery_filter.h"
#include "queue/queue_summary.h"
#include "queue/submitted.h"

namespace sealpost {

struct DeliveryPage {
  std::vector<DeliveryRecord> deliveries;
  std::string cursor;  ///< empty at the end
};

enum class QueueAction { Retry, Hold, Release, Drop };
struct ActionResult {
  std::size_t matched = 0;
  std::size_t changed = 0;
  std::string cursor = {};  ///< where to go on; empty at the end
};

class QueueView final {
 public:
  static constexpr std::size_t summary_rows = 100;

  QueueView(redis::Client& redis, const Clock& clock);

  /// `rows`: destinations, accounts and errors at most.
  Result<QueueSummary> summary(std::size_t rows = summary_rows);
  /// In the filter's order. A page may be short, and even empty, before the end: it ends after 20,000 candidates.
  /// Invalid for a cursor that is none of ours, or another filter's.
  Result<DeliveryPage> list(const DeliveryFilter& filter, std::size_t limit, const std::string& cursor);
  Result<DeliveryRecord> show(const DeliveryId& id);
  /// In the order of their numbers; none when there is no record of the message.
  Result<std::vector<DeliveryRecord>> deliveries_of(const MessageId& id);
  /// An account's own messages: list_submitted.
  Result<SubmittedPage> submitted(const std::string& account, const SubmittedFilter& filter, std::size_t limit,
                                  const std::string& cursor);
  /// Acts on waiting deliveries only; one that is being sent or is finished counts as matched, not as changed.
  Result<ActionResult> act(QueueAction action, const std::vector<DeliveryId>& ids, bool dry_run);
  /// The same on what waits and matches, from the cursor on, until about `limit` deliveries have matched or the end is
  /// reached. One call behind the other, each with the cursor of the last, does it in steps, and after an interruption
  /// goes on.
  Result<ActionResult> act(QueueAction action, const DeliveryFilter& filter, bool dry_run, std::size_t limit,
                           const std::string& cursor);

 private:
  redis::Client& redis_;
  const Clock& clock_;
};

/// What an action is called in scripts, commands and calls.
std::string_view to_text(QueueAction action);
std::optional<QueueAction> parse_queue_action(std::string_view text);

}  // namespace sealpost
