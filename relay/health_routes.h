// SPDX-License-Identifier: Apache-2.0
// /healthz: the process lives. /readyz: Redis is there, keeps what it is given, and has room for more; the certificates
// that mail depends on are valid.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/http/router.h"
#include "base/redis/client.h"
#include "queue/durability.h"

namespace sealpost {

/// A certificate that is in use now, whatever its file says meanwhile.
struct WatchedCertificate {
  std::string name;  ///< "the TLS certificate"
  std::function<Result<Time>()> not_after;
};

std::vector<http::Route> health_routes(redis::Client& redis, StoreWatermark& watermark, const Clock& clock,
                                       std::vector<WatchedCertificate> certificates);

}  // namespace sealpost
