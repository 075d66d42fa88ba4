// SPDX-License-Identifier: Apache-2.0
// One non-blocking connection, plain or TLS, over Poco's sockets: the adapter that turns their exceptions and codes
// into four outcomes.
#pragma once

#include <Poco/Net/Context.h>
#include <Poco/Net/StreamSocket.h>

#include <cstddef>
#include <span>
#include <string_view>

namespace sealpost::net {

class Stream final {
 public:
  enum class Outcome {
    Done,       ///< octets were moved, or the handshake is complete
    WantRead,   ///< again when the socket can be read
    WantWrite,  ///< again when the socket can be written
    Ended,      ///< the peer closed its side
    Broken
  };
  struct Moved {
    Outcome outcome;
    std::size_t octets = 0;
  };

  /// Takes the descriptor, which must be non-blocking.
  explicit Stream(int descriptor);

  [[nodiscard]] int descriptor() const;
  [[nodiscard]] bool secure() const { return secure_; }
  /// Puts TLS onto the connection; handshake() goes on with it.
  bool begin_tls(const Poco::Net::Context::Ptr& context);
  Outcome handshake();
  /// "TLSv1.3", once the handshake is done; empty before, and without TLS.
  [[nodiscard]] std::string_view tls_version() const;
  Moved read(std::span<char> into);
  Moved write(std::string_view octets);
  /// Ends our side: TLS close_notify, then FIN.
  void finish();
  /// Reads what is on the socket without decrypting it; only after finish().
  Moved discard(std::span<char> scratch);
  void close();

 private:
  Poco::Net::StreamSocket socket_;
  bool secure_ = false;
};

}  // namespace sealpost::net
