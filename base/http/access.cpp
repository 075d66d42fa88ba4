// SPDX-License-Identifier: Apache-2.0
// Implements access.h.
#include "base/http/access.h"

#include <Poco/Net/IPAddress.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/net/network.h"

namespace sealpost::http {
namespace {

using Poco::Net::IPAddress;

bool has_scope(const Caller& caller, Access access) {
  switch (access) {
    case Access::Submit:
      return caller.scopes.contains(Scope::Submit);
    case Access::Keys:
      return caller.scopes.contains(Scope::Keys);
    case Access::SubmitOrOperator:
      return caller.scopes.contains(Scope::Submit) || caller.scopes.contains(Scope::Operator);
    case Access::Operator:
    case Access::OperatorOrLoopback:
      return caller.scopes.contains(Scope::Operator);
    case Access::Public:
    case Access::PublicSecure:
      return true;
  }
  return false;
}

bool is_trusted(const std::vector<std::string>& proxies, const IPAddress& address) {
  return std::any_of(proxies.begin(), proxies.end(), [&](const std::string& text) {
    IPAddress proxy;
    return IPAddress::tryParse(text, proxy) && proxy == address;
  });
}

/// The last address of the list that is not a trusted proxy's: what stands left of it, anybody may have written.
std::optional<IPAddress> forwarded_client(std::string_view list, const std::vector<std::string>& proxies) {
  std::optional<IPAddress> client;
  while (!list.empty()) {
    const auto comma = list.rfind(',');
    auto text = comma == std::string_view::npos ? list : list.substr(comma + 1);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    IPAddress address;
    if (!IPAddress::tryParse(std::string(text), address)) return client;
    client = address;
    if (!is_trusted(proxies, address)) return client;
  }
  return client;
}

}  // namespace

void set_origin(Request& request, const net::Peer& peer, const std::vector<std::string>& trusted_proxies) {
  const bool forwarded = request.fields.contains("x-forwarded-for") || request.fields.contains("x-forwarded-proto") ||
                         request.fields.contains("forwarded");
  request.client = peer.address;
  request.client_network = peer.network;
  request.direct_loopback = peer.loopback && !forwarded;
  request.secure = peer.tls || request.direct_loopback;
  IPAddress address;
  if (!forwarded || !IPAddress::tryParse(peer.address, address) || !is_trusted(trusted_proxies, address)) return;
  request.secure = ascii_iequals(request.field("x-forwarded-proto"), "https");
  if (const auto client = forwarded_client(request.field("x-forwarded-for"), trusted_proxies)) {
    request.client = client->toString();
    request.client_network = net::network_of(*client);
  }
}

std::optional<Response> check_transport(const Route& route, const Request& request) {
  if (request.secure) return std::nullopt;
  if (route.access != Access::PublicSecure && request.field("authorization").empty()) return std::nullopt;
  return Response::problem(
      403, "HTTPS required",
      "codes and credentials are not taken over plain HTTP from afar, nor from a proxy that is not in "
      "http.trusted_proxies or does not say X-Forwarded-Proto: https");
}

bool needs_caller(const Route& route, const Request& request) {
  if (route.access == Access::Public || route.access == Access::PublicSecure) return false;
  return route.access != Access::OperatorOrLoopback || !request.direct_loopback;
}

std::optional<Response> check_caller(Authenticator& authenticator, const Route& route, Request& request) {
  if (!needs_caller(route, request)) return std::nullopt;
  auto caller = authenticator.authenticate(request.field("authorization"), request.client_network);
  if (!caller && caller.error().kind == ErrorKind::Invalid) {
    return Response::problem(401, "Not authenticated", caller.error().public_text)
        .with("WWW-Authenticate", "Bearer, Basic realm=\"Sealpost\", charset=\"UTF-8\"");
  }
  if (!caller && caller.error().retry_after) {
    return Response::problem(429, "Too many wrong logins", caller.error().public_text)
        .with("Retry-After", std::to_string(caller.error().retry_after->count()));
  }
  if (!caller) return Response::failure(caller.error());
  request.caller = std::move(*caller);
  if (has_scope(*request.caller, route.access)) return std::nullopt;
  return Response::problem(403, "Missing scope", "this credential may not do that");
}

}  // namespace sealpost::http
