// SPDX-License-Identifier: Apache-2.0
// Which language a reader is shown, by what the browser asks for (RFC 9110 section 12.5.4).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sealpost {

/// The one of `available` that the field wants most, by q-value and then by order; ja-JP is served by ja (RFC 4647
/// section 3.4). `otherwise` when it names none of them, or cannot be read.
std::string choose_language(std::string_view accept_language, const std::vector<std::string>& available,
                            const std::string& otherwise);

}  // namespace sealpost
