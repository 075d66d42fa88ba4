// SPDX-License-Identifier: Apache-2.0
// Implements key_routes.h.
#include "crypto/key_routes.h"

#include <Poco/JSON/Object.h>

#include <sstream>

#include "crypto/certificate.h"

namespace sealpost {
namespace {

bool wants_pem(const http::Request& request) {
  return request.field("accept").find("application/x-pem-file") != std::string_view::npos ||
         request.field("accept").find("application/pem-certificate-chain") != std::string_view::npos;
}

/// Clients must not keep an interim key: it may be replaced before the next message.
http::Response present(const KeyRoutesContext& context, const http::Request& request, int status,
                       const KeyRecord& key) {
  const std::string caching = key.state == PairState::Interim ? "no-store" : "private, max-age=300";
  const auto pem = to_pem(key.certificate);
  if (!pem) return http::Response::failure(pem.error());
  if (wants_pem(request)) {
    return http::Response::text(status, "application/pem-certificate-chain", *pem + context.ca_pem)
        .with("Cache-Control", caching);
  }
  Poco::JSON::Object body(Poco::JSON_PRESERVE_KEY_ORDER);
  body.set("address", key.address);
  body.set("state", std::string(to_text(key.state)));
  body.set("fingerprint", key.fingerprint);
  body.set("certificate", *pem);
  body.set("chain", context.ca_pem);
  body.set("expires", key.expires ? Poco::Dynamic::Var(to_rfc3339(*key.expires)) : Poco::Dynamic::Var());
  std::ostringstream out;
  body.stringify(out);
  return http::Response::json(status, out.str()).with("Cache-Control", caching);
}

http::Response get_key(const KeyRoutesContext& context, const http::Request& request) {
  auto address = EmailAddress::parse(request.parameters.at("address"));
  if (!address) return http::Response::from(address.error());
  auto key = context.directory.find(*address);
  if (!key) return http::Response::failure(key.error());
  if (!key->has_value()) return http::Response::from(Error::not_found("this address has no key"));
  return present(context, request, 200, **key);
}

http::Response put_key(const KeyRoutesContext& context, const http::Request& request) {
  auto address = EmailAddress::parse(request.parameters.at("address"));
  if (!address) return http::Response::from(address.error());
  if (!address->fits_certificate()) {
    return http::Response::problem(422, "Unusable address", "this address cannot stand in a certificate");
  }
  auto known = context.directory.find(*address);
  if (!known) return http::Response::failure(known.error());
  if (known->has_value()) return present(context, request, 200, **known);

  const std::string& account = request.caller->account;
  auto allowed = context.may_assign(account, *address);
  if (!allowed) return http::Response::failure(allowed.error());
  if (!*allowed) {
    return http::Response::problem(429, "Too many new addresses", "this account has reached its limit for now")
        .with("Retry-After", "60");
  }
  auto assignment = context.directory.find_or_assign(*address, {account, {}});
  if (!assignment) return http::Response::failure(assignment.error());
  // A pair that a message was given just now is owed its notification whether that message is accepted or not.
  if (auto due = context.directory.release_notification(*address); !due) return http::Response::failure(due.error());
  if (assignment->assigned) context.assigned();
  return present(context, request, assignment->assigned ? 201 : 200, assignment->key);
}

}  // namespace

std::vector<http::Route> key_routes(KeyRoutesContext& context) {
  using http::Access;
  return {
      {"GET", "/v1/ca", Access::Public, 0,
       [&context](const http::Request&) {
         return http::Response::text(200, "application/x-pem-file", context.ca_pem);
       }},
      {"GET", "/v1/keys/{address}", Access::Keys, 0,
       [&context](const http::Request& request) { return get_key(context, request); }},
      {"PUT", "/v1/keys/{address}", Access::Keys, 1024,
       [&context](const http::Request& request) { return put_key(context, request); }},
  };
}

}  // namespace sealpost
