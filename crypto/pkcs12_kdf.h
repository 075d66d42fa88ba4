// SPDX-License-Identifier: Apache-2.0
// A fault of gpgsm 2.2 in PKCS#12's key derivation (RFC 7292 appendix B.2), seen before a file is handed out.
#pragma once

#include <string_view>

#include "base/result.h"

namespace sealpost {

/// Whether a block of step 6C begins with a zero octet for one of the file's 3DES keys. gpgsm then leaves the octet
/// out, derives another key and calls the password wrong: about one file in 60. `der` is a file in the compatible form,
/// `password` ASCII.
Result<bool> is_misread_by_gpgsm(std::string_view der, std::string_view password);

}  // namespace sealpost
