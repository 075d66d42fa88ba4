// SPDX-License-Identifier: Apache-2.0
// A private Postfix that relays plaintext from loopback to a sink, for a comparison on the same machine at the same
// hour.
#pragma once

#include <memory>
#include <string>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

/// Neither TLS nor AUTH nor encryption: in its favour. Needs root and Debian's package postfix; touches none of its
/// folders.
class PostfixRelay final {
 public:
  explicit PostfixRelay(int sink_port);
  /// The port it listens on.
  [[nodiscard]] int port() const { return port_; }
  /// Ends it; returns the CPU seconds of all its processes.
  double stop();

 private:
  TempDir dir_;
  int port_;
  std::unique_ptr<Process> master_;
};

}  // namespace sealpost::test
