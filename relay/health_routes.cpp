// SPDX-License-Identifier: Apache-2.0
// Implements health_routes.h.
#include "relay/health_routes.h"

namespace sealpost {
namespace {

http::Response ready(redis::Client& redis, StoreWatermark& watermark) {
  auto findings = check_durability(redis);
  if (!findings) return http::Response::problem(503, "Not ready", findings.error().public_text);
  if (!findings->empty()) return http::Response::problem(503, "Not ready", findings->front());
  if (const std::string full = watermark.reason(); !full.empty())
    return http::Response::problem(503, "Not ready", full);
  return http::Response::json(200, R"({"status":"ready"})");
}

}  // namespace

std::vector<http::Route> health_routes(redis::Client& redis, StoreWatermark& watermark) {
  return {{"GET", "/healthz", http::Access::Public, 0,
           [](const http::Request&) { return http::Response::json(200, R"({"status":"alive"})"); }},
          {"GET", "/readyz", http::Access::Public, 0,
           [&redis, &watermark](const http::Request&) { return ready(redis, watermark); }}};
}

}  // namespace sealpost
