// SPDX-License-Identifier: Apache-2.0
// Text in mail as its standards want it: header fields beyond ASCII (RFC 2047, 2231), folds (RFC 5322 section 2.2.3),
// line ends and transfer encodings of parts (RFC 2045).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace sealpost {

/// A field with unstructured text (RFC 5322 section 2.2.1), folded, with its CRLF: as it is when that reads back as the
/// same, else in encoded-words. The value is UTF-8 without controls.
std::string unstructured_field(std::string_view name, std::string_view value);
/// The same for a field in which no encoded-word stands (RFC 2047 section 5), such as a list of message ids: what looks
/// like one there is left as it is.
std::string structured_field(std::string_view name, std::string_view value);
/// Encoded-words of UTF-8 text, each of whole characters, folded between them; the first one begins in `column` of its
/// line.
std::string encoded_words(std::string_view text, std::size_t column);
/// "Name <address>" with the name quoted or encoded as it needs; the address alone, in angle brackets, without one.
std::string name_addr(std::string_view name, std::string_view address, std::size_t column);
/// `; name=value` of a Content-* field on a line of its own: quoted, or in the form and the pieces of RFC 2231.
std::string parameter(std::string_view name, std::string_view value);

/// CRLF at each end of a line, whatever it was; nothing is added behind the last one.
WipedBuffer with_crlf(std::string_view text);
/// ASCII in lines of at most 998 octets that end with CRLF, without NUL or CR elsewhere (RFC 2045 section 2.7).
bool is_7bit(std::string_view text);
/// The same with octets above 127 (section 2.8).
bool is_8bit(std::string_view text);

}  // namespace sealpost
