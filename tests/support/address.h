// SPDX-License-Identifier: Apache-2.0
// An address that a test knows to be one.
#pragma once

#include <string_view>

#include "base/email_address.h"

namespace sealpost::test {

inline EmailAddress address(std::string_view text) { return EmailAddress::parse(text).value(); }

}  // namespace sealpost::test
