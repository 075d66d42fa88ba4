// SPDX-License-Identifier: Apache-2.0
// Implements client_stream.h over OpenSSL and poll.
#include "relay/delivery/client_stream.h"

#include <Poco/Exception.h>
#include <Poco/Net/DNS.h>
#include <Poco/Net/HostEntry.h>
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
#include <vector>

namespace sealpost {
namespace {

constexpr std::size_t max_line = 4096;

int milliseconds_until(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 3'600'000));
}

Status poll_for(int descriptor, short events, Deadline deadline) {
  pollfd polled{descriptor, events, 0};
  while (true) {
    const int ready = poll(&polled, 1, milliseconds_until(deadline));
    if (ready > 0) return {};
    if (ready == 0) return Error::temporary("timed out");
    if (errno != EINTR) return Error::temporary("connection failed", std::strerror(errno));
  }
}

Result<int> connect_one(const Poco::Net::SocketAddress& address, Deadline deadline) {
  const int descriptor = socket(address.af(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return Error::temporary("no socket", std::strerror(errno));
  // The final dot leaves at once instead of waiting for the acknowledgement of what went before.
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  Status done;
  if (connect(descriptor, address.addr(), address.length()) != 0) {
    done = errno == EINPROGRESS ? poll_for(descriptor, POLLOUT, deadline)
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

Result<std::vector<Poco::Net::SocketAddress>> addresses_of(const std::string& host, std::uint16_t port) {
  try {
    std::vector<Poco::Net::SocketAddress> addresses;
    const auto entry = Poco::Net::DNS::resolve(host);
    for (const auto& address : entry.addresses()) addresses.emplace_back(address, port);
    return addresses;
  } catch (const Poco::Exception& why) {
    return Error::temporary("the host name of the next hop cannot be resolved", why.displayText());
  }
}

/// One for all connections, so that sessions can be resumed. Nothing is verified in the handshake: the reason can be told afterwards.
SSL_CTX* client_context() {
  static const SslCtxPtr context = [] {
    SslCtxPtr made(SSL_CTX_new(TLS_client_method()));
    if (!made) std::abort();
    SSL_CTX_set_min_proto_version(made.get(), TLS1_2_VERSION);
    SSL_CTX_set_default_verify_paths(made.get());
    SSL_CTX_set_mode(made.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
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
                                                            Deadline deadline) {
  auto addresses = addresses_of(host, port);
  if (!addresses) return addresses.error();
  Error last = Error::temporary("the next hop has no address");
  for (const auto& address : *addresses) {
    auto descriptor = connect_one(address, deadline);
    if (descriptor) {
      return std::unique_ptr<ClientStream>(
          new ClientStream(*descriptor, address.toString(), address.host().isLoopback()));
    }
    last = Error::temporary(descriptor.error().public_text,
                            address.toString() + ": " + descriptor.error().internal_detail);
  }
  return last;
}

ClientStream::~ClientStream() { ::close(descriptor_); }

Status ClientStream::wait_for_ssl(int result, Deadline deadline) {
  const int code = SSL_get_error(ssl_.get(), result);
  if (code == SSL_ERROR_WANT_READ) return poll_for(descriptor_, POLLIN, deadline);
  if (code == SSL_ERROR_WANT_WRITE) return poll_for(descriptor_, POLLOUT, deadline);
  if (code == SSL_ERROR_ZERO_RETURN) return Error::temporary("the server closed the connection");
  return Error::temporary("the connection broke", openssl_errors());
}

Status ClientStream::start_tls(const std::string& host, TlsTrust trust, Deadline deadline) {
  // What came in clear behind the reply to STARTTLS was put there by somebody (RFC 3207 section 6).
  if (!buffer_.empty()) return Error::temporary("octets in clear behind STARTTLS");
  ERR_clear_error();
  ssl_.reset(SSL_new(client_context()));
  if (!ssl_ || SSL_set_fd(ssl_.get(), descriptor_) != 1 || SSL_set_tlsext_host_name(ssl_.get(), host.c_str()) != 1) {
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
    } else if (auto ready = poll_for(descriptor_, POLLOUT, deadline); !ready) {
      return ready;
    }
  }
  return {};
}

Result<std::size_t> ClientStream::read_some(Deadline deadline, bool wait) {
  std::array<char, 4096> piece{};
  while (true) {
    long count = 0;
    Status ready;
    if (ssl_) {
      ERR_clear_error();
      const int result = SSL_read(ssl_.get(), piece.data(), static_cast<int>(piece.size()));
      count = result;
      if (result <= 0) {
        const int code = SSL_get_error(ssl_.get(), result);
        if (!wait && (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE)) return std::size_t{0};
        ready = wait_for_ssl(result, deadline);
      }
    } else {
      count = ::recv(descriptor_, piece.data(), piece.size(), 0);
      if (count == 0) return Error::temporary("the server closed the connection");
      if (count < 0 && errno != EAGAIN && errno != EINTR) {
        return Error::temporary("the connection broke", std::strerror(errno));
      }
      if (count < 0 && !wait) return std::size_t{0};
      if (count < 0) ready = poll_for(descriptor_, POLLIN, deadline);
    }
    if (count > 0) {
      buffer_.append(piece.data(), static_cast<std::size_t>(count));
      return static_cast<std::size_t>(count);
    }
    if (!ready) return ready.error();
  }
}

Result<std::string> ClientStream::read_line(Deadline deadline) {
  while (true) {
    const auto end = buffer_.find('\n');
    if (end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      if (line.ends_with('\r')) line.pop_back();
      return line;
    }
    if (buffer_.size() > max_line) return Error::temporary("a reply line is too long");
    if (auto came = read_some(deadline, true); !came) return came.error();
  }
}

bool ClientStream::has_unread() {
  auto came = read_some({}, false);
  return !came || !buffer_.empty();
}

}  // namespace sealpost
