// SPDX-License-Identifier: Apache-2.0
// HTTP for operators: the addresses to which mail is refused because it bounced again and again.
#pragma once

#include <vector>

#include "base/http/router.h"
#include "queue/suppressions.h"

namespace sealpost {

/// GET /v1/suppressions and DELETE /v1/suppressions/{address}. What they work on must outlive the routes.
std::vector<http::Route> suppression_routes(Suppressions& suppressions, AuditTrail& audit, const Clock& clock);

}  // namespace sealpost
