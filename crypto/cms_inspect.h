// SPDX-License-Identifier: Apache-2.0
// Tells whether octets are one encrypted CMS structure (RFC 5652 section 6, RFC 5083) and nothing else. Decrypts
// nothing.
#pragma once

#include <string_view>

namespace sealpost {

/// (Auth)EnvelopedData with recipients and content under AES or 3DES, in BER or DER; no room beside the ciphertext that
/// could carry text in clear (attributes, originator's certificates, recipients of unknown form). Everything doubtful
/// is false.
bool is_encrypted_cms(std::string_view octets);

}  // namespace sealpost
