// SPDX-License-Identifier: Apache-2.0
// JSON schemas in words: what a value may be, and which members an object has.
#pragma once

#include <string>

#include "relay/openapi/openapi_json.h"

namespace sealpost::openapi {

/// "text", "list of <a>Message</a>", "number, 1 to 500": in a few words, with links to the schemas that have a name.
std::string type_html(const Object& schema);
/// A definition list of an object's members; empty when it names none. A member without a word of its own has that of
/// the schema that it refers to.
std::string members_html(const Document& document, const Object& schema);

}  // namespace sealpost::openapi
