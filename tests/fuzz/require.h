// SPDX-License-Identifier: Apache-2.0
// How a fuzz target states what must hold: in every build type, with a line that says what did not.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace sealpost::fuzz {

inline void require(bool holds, const char* what) {
  if (holds) return;
  static_cast<void>(std::fprintf(stderr, "does not hold: %s\n", what));
  std::abort();
}

}  // namespace sealpost::fuzz
