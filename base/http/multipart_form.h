// SPDX-License-Identifier: Apache-2.0
// Reads the body of a form with files (multipart/form-data, RFC 7578) within bounds.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace sealpost::http {

/// The fields by name, files among them; of a name that comes twice the first. Invalid when it is no such form, has no
/// boundary, more than 20 parts, or a part without a name; a body that ends early counts as ended.
Result<std::map<std::string, WipedBuffer>> parse_multipart_form(std::string_view content_type, std::string_view body);

}  // namespace sealpost::http
