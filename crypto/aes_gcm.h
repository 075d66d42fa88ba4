// SPDX-License-Identifier: Apache-2.0
// Primitives under the master key: AES-256-GCM (NIST SP 800-38D) and HKDF-SHA256 (RFC 5869), on OpenSSL.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace sealpost {

inline constexpr std::size_t gcm_key_size = 32;
inline constexpr std::size_t gcm_nonce_size = 12;
inline constexpr std::size_t gcm_tag_size = 16;

/// Ciphertext ‖ tag.
Result<std::string> gcm_encrypt(const Secret& key, std::string_view nonce, std::string_view associated,
                                std::string_view plain);
/// Permanent when the tag does not fit; nothing is released before it was checked.
Result<WipedBuffer> gcm_decrypt(const Secret& key, std::string_view nonce, std::string_view associated,
                                std::string_view sealed);
/// 32 octets for one use of the secret.
Result<Secret> hkdf_sha256(const Secret& secret, std::string_view salt, std::string_view info);

}  // namespace sealpost
