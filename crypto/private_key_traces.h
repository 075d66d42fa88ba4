// SPDX-License-Identifier: Apache-2.0
// Recognises private keys in octets where none belongs, so that they are refused unread and wiped.
#pragma once

#include <string_view>

namespace sealpost {

/// True when anything in it is or begins like a private key: PEM of every kind, PKCS#1, SEC 1, PKCS#8, PKCS#12 (in BER,
/// too) and Java key stores, also as bare base64 or in UTF-16. A key that is cut off counts. Copies are wiped.
bool holds_private_key(std::string_view octets);

}  // namespace sealpost
