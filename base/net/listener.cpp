// SPDX-License-Identifier: Apache-2.0
// Implements listener.h.
#include "base/net/listener.h"

#include <Poco/Exception.h>
#include <Poco/Net/SocketAddress.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace sealpost::net {
namespace {

constexpr int backlog = 1024;

bool out_of_descriptors(int code) { return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM; }

}  // namespace

Result<std::unique_ptr<Listener>> Listener::bind(ListenerOptions options) {
  const std::string address_text = options.address;
  try {
    std::unique_ptr<Listener> listener(new Listener(std::move(options)));
    const Poco::Net::SocketAddress address(address_text);
    // The address may be reused after a restart; the port must not be shared: a second daemon would get half of the
    // connections.
    if (address.family() == Poco::Net::AddressFamily::IPv6) {
      listener->socket_.bind6(address, true, false, true);
    } else {
      listener->socket_.bind(address, true, false);
    }
    listener->socket_.listen(backlog);
    listener->socket_.setBlocking(false);
    fcntl(listener->descriptor(), F_SETFD, FD_CLOEXEC);
    return listener;
  } catch (const Poco::Exception& why) {
    const bool in_use = why.code() == EADDRINUSE;  // another program's, which may end; a wrong address stays wrong
    return in_use ? Error::temporary(address_text + ": another program listens there", why.displayText())
                  : Error::invalid(address_text + ": cannot listen", why.displayText());
  }
}

std::uint16_t Listener::port() const { return socket_.address().port(); }

void Listener::close() { socket_.close(); }

Listener::Accepted Listener::accept() const {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  // Not Poco's acceptConnection: it throws on EMFILE as on all else, and its sockets are inherited by children.
  const int accepted =
      accept4(descriptor(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted < 0) {
    const bool out = out_of_descriptors(errno);
    return {out ? Accepted::Outcome::OutOfDescriptors : Accepted::Outcome::Nothing, -1, {}};
  }
  const int on = 1;
  setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const Poco::Net::SocketAddress from(reinterpret_cast<sockaddr*>(&address), size);
  return {Accepted::Outcome::Connection, accepted, from.host()};
}

void Listener::refuse(int descriptor) const {
  if (!options_.tls && !options_.refusal.empty()) {
    // A fresh socket's buffer takes a line at once; if not, the peer learns as much from the close.
    [[maybe_unused]] const auto sent =
        ::send(descriptor, options_.refusal.data(), options_.refusal.size(), MSG_NOSIGNAL);
    shutdown(descriptor, SHUT_WR);
  }
  ::close(descriptor);
}

}  // namespace sealpost::net
