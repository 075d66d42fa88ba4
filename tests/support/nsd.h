// SPDX-License-Identifier: Apache-2.0
// A real DNS server (nsd) on a free port with one zone; for every other name it refuses to answer.
#pragma once

#include <memory>
#include <string>

#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

class Nsd final {
 public:
  /// `records` as in a zone file, relative to `zone`; SOA and NS are added.
  Nsd(const std::string& zone, const std::string& records);
  ~Nsd();

  /// address:port, as dns.server takes it.
  [[nodiscard]] std::string place() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  TempDir dir_;
  int port_ = free_port();
  std::unique_ptr<Process> process_;
};

}  // namespace sealpost::test
