// SPDX-License-Identifier: Apache-2.0
// Finds the PEM blocks (RFC 7468) in octets from anywhere, with text around them, and decodes them. What they hold is
// for others to say.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace sealpost {

struct PemBlock {
  std::string label;               ///< what stands behind BEGIN
  std::optional<WipedBuffer> der;  ///< nothing when the block has no end or is not base64
};

/// In their order; every octet is looked at a fixed number of times. Buffers are wiped since a block may turn out to be
/// a private key.
std::vector<PemBlock> find_pem_blocks(std::string_view text);
/// Base64 in lines of any length, with white space anywhere; nothing when it is none.
std::optional<WipedBuffer> decode_base64_lines(std::string_view text);

}  // namespace sealpost
