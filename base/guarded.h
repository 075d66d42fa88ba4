// SPDX-License-Identifier: Apache-2.0
// Keeps threads alive: what a round of their loop throws (memory was short, say) is logged and goes no further.
#pragma once

#include <exception>
#include <string_view>

#include "base/log.h"

namespace sealpost {

/// False when the round threw, which is logged as `event`.
template <class Round>
bool guarded(Log& log, std::string_view event, const Round& round) noexcept {
  try {
    round();
    return true;
  } catch (const std::exception& why) {
    try {
      log.error(event, {{"detail", why.what()}});
    } catch (const std::exception&) {
      return false;  // not even memory to say so
    }
    return false;
  }
}

}  // namespace sealpost
