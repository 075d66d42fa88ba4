// SPDX-License-Identifier: Apache-2.0
// A client that sends exactly the octets it is told, over TCP or TLS on loopback. Every wait has a deadline and none is
// by sleeping.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/openssl.h"

namespace sealpost::test {

class RawClient final {
 public:
  using Wait = std::chrono::milliseconds;

  /// Connects to a port of 127.0.0.1. `receive_buffer` > 0 makes the kernel's buffer small, for tests of back-pressure.
  /// `source` is the address that it comes from (127.0.0.0/8), for tests of what counts by client.
  explicit RawClient(std::uint16_t port, int receive_buffer = 0, Wait deadline = std::chrono::seconds(10),
                     const char* source = nullptr);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  /// TLS from here on, certificates unchecked; offers the session if there is one. False when the handshake fails.
  bool start_tls(SSL_SESSION* resume = nullptr, int max_version = 0);
  [[nodiscard]] bool resumed() const { return SSL_session_reused(tls_.get()) == 1; }
  /// The TLS session so far; TLS 1.3 has one only after the first read.
  [[nodiscard]] OpenSslPtr<SSL_SESSION, SSL_SESSION_free> session() const;

  /// False when the peer does not take all of it in time.
  bool send(std::string_view octets);
  /// Sends until the peer takes no more for that long; returns how many octets went out.
  std::size_t send_until_blocked(std::string_view octets, Wait quiet = std::chrono::milliseconds(200));
  /// A line without its CRLF; what there was when the connection ended or the time was over.
  std::string read_line();
  /// Up to and including the mark; less when the connection ended or the time was over.
  std::string read_until(std::string_view mark);
  std::string read_exactly(std::size_t count);
  /// All that comes until the peer closes or the time is over.
  std::string read_to_end();
  /// The peer closes in time and sends nothing more before.
  bool expect_close();
  /// True when the peer has closed within that time; octets that come are kept for later reads.
  bool closed_within(Wait time);
  /// Ends our side only.
  void half_close();
  /// Closes with a reset, as a crashed peer does.
  void reset();

 private:
  bool wait(short events, std::chrono::steady_clock::time_point until) const;
  bool wait_tls(int result, std::chrono::steady_clock::time_point until);
  /// More octets into input_; false on the end, an error or the deadline.
  bool fill(std::chrono::steady_clock::time_point until);
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const;
  std::string take(std::size_t count);

  int descriptor_ = -1;
  bool connected_ = false;
  bool ended_ = false;
  Wait deadline_;
  SslCtxPtr context_;
  SslPtr tls_;
  std::string input_;
};

}  // namespace sealpost::test
