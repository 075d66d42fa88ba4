// SPDX-License-Identifier: Apache-2.0
// Implements stream.h.
#include "base/net/stream.h"

#include <Poco/Exception.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>

namespace sealpost::net {
namespace {

using Poco::Net::SecureStreamSocket;

Stream::Outcome from_tls(int code) {
  if (code == SecureStreamSocket::ERR_SSL_WANT_READ) return Stream::Outcome::WantRead;
  if (code == SecureStreamSocket::ERR_SSL_WANT_WRITE) return Stream::Outcome::WantWrite;
  return code == 0 ? Stream::Outcome::Ended : Stream::Outcome::Broken;
}

Stream::Outcome from_errno(Stream::Outcome would_block) {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? would_block : Stream::Outcome::Broken;
}

}  // namespace

Stream::Stream(int descriptor) : socket_(new Poco::Net::StreamSocketImpl(descriptor)) { socket_.setBlocking(false); }

int Stream::descriptor() const { return socket_.impl()->sockfd(); }

bool Stream::begin_tls(const Poco::Net::Context::Ptr& context) {
  try {
    socket_ = SecureStreamSocket::attach(socket_, context);
    secure_ = true;
    return true;
  } catch (const Poco::Exception&) {
    ERR_clear_error();
    return false;
  }
}

Stream::Outcome Stream::handshake() {
  try {
    SecureStreamSocket secure(socket_);
    const int code = secure.completeHandshake();
    return code == 1 ? Outcome::Done : from_tls(code);
  } catch (const Poco::Exception&) {
    ERR_clear_error();
    return Outcome::Broken;
  }
}

std::string_view Stream::tls_version() const {
  if (!secure_) return {};
  // Poco does not lend out the connection, but its session.
  const auto session = SecureStreamSocket(socket_).currentSession();
  if (!session) return {};
  return SSL_SESSION_get_protocol_version(session->sslSession()) == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2";
}

Stream::Moved Stream::discard(std::span<char> scratch) {
  const auto count = ::recv(descriptor(), scratch.data(), scratch.size(), 0);
  if (count > 0) return {Outcome::Done, static_cast<std::size_t>(count)};
  return {count == 0 ? Outcome::Ended : from_errno(Outcome::WantRead), 0};
}

Stream::Moved Stream::read(std::span<char> into) {
  if (!secure_) return discard(into);
  try {
    const int count = socket_.receiveBytes(into.data(), static_cast<int>(into.size()));
    if (count > 0) return {Outcome::Done, static_cast<std::size_t>(count)};
    return {from_tls(count), 0};
  } catch (const Poco::Exception&) {
    ERR_clear_error();
    return {Outcome::Broken, 0};
  }
}

Stream::Moved Stream::write(std::string_view octets) {
  if (!secure_) {
    const auto count = ::send(descriptor(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (count >= 0) return {Outcome::Done, static_cast<std::size_t>(count)};
    return {from_errno(Outcome::WantWrite), 0};
  }
  try {
    const int count = socket_.sendBytes(octets.data(), static_cast<int>(octets.size()));
    if (count > 0) return {Outcome::Done, static_cast<std::size_t>(count)};
    return {from_tls(count), 0};
  } catch (const Poco::Exception&) {
    ERR_clear_error();
    return {Outcome::Broken, 0};
  }
}

void Stream::finish() {
  try {
    if (secure_) socket_.shutdown();
  } catch (const Poco::Exception&) {
    ERR_clear_error();  // a peer that is gone needs no close_notify
  }
  ::shutdown(descriptor(), SHUT_WR);
}

void Stream::close() {
  try {
    socket_.close();
  } catch (const Poco::Exception&) {
    ERR_clear_error();  // the descriptor is gone all the same
  }
}

}  // namespace sealpost::net
