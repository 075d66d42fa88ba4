// SPDX-License-Identifier: Apache-2.0
// All that an operator sees over HTTP, put together: the queue's calls, its pulse, the dashboard with its sessions.
#pragma once

#include <string>
#include <vector>

#include "base/authenticator.h"
#include "base/http/router.h"
#include "base/log.h"
#include "conf/settings.h"
#include "queue/dashboard/routes.h"
#include "queue/operator_session.h"
#include "queue/pulse.h"
#include "queue/queue_routes.h"
#include "relay/health_routes.h"
#include "relay/queue_overview.h"
#include "relay/services.h"

namespace sealpost {

class OperatorSide final {
 public:
  /// `certificates`: as QueueOverview has them.
  OperatorSide(Services& services, const Settings& settings, Authenticator& authenticator,
               std::vector<WatchedCertificate> certificates, Log& log);

  /// Rows of /v1/queue/… and /operator/….
  [[nodiscard]] std::vector<http::Route> routes();

 private:
  Authenticator& authenticator_;
  QueueOverview overview_;
  QueueRoutesContext queue_;
  Pulse pulse_;
  OperatorSessions sessions_;
  dashboard::Context dashboard_;
};

}  // namespace sealpost
