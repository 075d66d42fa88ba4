// SPDX-License-Identifier: Apache-2.0
// The transfer encoding of a sealed body, made at delivery: base64 in lines of 76 characters (RFC 2045 section 6.8),
// piece by piece.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sealpost {

/// Turns octets that arrive in pieces of any size into base64 lines with CRLF.
class BodyEncoder final {
 public:
  /// What can be written so far: whole lines only.
  std::string update(std::string_view octets);
  /// The last, short line; nothing when there is none.
  std::string finish();

 private:
  std::string rest_;  ///< octets of the line that is not full
};

/// Octets that BodyEncoder makes of so many.
std::uint64_t encoded_size(std::uint64_t octets);

}  // namespace sealpost
