// SPDX-License-Identifier: Apache-2.0
// relay.state_dir: made with mode 0700, held by one daemon at a time, and with a name that no other has.
#pragma once

#include <string>

#include "base/random.h"
#include "base/result.h"

namespace sealpost {

/// Holds the lock while it lives; the kernel gives it back when the process dies, however it dies.
class StateDir final {
 public:
  /// Invalid when it cannot be made or entered, others may enter it, or another daemon holds it (named by its process
  /// id).
  static Result<StateDir> take(const std::string& path, Random& random);
  ~StateDir();
  StateDir(StateDir&& other) noexcept;
  StateDir& operator=(StateDir&&) = delete;
  StateDir(const StateDir&) = delete;
  StateDir& operator=(const StateDir&) = delete;

  /// Drawn at random when the folder was made, 32 hex digits in its file `node`: machines may have the same name.
  [[nodiscard]] const std::string& node() const { return node_; }

 private:
  explicit StateDir(int lock) : lock_(lock) {}
  Status name_node(const std::string& path, Random& random);
  int lock_ = -1;
  std::string node_;
};

}  // namespace sealpost
