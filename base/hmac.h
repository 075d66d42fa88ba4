// SPDX-License-Identifier: Apache-2.0
// HMAC-SHA-256 (RFC 2104) on OpenSSL.
#pragma once

#include <string>
#include <string_view>

namespace sealpost {

/// 32 octets. Ends the process when OpenSSL cannot make them: no MAC may ever be guessed.
std::string hmac_sha256(std::string_view key, std::string_view data);

}  // namespace sealpost
