// SPDX-License-Identifier: Apache-2.0
// What a recipient types and clicks: authentication codes, link tokens and session tokens; how they are made and read
// back.
#pragma once

#include <optional>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"
#include "base/wrapper.h"

namespace sealpost {

/// XXXX-XXXX-XXXX in Crockford's base32: 60 random bits, no look-alikes.
Secret make_code(Random& random);
/// The same as a MAC of the outbox row whose notification keeps it back (notify.code_to): whoever answers the sender
/// and whoever makes the link get one code, and Redis tells it to nobody.
Secret sender_code(Wrapper& wrapper, std::string_view row_id);
/// A typed code in the form of make_code: case, spaces, dashes and the look-alikes O, I and L are forgiven. Nothing
/// when it cannot be one.
std::optional<Secret> normalise_code(std::string_view typed);

/// 144 random bits in base64url, for links and sessions: short enough for a link on one line of 76 characters.
Secret make_token(Random& random);
/// True for text that make_token could have made.
bool is_token(std::string_view text);

}  // namespace sealpost
