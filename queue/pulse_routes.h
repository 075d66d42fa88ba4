// SPDX-License-Identifier: Apache-2.0
// HTTP for operators: the queue's pulse as server-sent events.
#pragma once

#include <vector>

#include "base/http/router.h"
#include "queue/pulse.h"

namespace sealpost {

/// GET /v1/queue/stream. The pulse must outlive the routes.
std::vector<http::Route> pulse_routes(Pulse& pulse);

}  // namespace sealpost
