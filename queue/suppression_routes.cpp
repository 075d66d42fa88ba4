// SPDX-License-Identifier: Apache-2.0
// Implements suppression_routes.h.
#include "queue/suppression_routes.h"

#include <sstream>

#include "conf/values.h"
#include "queue/suppression_json.h"

namespace sealpost {
namespace {

constexpr std::size_t default_rows = 100;
constexpr std::size_t max_rows = 1000;

std::string query(const http::Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::string() : found->second;
}

http::Response json(const Poco::JSON::Object& object) {
  std::ostringstream out;
  object.stringify(out);
  return http::Response::json(200, out.str()).with("Cache-Control", "no-store");
}

http::Response list(Suppressions& suppressions, const http::Request& request) {
  Result<SuppressionPage> page = SuppressionPage{};
  if (request.query.contains("recipient")) {
    auto address = EmailAddress::parse(query(request, "recipient"));
    if (!address) return http::Response::from(address.error());
    page = suppressions.find(*address);
  } else {
    std::size_t limit = default_rows;
    if (request.query.contains("limit")) {
      auto given = parse_count(query(request, "limit"), 1, max_rows);
      if (!given) return http::Response::from(Error::invalid("limit: " + given.error().public_text));
      limit = *given;
    }
    page = suppressions.list(limit, query(request, "cursor"));
  }
  return page ? json(to_json(*page)) : http::Response::from(page.error());
}

http::Response clear(Suppressions& suppressions, AuditTrail& audit, const Clock& clock, const http::Request& request) {
  auto address = EmailAddress::parse(request.parameters.at("address"));
  if (!address) return http::Response::from(address.error());
  auto cleared = clear_suppression(suppressions, audit, clock, *address, "account " + request.caller->account);
  if (!cleared) return http::Response::failure(cleared.error());
  if (!*cleared) return http::Response::from(Error::not_found("no bounces of this address are known"));
  Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("address", address->directory_key());
  object.set("cleared", true);
  return json(object);
}

}  // namespace

std::vector<http::Route> suppression_routes(Suppressions& suppressions, AuditTrail& audit, const Clock& clock) {
  using http::Access;
  return {
      {"GET", "/v1/suppressions", Access::Operator, 0,
       [&suppressions](const http::Request& request) { return list(suppressions, request); }},
      {"DELETE", "/v1/suppressions/{address}", Access::Operator, 0,
       [&suppressions, &audit, &clock](const http::Request& request) {
         return clear(suppressions, audit, clock, request);
       }},
  };
}

}  // namespace sealpost
