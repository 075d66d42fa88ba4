// SPDX-License-Identifier: Apache-2.0
// For what announces nothing when it happens (a record in Redis, a file in a maildir): looks again and again, and gives
// up in the end.
#pragma once

#include <chrono>
#include <thread>
#include <utility>

namespace sealpost::test {

/// True as soon as `look` says so; false when it has not by the time-out.
template <class Look>
bool eventually(Look&& look, std::chrono::steady_clock::duration timeout = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!look()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace sealpost::test
