// SPDX-License-Identifier: Apache-2.0
// Implements pulse_routes.h.
#include "queue/pulse_routes.h"

#include <memory>

#include "base/secret.h"

namespace sealpost {
namespace {

/// Whether the request would be let in once more. A store that is away ends no stream: nobody knows.
Pulse::Admitted still_admitted(Authenticator& authenticator, const http::Request& request) {
  return [&authenticator, network = request.client_network,
          credential = std::make_shared<const Secret>(Secret::copy_of(request.field("authorization")))] {
    auto caller = authenticator.authenticate(credential->reveal(), network);
    return caller ? caller->scopes.contains(Scope::Operator) : caller.error().kind == ErrorKind::Temporary;
  };
}

}  // namespace

std::vector<http::Route> pulse_routes(Pulse& pulse, Authenticator& authenticator) {
  return {
      {"GET", "/v1/queue/stream", http::Access::Operator, 0, [&pulse, &authenticator](const http::Request& request) {
         return http::Response::event_stream(
             pulse.listen(request.field("last-event-id"), still_admitted(authenticator, request)),
             request.caller->account);
       }}};
}

}  // namespace sealpost
