// SPDX-License-Identifier: Apache-2.0
// What an operator does to deliveries, by ids or by filter: counted first when that is wished, done in steps that may
// be interrupted and resumed, and each step in the audit trail.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/audit_trail.h"
#include "base/clock.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "queue/delivery.h"
#include "queue/delivery_filter.h"
#include "queue/delivery_search.h"
#include "queue/queue_order.h"
#include "queue/queue_view.h"

namespace sealpost {

/// Those with these ids, or what waits and matches.
using DeliveryChoice = std::variant<std::vector<DeliveryId>, DeliveryFilter>;

class QueueActions final {
 public:
  QueueActions(redis::Client& redis, QueueView& view, AuditTrail& audit, const Clock& clock)
      : redis_(redis), view_(view), audit_(audit), clock_(clock) {}

  /// How many deliveries the order would reach; changes nothing, and ends after 20,000 candidates with a cursor.
  Result<ActionResult> count(const QueueOrder& order, const DeliveryChoice& choice, const std::string& cursor = {});
  /// Carries the order out on about `limit` deliveries from the cursor on, and says where to go on. One that is being
  /// sent or has finished counts as matched, not as changed. `actor` as in AuditEvent. Fails when nothing was done;
  /// what breaks it off later stands in the result.
  Result<ActionResult> act(const QueueOrder& order, const DeliveryChoice& choice, std::string_view actor,
                           std::size_t limit, const std::string& cursor = {});

  /// Every step that one call takes at most: a second or two of Redis' time, shared with others.
  static constexpr std::size_t step = 10'000;

 private:
  Result<ActionResult> walk(const QueueOrder& order, const DeliveryFilter& filter, bool dry_run, std::size_t limit,
                            const std::string& cursor);
  Result<ActionResult> next_few(DeliverySearch& search, const QueueOrder& order, const DeliveryFilter& filter,
                                bool dry_run);
  Status note(const QueueOrder& order, const DeliveryChoice& choice, std::string_view actor, std::string detail);

  redis::Client& redis_;
  QueueView& view_;
  AuditTrail& audit_;
  const Clock& clock_;
};

}  // namespace sealpost
