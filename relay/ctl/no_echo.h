// SPDX-License-Identifier: Apache-2.0
// A terminal that does not show what is typed, and is left as it was whatever ends the program or stops it meanwhile.
#pragma once

namespace sealpost::ctl {

/// Of standard input, while it lives; at most one at a time. Not active when that is no terminal.
class NoEcho final {
 public:
  NoEcho();
  ~NoEcho();
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  [[nodiscard]] bool active() const { return active_; }

 private:
  bool active_ = false;
};

}  // namespace sealpost::ctl
