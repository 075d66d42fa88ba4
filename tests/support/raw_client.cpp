// SPDX-License-Identifier: Apache-2.0
// Implements raw_client.h: a non-blocking socket and poll(2), so that each call ends at its deadline whatever the peer
// does.
#include "tests/support/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace sealpost::test {

using std::chrono::steady_clock;

RawClient::RawClient(std::uint16_t port, int receive_buffer, Wait deadline, const char* source)
    : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), deadline_(deadline) {
  if (receive_buffer > 0) {
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (source != nullptr) {
    inet_pton(AF_INET, source, &address.sin_addr);
    if (bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return;
  }
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int result = connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  if (result != 0 && (errno != EINPROGRESS || !wait(POLLOUT, this->deadline()))) return;
  int error = 0;
  socklen_t size = sizeof(error);
  connected_ = getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

RawClient::~RawClient() {
  if (descriptor_ >= 0) close(descriptor_);
}

steady_clock::time_point RawClient::deadline() const { return steady_clock::now() + deadline_; }

bool RawClient::wait(short events, steady_clock::time_point until) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
  pollfd entry{descriptor_, events, 0};
  return poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) > 0;
}

bool RawClient::wait_tls(int result, steady_clock::time_point until) {
  const int error = SSL_get_error(tls_.get(), result);
  if (error == SSL_ERROR_WANT_READ) return wait(POLLIN, until);
  if (error == SSL_ERROR_WANT_WRITE) return wait(POLLOUT, until);
  ended_ = true;
  ERR_clear_error();
  return false;
}

bool RawClient::start_tls(SSL_SESSION* resume, int max_version) {
  context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (max_version != 0) SSL_CTX_set_max_proto_version(context_.get(), max_version);
  tls_.reset(SSL_new(context_.get()));
  SSL_set_fd(tls_.get(), descriptor_);
  if (resume != nullptr) SSL_set_session(tls_.get(), resume);
  const auto until = deadline();
  while (true) {
    const int result = SSL_connect(tls_.get());
    if (result == 1) return true;
    if (!wait_tls(result, until)) return false;
  }
}

OpenSslPtr<SSL_SESSION, SSL_SESSION_free> RawClient::session() const {
  return OpenSslPtr<SSL_SESSION, SSL_SESSION_free>(SSL_get1_session(tls_.get()));
}

bool RawClient::send(std::string_view octets) {
  const auto until = deadline();
  while (!octets.empty()) {
    if (tls_) {
      const int count = SSL_write(tls_.get(), octets.data(), static_cast<int>(octets.size()));
      if (count > 0) octets.remove_prefix(static_cast<std::size_t>(count));
      if (count <= 0 && !wait_tls(count, until)) return false;
      continue;
    }
    const auto count = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (count > 0) octets.remove_prefix(static_cast<std::size_t>(count));
    if (count < 0 && (errno != EAGAIN || !wait(POLLOUT, until))) return false;
  }
  return true;
}

std::size_t RawClient::send_until_blocked(std::string_view octets, Wait quiet) {
  std::size_t sent = 0;
  while (sent < octets.size() && wait(POLLOUT, steady_clock::now() + quiet)) {
    const auto count = ::send(descriptor_, octets.data() + sent, octets.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) break;
    if (count > 0) sent += static_cast<std::size_t>(count);
  }
  return sent;
}

bool RawClient::fill(steady_clock::time_point until) {
  std::array<char, 65536> buffer{};
  while (!ended_) {
    if (tls_) {
      const int count = SSL_read(tls_.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (count > 0) return input_.append(buffer.data(), static_cast<std::size_t>(count)), true;
      if (!wait_tls(count, until)) return false;
      continue;
    }
    const auto count = recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (count > 0) return input_.append(buffer.data(), static_cast<std::size_t>(count)), true;
    if (count == 0 || errno != EAGAIN) ended_ = true;
    if (!ended_ && !wait(POLLIN, until)) return false;
  }
  return false;
}

std::string RawClient::take(std::size_t count) {
  std::string taken = input_.substr(0, count);
  input_.erase(0, count);
  return taken;
}

std::string RawClient::read_until(std::string_view mark) {
  const auto until = deadline();
  std::size_t searched = 0;
  while (true) {
    const auto found = input_.find(mark, searched);
    if (found != std::string::npos) return take(found + mark.size());
    searched = input_.size() - std::min(input_.size(), mark.size());
    if (!fill(until)) return take(input_.size());
  }
}

std::string RawClient::read_line() {
  std::string line = read_until("\r\n");
  if (line.ends_with("\r\n")) line.resize(line.size() - 2);
  return line;
}

std::string RawClient::read_exactly(std::size_t count) {
  const auto until = deadline();
  while (input_.size() < count && fill(until)) {
  }
  return take(count);
}

std::string RawClient::read_to_end() {
  const auto until = deadline();
  while (fill(until)) {
  }
  return take(input_.size());
}

bool RawClient::expect_close() { return closed_within(deadline_) && input_.empty(); }

bool RawClient::closed_within(Wait time) {
  const auto until = steady_clock::now() + time;
  while (fill(until)) {
  }
  return ended_;
}

void RawClient::half_close() { shutdown(descriptor_, SHUT_WR); }

void RawClient::reset() {
  const linger now{1, 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close(descriptor_);
  descriptor_ = -1;
  ended_ = true;
}

}  // namespace sealpost::test
