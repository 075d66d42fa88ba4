// SPDX-License-Identifier: Apache-2.0
// Implements client_stream.h over OpenSSL and poll.
#include "relay/delivery/client_stream.h"

#include <Poco/Net/IPAddress.h>
#include <Poco/Net/SocketAddress.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "relay/delivery/host_lookup.h"

namespace sealpost {
namespace {

constexpr std::size_t max_line = 4096;

Result<int> connect_one(const Poco::Net::SocketAddress& address, Deadline deadline, const PollableFlag* stop) {
  const int descriptor = socket(address.af(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return Error::temporary("no socket", std::strerror(errno));
  // The final dot leaves at once instead of waiting for the acknowledgement of what went before.
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  Status done;
  if (connect(descriptor, address.addr(), address.length()) != 0) {
    done = errno == EINPROGRESS ? wait_for(descriptor, POLLOUT, deadline, stop)
                                : Status(Error::temporary("connection refused", std::strerror(errno)));
    int failed = 0;
    socklen_t size = sizeof(failed);
    if (done && (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failed, &size) != 0 || failed != 0)) {
      done =
          Error::temporary(failed == ECONNREFUSED ? "connection refused" : "connection failed", std::strerror(failed));
    }
  }
  if (done) return descriptor;
  ::close(descriptor);
  return done.error();
}

/// One for all connections: the system's roots are read once. Nothing is verified in the handshake: the reason can be
/// told afterwards.
SSL_CTX* client_context() {
  static const SslCtxPtr context = [] {
    SslCtxPtr made(SSL_CTX_new(TLS_client_method()));
    if (!made) std::abort();
    SSL_CTX_set_min_proto_version(made.get(), TLS1_2_VERSION);
    SSL_CTX_set_default_verify_paths(made.get());
    SSL_CTX_set_mode(made.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // Else a peer that sends records without data (session tickets, key updates) for ever is read for ever, past every
    // deadline.
    SSL_CTX_clear_mode(made.get(), SSL_MODE_AUTO_RETRY);
    return made;
  }();
  return context.get();
}

std::string verify_peer(SSL* ssl, const std::string& host) {
  const X509Ptr certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate) return "no certificate";
  const long result = SSL_get_verify_result(ssl);
  if (result != X509_V_OK) return X509_verify_cert_error_string(result);
  if (X509_check_host(certificate.get(), host.data(), host.size(), 0, nullptr) == 1) return {};
  if (X509_check_ip_asc(certificate.get(), host.c_str(), 0) == 1) return {};
  return "the certificate is for another name";
}

}  // namespace

Result<std::unique_ptr<ClientStream>> ClientStream::connect(const std::string& host, std::uint16_t port,
                                                            Deadline deadline, const PollableFlag* stop) {
  auto addresses = look_up(host, port, deadline, stop);
  if (!addresses) return addresses.error();
  return connect(*addresses, deadline, stop);
}

Result<std::unique_ptr<ClientStream>> ClientStream::connect(std::span<const Poco::Net::SocketAddress> addresses,
                                                            Deadline deadline, const PollableFlag* stop) {
  Error last = Error::temporary("the next hop has no address");
  auto left = static_cast<long>(addresses.size());
  for (const auto& address : addresses) {
    // Each gets its part of the time, so that one that does not answer leaves some to the next.
    const auto now = std::chrono::steady_clock::now();
    auto descriptor = connect_one(address, now + (deadline - now) / left--, stop);
    if (descriptor) {
      return std::unique_ptr<ClientStream>(
          new ClientStream(*descriptor, address.toString(), address.host().isLoopback(), stop));
    }
    last = Error::temporary(descriptor.error().public_text,
                            address.toString() + ": " + descriptor.error().internal_detail);
  }
  return last;
}

ClientStream::~ClientStream() { ::close(descriptor_); }

Status ClientStream::wait(short events, Deadline deadline) const {
  return wait_for(descriptor_, events, deadline, stop_);
}

Result<short> ClientStream::ssl_wants(int result) const {
  const int code = SSL_get_error(ssl_.get(), result);
  if (code == SSL_ERROR_WANT_READ) return POLLIN;
  if (code == SSL_ERROR_WANT_WRITE) return POLLOUT;
  if (code == SSL_ERROR_ZERO_RETURN) return Error::temporary("the server closed the connection");
  return Error::temporary("the connection broke", openssl_errors());
}

Status ClientStream::wait_for_ssl(int result, Deadline deadline) const {
  const auto wanted = ssl_wants(result);
  return wanted ? wait(*wanted, deadline) : Status(wanted.error());
}

Status ClientStream::start_tls(const std::string& host, TlsTrust trust, Deadline deadline) {
  // What came in clear behind the reply to STARTTLS was put there by somebody (RFC 3207 section 6).
  if (!buffer_.empty()) return Error::invalid("octets in clear behind STARTTLS");
  ERR_clear_error();
  ssl_.reset(SSL_new(client_context()));
  Poco::Net::IPAddress literal;  // which is no name to send (RFC 6066 section 3)
  const bool named = !Poco::Net::IPAddress::tryParse(host, literal);
  if (!ssl_ || SSL_set_fd(ssl_.get(), descriptor_) != 1 ||
      (named && SSL_set_tlsext_host_name(ssl_.get(), host.c_str()) != 1)) {
    return Error::temporary("TLS cannot be started", openssl_errors());
  }
  while (true) {
    const int result = SSL_connect(ssl_.get());
    if (result == 1) break;
    auto ready = wait_for_ssl(result, deadline);
    if (!ready) {
      return Error::temporary("TLS handshake failed", ready.error().public_text + " " + ready.error().internal_detail);
    }
  }
  tls_ = std::string(SSL_get_version(ssl_.get())) + " " + SSL_get_cipher_name(ssl_.get());
  if (trust == TlsTrust::Any) return {};
  if (auto reason = verify_peer(ssl_.get(), host); !reason.empty()) {
    return Error::temporary("the server's certificate is not trusted: " + reason);
  }
  return {};
}

Status ClientStream::write(std::string_view octets, Deadline deadline) {
  if (stop_ != nullptr && stop_->raised()) return Error::temporary("the relay is stopping");
  while (!octets.empty()) {
    if (ssl_) {
      ERR_clear_error();
      const int result = SSL_write(ssl_.get(), octets.data(), static_cast<int>(octets.size()));
      if (result > 0) {
        octets.remove_prefix(static_cast<std::size_t>(result));
      } else if (auto ready = wait_for_ssl(result, deadline); !ready) {
        return ready;
      }
      continue;
    }
    const auto count = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      octets.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EAGAIN && errno != EINTR) {
      return Error::temporary("the connection broke", std::strerror(errno));
    } else if (auto ready = wait(POLLOUT, deadline); !ready) {
      return ready;
    }
  }
  return {};
}

Result<std::size_t> ClientStream::read_now(short& wanted) {
  std::array<char, 4096> piece{};
  wanted = POLLIN;
  long count = 0;
  if (ssl_) {
    ERR_clear_error();
    count = SSL_read(ssl_.get(), piece.data(), static_cast<int>(piece.size()));
    if (count <= 0) {
      auto wants = ssl_wants(static_cast<int>(count));
      if (!wants) return wants.error();
      wanted = *wants;
      return std::size_t{0};
    }
  } else {
    count = ::recv(descriptor_, piece.data(), piece.size(), 0);
    if (count == 0) return Error::temporary("the server closed the connection");
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
      return Error::temporary("the connection broke", std::strerror(errno));
    }
    if (count < 0) return std::size_t{0};
  }
  buffer_.append(piece.data(), static_cast<std::size_t>(count));
  return static_cast<std::size_t>(count);
}

Status ClientStream::read_some(Deadline deadline) {
  while (true) {
    short wanted = 0;
    auto came = read_now(wanted);
    if (!came) return came.error();
    if (*came > 0) return {};
    if (auto ready = wait(wanted, deadline); !ready) return ready;
  }
}

Result<std::string> ClientStream::read_line(Deadline deadline) {
  while (true) {
    const auto end = buffer_.find('\n');
    if (std::min(end, buffer_.size()) > max_line) return Error::temporary("a reply line is too long");
    if (end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      if (line.ends_with('\r')) line.pop_back();
      return line;
    }
    if (auto came = read_some(deadline); !came) return came.error();
  }
}

bool ClientStream::has_unread() {
  // What TLS says to itself (session tickets) is read and forgotten, in front of what a server may have said after it.
  for (int records = 0; records < 16 && buffer_.empty(); ++records) {
    short wanted = 0;
    if (!read_now(wanted)) return true;
    pollfd polled{descriptor_, POLLIN, 0};
    if (buffer_.empty() && poll(&polled, 1, 0) == 0) return false;
  }
  return true;
}

}  // namespace sealpost
