// SPDX-License-Identifier: Apache-2.0
// The operator's calls for the queue: its summary, a search, one delivery, why something waits, and actions.
#pragma once

#include <functional>
#include <vector>

#include "base/http/router.h"
#include "queue/queue_actions.h"
#include "queue/queue_view.h"
#include "queue/queue_why.h"

namespace sealpost {

/// Must outlive the routes.
struct QueueRoutesContext {
  QueueView& view;
  QueueActions& actions;
  QueueWhy& why;
  const Clock& clock;
  /// The summary with what queue/ does not know; of so many rows.
  std::function<Result<QueueSummary>(std::size_t rows)> overview;
};

std::vector<http::Route> queue_routes(QueueRoutesContext& context);

}  // namespace sealpost
