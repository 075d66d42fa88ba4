// SPDX-License-Identifier: Apache-2.0
// Numbers as Redis keeps them in strings: counts, scores, fields of INFO.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

namespace sealpost::redis {

/// The whole number in front; 0 when there is none.
inline std::int64_t to_number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace sealpost::redis
