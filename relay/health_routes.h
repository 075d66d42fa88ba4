// SPDX-License-Identifier: Apache-2.0
// /healthz: the process lives. /readyz: Redis is there, keeps what it is given, and has room for more.
#pragma once

#include <vector>

#include "base/http/router.h"
#include "base/redis/client.h"
#include "queue/durability.h"

namespace sealpost {

std::vector<http::Route> health_routes(redis::Client& redis, StoreWatermark& watermark);

}  // namespace sealpost
