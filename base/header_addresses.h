// SPDX-License-Identifier: Apache-2.0
// Address lists in header fields (RFC 5322 section 3.4), read strictly: what two programs could read differently is an
// error, since send-as rules hang on it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/email_address.h"
#include "base/result.h"

namespace sealpost {

struct HeaderMailbox {
  std::string display_name;  ///< unquoted, encoded words as they are
  EmailAddress address;
};

/// Mailboxes of a field body, those of groups included. Comments and folds are skipped; source routes, empty list
/// elements, NUL and bare line ends are refused.
Result<std::vector<HeaderMailbox>> parse_address_list(std::string_view field_body);

}  // namespace sealpost
