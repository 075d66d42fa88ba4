// SPDX-License-Identifier: Apache-2.0
// Breaks the plain text of mails into lines of 72 columns. Japanese has no blanks and wide characters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sealpost {

/// Columns of UTF-8 text on a screen: wide characters take two (Unicode's East Asian Width W and F).
std::size_t columns_of(std::string_view text);

/// Each line of the text that is too long is broken at blanks, and between wide characters where punctuation allows it;
/// lines behind "1. " are indented. A line of nothing but "Link: URL" or "Authentication code: CODE" stays as it is,
/// for programs look for it. Of several empty lines one is left.
std::string wrapped(std::string_view text, std::size_t width = 72);

}  // namespace sealpost
