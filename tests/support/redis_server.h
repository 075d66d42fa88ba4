// SPDX-License-Identifier: Apache-2.0
// A real redis-server on a unix socket in a private directory, durable as the relay demands.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/redis/client.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

class RedisServer final {
 public:
  /// Extra arguments as for redis-server's command line, e.g. {"--maxmemory", "8mb"}; later ones win.
  explicit RedisServer(std::vector<std::string> extra = {});
  ~RedisServer();
  [[nodiscard]] std::string socket() const { return dir_ / "redis.sock"; }
  [[nodiscard]] std::string url() const { return "unix://" + socket(); }
  [[nodiscard]] redis::Endpoint endpoint() const;
  [[nodiscard]] const TempDir& directory() const { return dir_; }
  [[nodiscard]] pid_t pid() const { return process_->pid(); }
  /// SIGKILL, as a crash; start() brings it back on the same data.
  void kill();
  void start();

 private:
  TempDir dir_;
  std::vector<std::string> extra_;
  std::unique_ptr<Process> process_;
};

}  // namespace sealpost::test
