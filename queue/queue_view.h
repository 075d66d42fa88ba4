// SPDX-License-Identifier: Apache-2.0
// The operator's view of the queue: summary, search, and one delivery with its history. Reads records and
// indexes; never content.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "queue/delivery.h"
#include "queue/delivery_filter.h"
#include "queue/queue_order.h"
#include "queue/queue_summary.h"
#include "queue/submitted.h"

namespace sealpost {

struct DeliveryPage {
  std::vector<DeliveryRecord> deliveries;
  std::string cursor;  ///< empty at the end
};

class QueueView final {
 public:
  static constexpr std::size_t summary_rows = 100;

  QueueView(redis::Client& redis, const Clock& clock);

  /// `rows`: destinations, accounts and errors at most.
  Result<QueueSummary> summary(std::size_t rows = summary_rows);
  /// The part of it that is asked for again and again.
  Result<QueueCounts> counts();
  /// In the filter's order. A page may be short, and even empty, before the end: it ends after 20,000 candidates.
  /// Invalid for a cursor that is none of ours, or another filter's.
  Result<DeliveryPage> list(const DeliveryFilter& filter, std::size_t limit, const std::string& cursor);
  Result<DeliveryRecord> show(const DeliveryId& id);
  /// In the order of their numbers; none when there is no record of the message.
  Result<std::vector<DeliveryRecord>> deliveries_of(const MessageId& id);
  /// An account's own messages: list_submitted.
  Result<SubmittedPage> submitted(const std::string& account, const SubmittedFilter& filter, std::size_t limit,
                                  const std::string& cursor);
  /// What an operator, or the relay itself, does to these deliveries; one that is being sent or has finished counts as
  /// matched, not as changed. Leaves no trace but the deliveries' histories: operators act by QueueActions.
  Result<ActionResult> act(const QueueOrder& order, const std::vector<DeliveryId>& ids, bool dry_run);

 private:
  redis::Client& redis_;
  const Clock& clock_;
};

}  // namespace sealpost
