// SPDX-License-Identifier: Apache-2.0
// Tells whether octets are one OpenPGP encrypted message (RFC 4880 section 11.3) and nothing else, by walking its
// packets. Decrypts nothing.
#pragma once

#include <string_view>

namespace sealpost {

/// ASCII armour or binary: one or more PKESK or SKESK packets, then exactly one encrypted-data packet.
bool is_openpgp_encrypted(std::string_view octets);

}  // namespace sealpost
