// SPDX-License-Identifier: Apache-2.0
// Octets as text and back: hex, base64 (RFC 4648), base64url, percent, xtext, and the escapes of HTML; case, blanks and
// controls. Nothing here knows what the octets mean.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace sealpost {

std::string to_hex(std::string_view octets);
std::optional<std::string> from_hex(std::string_view text);
std::string to_base64(std::string_view octets);
/// The same for octets that are secret on both sides.
WipedBuffer to_base64_wiped(std::string_view octets);
/// Strict: alphabet, padding and length must be exact; no white space.
std::optional<std::string> from_base64(std::string_view text);
/// The same for octets that are secret on both sides.
std::optional<WipedBuffer> from_base64_wiped(std::string_view text);
/// RFC 4648 section 5 without padding.
std::string to_base64url(std::string_view octets);
std::optional<std::string> from_base64url(std::string_view text);
/// Percent-decoding of RFC 3986; nothing on a truncated or wrong escape.
std::optional<std::string> percent_decode(std::string_view text);
/// Escapes everything but ASCII letters, digits and what is `safe`.
std::string percent_encode(std::string_view text, std::string_view safe);
/// xtext of RFC 3461 section 4; nothing when it is malformed.
std::optional<std::string> decode_xtext(std::string_view text);
/// Text for HTML element content and quoted attribute values.
std::string html_escape(std::string_view text);

/// ASCII only; independent of the locale.
std::string ascii_lower(std::string_view text);
std::string ascii_upper(std::string_view text);
bool ascii_iequals(std::string_view a, std::string_view b);
bool is_ascii(std::string_view text);
/// True for well-formed UTF-8 without surrogates or overlong forms.
bool is_utf8(std::string_view text);
/// Without blanks (or whatever else is given) at both ends.
std::string_view trimmed(std::string_view text, std::string_view blanks = " \t");
/// Controls, line ends among them, replaced: somebody else's words stay on one line.
std::string without_controls(std::string_view text, char instead);
/// All but printable ASCII replaced by blanks.
std::string printable_ascii(std::string_view text);
/// True for UTF-8 with a control of the C1 range (U+0080 to U+009F: terminals obey them as ESC sequences) or a line or
/// paragraph separator (U+2028, U+2029).
bool has_unicode_control(std::string_view utf8);

}  // namespace sealpost
