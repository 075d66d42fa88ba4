// SPDX-License-Identifier: Apache-2.0
// Implements health_routes.h.
#include "relay/health_routes.h"

#include <utility>

namespace sealpost {
namespace {

/// Why no mail should be sent here; empty when it may come.
std::string obstacle(redis::Client& redis, StoreWatermark& watermark, const Clock& clock,
                     const std::vector<WatchedCertificate>& certificates) {
  auto findings = check_durability(redis);
  if (!findings) return findings.error().public_text;
  if (!findings->empty()) return findings->front();
  if (std::string full = watermark.reason(); !full.empty()) return full;
  for (const auto& certificate : certificates) {
    const auto end = certificate.not_after();
    if (!end) return certificate.name + ": " + end.error().public_text;
    if (*end < clock.now()) return certificate.name + " has expired";
  }
  return {};
}

}  // namespace

std::vector<http::Route> health_routes(redis::Client& redis, StoreWatermark& watermark, const Clock& clock,
                                       std::vector<WatchedCertificate> certificates) {
  return {{"GET", "/healthz", http::Access::Public, 0,
           [](const http::Request&) { return http::Response::json(200, R"({"status":"alive"})"); }},
          {"GET", "/readyz", http::Access::Public, 0,
           [&redis, &watermark, &clock, certificates = std::move(certificates)](const http::Request&) {
             const std::string why = obstacle(redis, watermark, clock, certificates);
             return why.empty() ? http::Response::json(200, R"({"status":"ready"})")
                                : http::Response::problem(503, "Not ready", why);
           }}};
}

}  // namespace sealpost
