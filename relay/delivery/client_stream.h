// SPDX-License-Identifier: Apache-2.0
// A blocking connection to a next hop, plain or TLS, in which every operation has an absolute deadline: neither a
// dripped handshake nor a dripped reply outlives it.
#pragma once

#include <Poco/Net/SocketAddress.h>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/openssl.h"
#include "base/result.h"
#include "relay/delivery/pollable_flag.h"
#include "relay/delivery/wait.h"

namespace sealpost {

/// How far the server's certificate is trusted.
enum class TlsTrust {
  Any,      ///< encrypts; whoever answers
  Verified  ///< chain to the system's roots and the host's name
};

class ClientStream final {
 public:
  ~ClientStream();
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;

  /// Temporary when none of the addresses can be connected to. Once `stop` is raised every operation ends with
  /// Temporary; it must outlive the stream.
  static Result<std::unique_ptr<ClientStream>> connect(std::span<const Poco::Net::SocketAddress> addresses,
                                                       Deadline deadline, const PollableFlag* stop = nullptr);
  /// The same for a name that the system's resolver knows.
  static Result<std::unique_ptr<ClientStream>> connect(const std::string& host, std::uint16_t port, Deadline deadline,
                                                       const PollableFlag* stop = nullptr);

  /// Invalid when octets came in clear behind the reply to STARTTLS: somebody put them there.
  Status start_tls(const std::string& host, TlsTrust trust, Deadline deadline);
  Status write(std::string_view octets, Deadline deadline);
  /// A line without its CRLF; Temporary at the end of the stream, for a line over 4096 octets, or at the deadline.
  Result<std::string> read_line(Deadline deadline);
  /// True when octets wait that nobody asked for (a 421 on an idle connection, or the end of it).
  [[nodiscard]] bool has_unread();

  [[nodiscard]] bool secure() const { return ssl_ != nullptr; }
  [[nodiscard]] bool loopback() const { return loopback_; }
  [[nodiscard]] const std::string& address() const { return address_; }
  /// "TLSv1.3 TLS_AES_256_GCM_SHA384", empty without TLS.
  [[nodiscard]] const std::string& tls() const { return tls_; }

 private:
  ClientStream(int descriptor, std::string address, bool loopback, const PollableFlag* stop)
      : descriptor_(descriptor), address_(std::move(address)), loopback_(loopback), stop_(stop) {}
  Status wait(short events, Deadline deadline) const;
  /// After a call of OpenSSL that did not succeed: what it waits for, or what is wrong.
  [[nodiscard]] Result<short> ssl_wants(int result) const;
  Status wait_for_ssl(int result, Deadline deadline) const;
  /// Octets that came, 0 when none are there yet: `wanted` is then what to wait for.
  Result<std::size_t> read_now(short& wanted);
  Status read_some(Deadline deadline);

  int descriptor_;
  std::string address_;
  bool loopback_;
  const PollableFlag* stop_;
  SslPtr ssl_;
  std::string tls_;
  std::string buffer_;
};

}  // namespace sealpost
