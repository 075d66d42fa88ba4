// SPDX-License-Identifier: Apache-2.0
// The gate in front of every handler: where a request comes from, whether a secret may travel that way, who calls and
// with which scope.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/authenticator.h"
#include "base/http/router.h"
#include "base/net/conversation.h"

namespace sealpost::http {

/// Sets client, client_network, secure and direct_loopback. A proxy's fields are believed from trusted addresses only.
void set_origin(Request& request, const net::Peer& peer, const std::vector<std::string>& trusted_proxies);

/// The refusal of codes and credentials over plain HTTP from afar; nothing means: pass. Asks nobody, so the loop may
/// call it.
std::optional<Response> check_transport(const Route& route, const Request& request);

[[nodiscard]] bool needs_caller(const Route& route, const Request& request);

/// Sets the caller, or tells why not; who lacks the scope only is set, and refused. May block.
std::optional<Response> check_caller(Authenticator& authenticator, const Route& route, Request& request);

}  // namespace sealpost::http
