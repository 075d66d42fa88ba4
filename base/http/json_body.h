// SPDX-License-Identifier: Apache-2.0
// Reads a request's JSON body (RFC 8259) within bounds, and says by JSON pointer (RFC 6901) what is wrong in it.
#pragma once

#include <Poco/Dynamic/Var.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/http/router.h"
#include "base/result.h"

namespace sealpost::http {

/// The Poco::JSON::Object::Ptr or Array::Ptr that the body is; within, a value is one of these, a string, number, bool,
/// or empty for null. Invalid when it is not UTF-8, not JSON or another value, nests deeper than `max_depth`, has a
/// member twice, a name of more than 255 octets or with a NUL, a number of more than 15 digits, an object of more than
/// 200 members, or more than 50,000 values: each costs memory or time that no octet of it pays for.
Result<Poco::Dynamic::Var> parse_json(std::string_view body, std::size_t max_depth);

/// A reference token of a pointer, escaped.
std::string pointer_token(std::string_view name);

}  // namespace sealpost::http
