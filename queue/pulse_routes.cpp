// SPDX-License-Identifier: Apache-2.0
// Implements pulse_routes.h.
#include "queue/pulse_routes.h"

namespace sealpost {

std::vector<http::Route> pulse_routes(Pulse& pulse) {
  return {{"GET", "/v1/queue/stream", http::Access::Operator, 0, [&pulse](const http::Request& request) {
             return http::Response::event_stream(pulse.listen(request.field("last-event-id")), request.caller->account);
           }}};
}

}  // namespace sealpost
