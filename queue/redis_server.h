// SPDX-License-Identifier: Apache-2.0
// The embedded Redis: a private redis-server on a unix socket in state_dir, durable as the queue demands, supervised
// while the daemon lives.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "base/log.h"
#include "base/result.h"

namespace sealpost {

class EmbeddedRedis final {
 public:
  /// `patience`: how long a server may be silent before its start counts as failed; one that loads its data is waited
  /// for however long that takes.
  EmbeddedRedis(std::string state_dir, std::uint64_t maxmemory, Log& log,
                std::chrono::milliseconds patience = std::chrono::seconds(60));
  ~EmbeddedRedis();
  EmbeddedRedis(const EmbeddedRedis&) = delete;
  EmbeddedRedis& operator=(const EmbeddedRedis&) = delete;

  /// Adopts a server that survived an earlier daemon, or starts one, and waits until it answers. Invalid: the socket's
  /// path is too long, redis-server is missing, or it ends at once. Temporary: it lives, but does not answer.
  Status start();
  /// Has it write its last octets and end; waits.
  void stop();
  [[nodiscard]] std::string socket() const { return state_dir_ + "/redis.sock"; }

 private:
  void supervise();
  Status launch();
  enum class Answer { None, Loading, Ready };
  Answer ask() const;
  void end_child();
  void wait_until_gone(std::chrono::seconds limit);
  bool alive() const;
  bool wait_until_ready();

  std::string state_dir_;
  std::uint64_t maxmemory_;
  Log& log_;
  std::chrono::milliseconds patience_;
  pid_t child_ = -1;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread supervisor_;
};

}  // namespace sealpost
