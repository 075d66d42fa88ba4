// SPDX-License-Identifier: Apache-2.0
// What the relay says of its own calls: GET /v1/openapi.json for programs, GET /docs for people. The text itself is
// openapi.json beside this file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/http/router.h"

namespace sealpost {

/// openapi.json with the relay's version and URL in it.
std::string openapi_document(std::string_view public_url);

/// `public_url`: http.public_url. The page is made once, here.
std::vector<http::Route> openapi_routes(std::string_view public_url);

}  // namespace sealpost
