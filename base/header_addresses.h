// SPDX-License-Identifier: Apache-2.0
// Address lists in header fields (RFC 5322 section 3.4), read strictly: what two programs could read differently is an
// error, since send-as rules hang on it.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/email_address.h"
#include "base/result.h"

namespace sealpost {

/// A field with more of them is refused: nobody writes one by hand, and each costs memory that no budget counts.
inline constexpr std::size_t max_addresses = 1000;

/// The addresses of a field body, those of groups included. Names, comments and folds are skipped; source routes, empty
/// list elements, NUL and bare line ends are refused.
Result<std::vector<EmailAddress>> parse_address_list(std::string_view field_body);

}  // namespace sealpost
