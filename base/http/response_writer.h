// SPDX-License-Identifier: Apache-2.0
// A response as octets on the wire: status line, the security fields that every answer carries, framing.
#pragma once

#include <string>

#include "base/http/router.h"

namespace sealpost::http {

/// `head_only` answers HEAD: the length of the body, but not the body.
WipedBuffer write_response(Response response, bool head_only, bool close);

/// The standard's words for a status.
std::string reason_of(int status);

}  // namespace sealpost::http
