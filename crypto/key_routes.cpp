// SPDX-License-Identifier: Apache-2.0
// Implements key_routes.h.
#include "crypto/key_routes.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <sstream>

#include "base/http/json_body.h"
#include "crypto/certificate.h"

namespace sealpost {
namespace {

constexpr std::size_t max_bulk = 100;

/// Who asks, and how.
struct Call {
  std::string account;
  bool assigns;                 ///< an address without a pair is given one
  bool pem;                     ///< the certificate with its chain, instead of JSON
  std::size_t assigned_so_far;  ///< pairs that this call has caused before
};

bool wants_pem(const http::Request& request) {
  return request.field("accept").find("application/x-pem-file") != std::string_view::npos ||
         request.field("accept").find("application/pem-certificate-chain") != std::string_view::npos;
}

/// Clients must not keep an interim key: it may be replaced before the next message. A code is told once.
http::Response present(const KeyRoutesContext& context, const Call& call, int status, const KeyRecord& key,
                       const std::optional<Secret>& code = std::nullopt) {
  const bool passing = code || key.state == PairState::Interim;
  const std::string caching = passing ? "no-store" : "private, max-age=300";
  const auto pem = to_pem(key.certificate);
  if (!pem) return http::Response::failure(pem.error());
  // Who issued a certificate of the recipient's own is not known here.
  const std::string chain = key.own ? std::string() : context.ca_pem;
  if (call.pem) {
    return http::Response::text(status, "application/pem-certificate-chain", *pem + chain)
        .with("Cache-Control", caching)
        .with("Vary", "Accept");
  }
  Poco::JSON::Object body(Poco::JSON_PRESERVE_KEY_ORDER);
  body.set("address", key.address);
  body.set("state", std::string(to_text(key.state)));
  body.set("fingerprint", key.fingerprint);
  body.set("certificate", *pem);
  body.set("chain", chain);
  body.set("expires", key.expires ? Poco::Dynamic::Var(to_rfc3339(*key.expires)) : Poco::Dynamic::Var());
  if (code) body.set("code", std::string(code->reveal()));
  std::ostringstream out;
  body.stringify(out);
  return http::Response::json(status, out.str()).with("Cache-Control", caching).with("Vary", "Accept");
}

/// A pair for an address that has none.
http::Response assign(const KeyRoutesContext& context, const Call& call, const EmailAddress& address) {
  if (!address.fits_certificate()) {
    return http::Response::problem(422, "Unusable address", "this address cannot stand in a certificate");
  }
  auto stock = context.directory.stock(address);
  if (!stock) return http::Response::failure(stock.error());
  if (*stock && call.assigned_so_far + 1 > **stock + generated_per_transaction) {
    return http::Response::problem(429, "Too many new addresses", "too many addresses without a key in one call")
        .with("Retry-After", "60");
  }
  auto allowed = context.may_assign(call.account, address);
  if (!allowed) return http::Response::failure(allowed.error());
  if (!*allowed) {
    return http::Response::problem(429, "Too many new addresses", "this account has reached its limit for now")
        .with("Retry-After", "60");
  }
  auto assignment = context.directory.find_or_assign(address, {call.account, {}});
  if (!assignment) return http::Response::failure(assignment.error());
  // A pair that a message was given just now is owed its notification whether that message is accepted or not.
  if (auto due = context.directory.release_notification(address); !due) return http::Response::failure(due.error());
  if (!assignment->assigned) return present(context, call, 200, assignment->key);
  context.assigned();
  return present(context, call, 201, assignment->key, context.code_of(assignment->row_id));
}

http::Response find(const KeyRoutesContext& context, const Call& call, const std::string& text) {
  auto address = EmailAddress::parse(text);
  if (!address) return http::Response::from(address.error());
  auto key = context.directory.find(*address);
  if (!key) return http::Response::failure(key.error());
  if (key->has_value() && use_of(**key, context.clock.now()) == KeyUse::Hold) {
    const std::string text =
        "the recipient's own certificate has expired or was revoked, and they have set no other yet";
    return call.assigns ? http::Response::problem(409, "No usable key", text)
                        : http::Response::from(Error::not_found(text));
  }
  if (key->has_value()) return present(context, call, 200, **key);
  if (call.assigns) return assign(context, call, *address);
  return http::Response::from(Error::not_found("this address has no key"));
}

http::Response unprocessable(const std::string& pointer, const std::string& detail) {
  const std::string where = pointer.empty() ? std::string() : pointer + ": ";
  return http::Response::problem(422, "Invalid request", where + detail, {{pointer, detail}});
}

/// {addresses[], assign?}.
struct Bulk {
  std::vector<std::string> addresses;
  bool assign = false;
};

Result<Bulk, http::Response> read_bulk(const http::Request& request) {
  auto json = http::parse_json(view(request.body), 3);
  if (!json) return http::Response::from(json.error());
  if (json->type() != typeid(Poco::JSON::Object::Ptr)) return unprocessable("", "not an object");
  Bulk bulk;
  for (const auto& [name, value] : *json->extract<Poco::JSON::Object::Ptr>()) {
    const std::string pointer = "/" + http::pointer_token(name);
    if (name == "assign") {
      if (!value.isBoolean()) return unprocessable(pointer, "not true or false");
      bulk.assign = value.convert<bool>();
      continue;
    }
    if (name != "addresses") return unprocessable(pointer, "there is no such member");
    if (value.type() != typeid(Poco::JSON::Array::Ptr)) return unprocessable(pointer, "not an array");
    for (const auto& address : *value.extract<Poco::JSON::Array::Ptr>()) {
      const std::string place = pointer + "/" + std::to_string(bulk.addresses.size());
      if (!address.isString()) return unprocessable(place, "not a string");
      bulk.addresses.push_back(address.extract<std::string>());
    }
  }
  if (bulk.addresses.empty()) return unprocessable("/addresses", "missing: whose keys");
  if (bulk.addresses.size() > max_bulk) return unprocessable("/addresses", "more than " + std::to_string(max_bulk));
  return bulk;
}

/// Each address is answered by itself: {status, key} or {status, problem}.
http::Response post_keys(const KeyRoutesContext& context, const http::Request& request) {
  auto bulk = read_bulk(request);
  if (!bulk) return std::move(bulk).error();
  std::string results;
  std::size_t assigned = 0;
  for (const auto& address : bulk->addresses) {
    const auto one = find(context, {request.caller->account, bulk->assign, false, assigned}, address);
    assigned += one.status == 201 ? 1 : 0;
    results += (results.empty() ? "" : ",") + ("{\"status\":" + std::to_string(one.status)) +
               (one.status < 300 ? ",\"key\":" : ",\"problem\":") + std::string(view(one.body)) + "}";
  }
  return http::Response::json(200, "{\"results\":[" + results + "]}").with("Cache-Control", "no-store");
}

/// RFC 5280 section 4.2.1.13: DER, as application/pkix-crl (RFC 2585).
http::Response crl(const KeyRoutesContext& context) {
  auto der = context.crl.list();
  if (!der) return http::Response::failure(der.error());
  return http::Response::text(200, "application/pkix-crl", *der).with("Cache-Control", "max-age=60");
}

}  // namespace

std::vector<http::Route> key_routes(KeyRoutesContext& context) {
  using http::Access;
  return {
      {"GET", "/v1/ca", Access::Public, 0,
       [&context](const http::Request&) {
         return http::Response::text(200, "application/x-pem-file", context.ca_pem);
       }},
      {"GET", "/v1/crl", Access::Public, 0, [&context](const http::Request&) { return crl(context); }},
      {"GET", "/v1/keys/{address}", Access::Keys, 0,
       [&context](const http::Request& request) {
         return find(context, {request.caller->account, false, wants_pem(request), 0},
                     request.parameters.at("address"));
       }},
      {"PUT", "/v1/keys/{address}", Access::Keys, 1024,
       [&context](const http::Request& request) {
         return find(context, {request.caller->account, true, wants_pem(request), 0}, request.parameters.at("address"));
       }},
      {"POST", "/v1/keys", Access::Keys, 64UL * 1024,
       [&context](const http::Request& request) { return post_keys(context, request); }},
  };
}

}  // namespace sealpost
