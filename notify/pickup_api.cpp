// SPDX-License-Identifier: Apache-2.0
// Pickup for programs: the calls below /v1/pickup.
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <sstream>

#include "base/encoding.h"
#include "base/http/json_body.h"
#include "crypto/certificate.h"
#include "crypto/certificate_bundle.h"
#include "notify/pickup_routes.h"

namespace sealpost {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

/// Members that a body may have and their values; all are strings in these calls.
using Members = std::map<std::string, std::string, std::less<>>;

Result<Members> read_members(const http::Request& request, const std::set<std::string>& allowed) {
  Members members;
  auto parsed = http::parse_json(view(request.body), 4);
  if (!parsed) return parsed.error();
  if (parsed->type() != typeid(Object::Ptr)) return Error::invalid("the body is not a JSON object");
  for (const auto& [name, value] : *parsed->extract<Object::Ptr>()) {
    if (!allowed.contains(name)) return Error::invalid("unknown member: " + name);
    if (value.isEmpty()) continue;
    if (!value.isString()) return Error::invalid("not a string: " + name);
    members.emplace(name, value.convert<std::string>());
  }
  return members;
}

std::string text_of(const Members& members, std::string_view name) {
  const auto found = members.find(name);
  return found == members.end() ? std::string() : found->second;
}

http::Response json(int status, const Object& object) {
  std::ostringstream out;
  object.stringify(out);
  return http::Response::json(status, out.str()).with("Cache-Control", "no-store");
}

/// A problem that says more than the usual members.
http::Response problem_with(int status, const std::string& title, const std::string& detail, const std::string& name,
                            const Poco::Dynamic::Var& value) {
  Object problem(Poco::JSON_PRESERVE_KEY_ORDER);
  problem.set("type", "about:blank");
  problem.set("title", title);
  problem.set("status", status);
  problem.set("detail", detail);
  problem.set(name, value);
  std::ostringstream out;
  problem.stringify(out);
  return http::Response::text(status, "application/problem+json", out.str()).with("Cache-Control", "no-store");
}

http::Response refuse(const PickupError& error) {
  const std::string& text = error.error.public_text;
  switch (error.fault) {
    case PickupFault::UnknownLink:
    case PickupFault::NoKey:
    case PickupFault::NoFile:
    case PickupFault::NoCertificate:
      return http::Response::problem(404, "Not found", text);
    case PickupFault::Expired:
      return http::Response::problem(410, "Expired", text);
    case PickupFault::Locked:
      return http::Response::problem(423, "Locked", text);
    case PickupFault::NoSession:
      return http::Response::problem(401, "No session", text).with("WWW-Authenticate", "Bearer");
    case PickupFault::BadPassword:
      return http::Response::problem(422, "Password not usable", text);
    case PickupFault::Failed: {
      auto response = http::Response::failure(error.error);
      response.fault.reset();  // Pickup has logged it, with the address
      return response;
    }
    case PickupFault::TooFast:
    case PickupFault::TooOften: {
      const auto wait = error.error.retry_after.value_or(std::chrono::hours(24));
      return http::Response::problem(429, "Too many attempts", text).with("Retry-After", std::to_string(wait.count()));
    }
    case PickupFault::OldCode:
      return http::Response::problem(403, "Code too old", text);
    case PickupFault::BadCertificate:
      return problem_with(422, "Certificate not usable", text, "check",
                          error.certificate ? std::string(to_text(error.certificate->check)) : std::string());
    case PickupFault::KeyGone:
    case PickupFault::NotCurrent:
    case PickupFault::InUse:
    case PickupFault::Revoked:
      return http::Response::problem(409, "Not possible for this key", text);
    case PickupFault::WrongCode:
      break;
  }
  return problem_with(403, "Wrong code", text, "attempts_left", error.attempts_left);
}

Result<Object> session_body(const Secret& session, const OpenedPickup& opened) {
  Object body(Poco::JSON_PRESERVE_KEY_ORDER);
  body.set("session", std::string(session.reveal()));
  body.set("address", opened.address);
  Array keys;
  for (const auto& key : opened.keys) {
    Object row(Poco::JSON_PRESERVE_KEY_ORDER);
    row.set("fingerprint", key.fingerprint);
    row.set("state", std::string(to_text(key.state)));
    row.set("assigned", to_rfc3339(key.assigned));
    row.set("available", key.available);
    row.set("own", key.own);
    keys.add(row);
  }
  if (!opened.keys.empty()) {
    const KeyRecord& current = opened.keys.front();
    body.set("state", std::string(to_text(current.state)));
    body.set("fingerprint", current.fingerprint);
    auto pem = to_pem(current.certificate);
    if (!pem) return pem.error();
    body.set("certificate", *pem);
    body.set("expires", current.expires ? Poco::Dynamic::Var(to_rfc3339(*current.expires)) : Poco::Dynamic::Var());
  }
  body.set("keys", keys);
  return body;
}

http::Response open_session(PickupRoutesContext& context, const http::Request& request) {
  auto members = read_members(request, {"code"});
  if (!members) return http::Response::from(members.error());
  if (!members->contains("code")) return http::Response::from(Error::invalid("code is missing"));
  const std::string& token = request.parameters.at("token");
  auto session = context.pickup.open(token, text_of(*members, "code"), request.client_network);
  if (!session) return refuse(session.error());
  auto opened = context.pickup.show(token, session->reveal());
  if (!opened) return refuse(opened.error());
  auto body = session_body(*session, *opened);
  if (!body) return http::Response::failure(body.error());
  return json(200, *body);
}

std::string bearer(const http::Request& request) {
  const auto field = request.field("authorization");
  if (field.size() < 7 || !ascii_iequals(field.substr(0, 7), "Bearer ")) return {};
  return std::string(field.substr(7));
}

http::Response take_pkcs12(PickupRoutesContext& context, const http::Request& request) {
  auto members = read_members(request, {"format", "fingerprint", "password"});
  if (!members) return http::Response::from(members.error());
  const std::string format = text_of(*members, "format");
  if (format != "modern" && format != "compatible") {
    return http::Response::problem(422, "Unknown format", "format is \"modern\" or \"compatible\"");
  }
  std::optional<Secret> password;
  if (members->contains("password")) password = Secret::copy_of(text_of(*members, "password"));
  auto file =
      context.pickup.take(request.parameters.at("token"), bearer(request), text_of(*members, "fingerprint"),
                          format == "modern" ? Pkcs12Format::Modern : Pkcs12Format::Compatible, std::move(password));
  if (!file) return refuse(file.error());
  Object body(Poco::JSON_PRESERVE_KEY_ORDER);
  body.set("filename", std::string(Pages::file_name));
  body.set("pkcs12", to_base64(view(file->octets)));
  body.set("password", std::string(file->password.reveal()));
  return json(200, body);
}

Object key_body(const KeyRecord& key) {
  Object body(Poco::JSON_PRESERVE_KEY_ORDER);
  body.set("state", std::string(to_text(key.state)));
  body.set("fingerprint", key.fingerprint);
  body.set("expires", key.expires ? Poco::Dynamic::Var(to_rfc3339(*key.expires)) : Poco::Dynamic::Var());
  return body;
}

http::Response answer_keep(PickupRoutesContext& context, const http::Request& request) {
  auto members = read_members(request, {"fingerprint"});
  if (!members) return http::Response::from(members.error());
  auto kept = context.choices.keep(request.parameters.at("token"), bearer(request), text_of(*members, "fingerprint"));
  return kept ? json(200, key_body(*kept)) : refuse(kept.error());
}

/// Before anything of a certificate is taken in: whose session it is.
std::optional<http::Response> admit_certificate(const PickupRoutesContext& context, const http::Request& request) {
  auto link = context.pickup.enter(request.parameters.at("token"), bearer(request));
  if (!link) return refuse(link.error());
  return std::nullopt;
}

http::Response answer_upload(PickupRoutesContext& context, const http::Request& request) {
  auto pending = context.choices.upload(request.parameters.at("token"), bearer(request), view(request.body));
  if (!pending) return refuse(pending.error());
  Object body(Poco::JSON_PRESERVE_KEY_ORDER);
  body.set("state", "pending");
  body.set("fingerprint", pending->pair.fingerprint);
  body.set("until", to_rfc3339(pending->until));
  return json(202, body);
}

http::Response answer_confirm(PickupRoutesContext& context, const http::Request& request) {
  auto members = read_members(request, {"code"});
  if (!members) return http::Response::from(members.error());
  if (!members->contains("code")) return http::Response::from(Error::invalid("code is missing"));
  auto current =
      context.choices.confirm(request.parameters.at("token"), text_of(*members, "code"), request.client_network);
  return current ? json(200, key_body(*current)) : refuse(current.error());
}

http::Response answer_forget(PickupRoutesContext& context, const http::Request& request) {
  auto members = read_members(request, {"fingerprint"});
  if (!members) return http::Response::from(members.error());
  auto forgotten =
      context.choices.forget(request.parameters.at("token"), bearer(request), text_of(*members, "fingerprint"));
  if (!forgotten) return refuse(forgotten.error());
  Object body = key_body(forgotten->key);
  body.set("receipt", forgotten->receipt.text);
  body.set("signature", to_base64(forgotten->receipt.signature));
  return json(200, body);
}

/// Nothing in answer or pace tells whether the address is known: the work is done elsewhere.
http::Response answer_resend(PickupRoutesContext& context, const http::Request& request) {
  auto members = read_members(request, {"address"});
  if (!members) return http::Response::from(members.error());
  if (auto address = EmailAddress::parse(text_of(*members, "address"))) {
    context.notifier.resend(*address, request.client_network);
  }
  return json(202, Object());
}

}  // namespace

std::vector<http::Route> pickup_api_routes(PickupRoutesContext& context) {
  using http::Access;
  constexpr std::size_t max_body = 4096;
  const auto call = [&context](auto* handler) {
    return [&context, handler](const http::Request& request) { return handler(context, request); };
  };
  return {
      {"POST", "/v1/pickup/resend", Access::Public, max_body, call(answer_resend)},
      {"POST", "/v1/pickup/{token}/session", Access::PublicSecure, max_body, call(open_session)},
      {"POST", "/v1/pickup/{token}/pkcs12", Access::PublicSecure, max_body, call(take_pkcs12)},
      {"POST", "/v1/pickup/{token}/keep", Access::PublicSecure, max_body, call(answer_keep)},
      {"PUT", "/v1/pickup/{token}/certificate", Access::PublicSecure, max_upload_octets, call(answer_upload), 1,
       call(admit_certificate)},
      {"POST", "/v1/pickup/{token}/certificate/confirm", Access::PublicSecure, max_body, call(answer_confirm)},
      {"POST", "/v1/pickup/{token}/forget", Access::PublicSecure, max_body, call(answer_forget)},
  };
}

}  // namespace sealpost
