// SPDX-License-Identifier: Apache-2.0
// HTTP for operators: the queue's pulse as server-sent events.
#pragma once

#include <vector>

#include "base/authenticator.h"
#include "base/http/router.h"
#include "queue/pulse.h"

namespace sealpost {

/// GET /v1/queue/stream, which ends when its caller's credential does. Both must outlive the routes and their streams.
std::vector<http::Route> pulse_routes(Pulse& pulse, Authenticator& authenticator);

}  // namespace sealpost
