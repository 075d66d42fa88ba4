// SPDX-License-Identifier: Apache-2.0
// The operator's dashboard under /operator: login, overview, search, one delivery, actions, the live stream. Its
// session counts here only; all pages work without script.
#pragma once

#include <functional>
#include <vector>

#include "base/http/router.h"
#include "queue/dashboard/site.h"
#include "queue/operator_session.h"
#include "queue/pulse.h"
#include "queue/queue_actions.h"
#include "queue/queue_view.h"
#include "queue/queue_why.h"

namespace sealpost::dashboard {

/// Must outlive the routes.
struct Context {
  QueueView& view;
  QueueActions& actions;
  Pulse& pulse;
  OperatorSessions& sessions;
  const Clock& clock;
  Site site;
  /// The summary with what queue/ does not know; of so many rows.
  std::function<Result<QueueSummary>(std::size_t rows)> overview;
  /// Why a delivery waits, in a paragraph; none: the page does not say it.
  std::function<Result<Why>(const DeliveryId& id)> why = {};
  /// The same of a domain, in A-labels.
  std::function<Result<Why>(const std::string& domain)> why_domain = {};
};

std::vector<http::Route> routes(Context& context);

/// POST /operator/actions, and what a handler is given besides: who asks.
http::Response act(Context& context, const http::Request& request, const OperatorSession& session);
http::Response list_deliveries(Context& context, const http::Request& request, const OperatorSession& session);
http::Response show_delivery(Context& context, const http::Request& request, const OperatorSession& session);
/// The paragraph, and what would change it.
std::string draw_why(Draw& draw, const Why& why);
http::Response show_overview(Context& context, const http::Request& request, const OperatorSession& session);

}  // namespace sealpost::dashboard
