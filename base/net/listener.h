// SPDX-License-Identifier: Apache-2.0
// One listening socket: binds, accepts without blocking, refuses. Knows nothing of what is spoken on it.
#pragma once

#include <Poco/Net/IPAddress.h>
#include <Poco/Net/ServerSocket.h>

#include <cstdint>
#include <memory>

#include "base/net/server_loop.h"
#include "base/result.h"

namespace sealpost::net {

class Listener final {
 public:
  static Result<std::unique_ptr<Listener>> bind(ListenerOptions options);

  [[nodiscard]] const ListenerOptions& options() const { return options_; }
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] int descriptor() const { return socket_.impl()->sockfd(); }
  void close();

  struct Accepted {
    enum class Outcome { Connection, Nothing, OutOfDescriptors } outcome;
    int descriptor = -1;  ///< non-blocking, closed on exec; the caller's from now on
    Poco::Net::IPAddress from;
  };
  [[nodiscard]] Accepted accept() const;
  /// Sends the refusal, if there is one, and closes. A TLS listener only closes: a handshake costs more than it is
  /// worth.
  void refuse(int descriptor) const;

 private:
  explicit Listener(ListenerOptions options) : options_(std::move(options)) {}
  ListenerOptions options_;
  Poco::Net::ServerSocket socket_;
};

}  // namespace sealpost::net
