// SPDX-License-Identifier: Apache-2.0
// Whether a form came from one of our own pages, as far as the browser says.
#pragma once

#include <string_view>

#include "base/http/router.h"

namespace sealpost {

/// By Origin (RFC 6454), compared exactly with http.public_url and with the authority that the request itself names;
/// when the browser hides it (our pages ask for no referrer, which makes it "null"), by Sec-Fetch-Site. A program sends
/// neither.
bool posted_from_here(const http::Request& request, std::string_view public_url);

}  // namespace sealpost
