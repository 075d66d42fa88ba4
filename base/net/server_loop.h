// SPDX-License-Identifier: Apache-2.0
// Non-blocking listeners and connections in one poll loop with workers behind it. Owns sockets, TLS, limits and
// time-outs; knows no protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/net/conversation.h"
#include "base/net/tls_context.h"
#include "base/net/tls_counts.h"
#include "base/net/worker_pool.h"
#include "base/result.h"

namespace sealpost::net {

struct ListenerOptions {
  std::string name;                    ///< for logs: "smtp", "smtps", "http", "https"
  std::string address;                 ///< host:port or [v6]:port; port 0 takes a free one
  bool tls = false;                    ///< handshake first
  std::size_t max_connections = 5000;  ///< of all the loop's listeners together, as the next one
  std::size_t max_connections_per_network = 200;
  /// What a connection beyond the limits is sent before it is closed; empty on TLS listeners.
  std::string refusal;
  std::chrono::milliseconds handshake_timeout{30000};
  /// Makes the conversation of a new connection.
  std::function<std::unique_ptr<Conversation>()> accept;
};

class ServerLoop final {
 public:
  /// tls may be null when no listener and no conversation needs it. TLS contexts are taken anew per handshake, so a
  /// reload needs no restart.
  ServerLoop(WorkerPool& workers, TlsContext* tls, Log& log, TlsCounts tls_counts = {});
  ~ServerLoop();
  ServerLoop(const ServerLoop&) = delete;
  ServerLoop& operator=(const ServerLoop&) = delete;

  /// Binds at once and returns the port that was bound. Call before start().
  Result<std::uint16_t> listen(ListenerOptions options);
  void start();
  /// Closes the listeners and what is idle at once, lets running jobs and their replies finish until the grace ends,
  /// then closes the rest. Returns when no job of ours runs any more; those that have not begun by the end of the grace
  /// are dropped.
  void stop(std::chrono::milliseconds grace);
  [[nodiscard]] std::size_t connections() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sealpost::net
