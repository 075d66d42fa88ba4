// SPDX-License-Identifier: Apache-2.0
// /healthz: the process lives. /readyz: Redis is there and keeps what it is given.
#pragma once

#include <vector>

#include "base/http/router.h"
#include "base/redis/client.h"

namespace sealpost {

std::vector<http::Route> health_routes(redis::Client& redis);

}  // namespace sealpost
