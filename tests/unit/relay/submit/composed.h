// SPDX-License-Identifier: Apache-2.0
// Compositions as tests write them, the octets that they make, and what holds of every line of these.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "relay/submit/mime_composer.h"
#include "tests/support/address.h"

namespace sealpost::submit::test {

using sealpost::test::address;

/// From a@example.com to b@example.net, without text.
inline Composition message() {
  Composition composition{{"", address("a@example.com")}, {}, {}, {}, {}, "Hello", {}, {}, {}, {}};
  composition.to.push_back({"", address("b@example.net")});
  return composition;
}

inline std::string composed(const Composition& composition) { return std::string(view(compose(composition))); }

inline std::string times(std::size_t count, std::string_view text) {
  std::string out;
  for (; count > 0; --count) out += text;
  return out;
}

/// Each ends with CRLF, holds no other CR, LF or NUL, and has at most 998 octets.
inline void expect_lines(std::string_view raw) {
  while (!raw.empty()) {
    const std::string_view line = raw.substr(0, std::min(raw.find("\r\n"), raw.size()));
    ASSERT_EQ(line.find_first_of(std::string_view("\r\n\0", 3)), std::string_view::npos) << line;
    ASSERT_LE(line.size(), 998U);
    raw.remove_prefix(std::min(line.size() + 2, raw.size()));
  }
}

}  // namespace sealpost::submit::test
