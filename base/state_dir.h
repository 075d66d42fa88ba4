// SPDX-License-Identifier: Apache-2.0
// relay.state_dir: made with mode 0700 and held by one daemon at a time.
#pragma once

#include <string>

#include "base/result.h"

namespace sealpost {

/// Holds the lock while it lives; the kernel gives it back when the process dies, however it dies.
class StateDir final {
 public:
  /// Invalid when it cannot be made or entered, others may enter it, or another daemon holds it (named by its process
  /// id).
  static Result<StateDir> take(const std::string& path);
  ~StateDir();
  StateDir(StateDir&& other) noexcept;
  StateDir& operator=(StateDir&&) = delete;
  StateDir(const StateDir&) = delete;
  StateDir& operator=(const StateDir&) = delete;

 private:
  explicit StateDir(int lock) : lock_(lock) {}
  int lock_ = -1;
};

}  // namespace sealpost
