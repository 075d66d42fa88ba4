// SPDX-License-Identifier: Apache-2.0
// Implements doctor.h: the addresses that sealpostd listens on are ours to take, or it is sealpostd who has them.
#include <Poco/Exception.h>
#include <Poco/Net/SocketAddress.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "relay/ctl/doctor.h"
#include "relay/delivery/client_stream.h"

namespace sealpost::ctl {
namespace {

constexpr std::chrono::seconds listen_patience{3};

/// A place that sealpostd takes, and by what it is known there.
struct Place {
  const char* setting;
  const std::string& address;
  bool tls;
  const char* question;  ///< nullptr: it speaks first
  std::string answer;    ///< a line of the answer begins so
};

/// 0, or why it cannot be bound.
int bind_error(const Poco::Net::SocketAddress& address) {
  const int descriptor =
      socket(address.family() == Poco::Net::SocketAddress::IPv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return errno;
  const int yes = 1;  // as sealpostd does, so that what was closed a moment ago is in nobody's way
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  // Bound to the port alone and not listening: nobody is turned away meanwhile.
  const int error = bind(descriptor, address.addr(), address.length()) == 0 ? 0 : errno;
  close(descriptor);
  return error;
}

/// What a client would connect to: a wildcard stands for loopback.
std::string host_of(const Poco::Net::SocketAddress& address) {
  if (!address.host().isWildcard()) return address.host().toString();
  return address.family() == Poco::Net::SocketAddress::IPv6 ? "::1" : "127.0.0.1";
}

/// Whether whoever listens there answers as sealpostd does; else what was said.
Result<bool> is_sealpostd(const Place& place, const Poco::Net::SocketAddress& address, std::string& said) {
  const Deadline deadline = std::chrono::steady_clock::now() + listen_patience;
  auto stream = ClientStream::connect(host_of(address), address.port(), deadline);
  if (!stream) return stream.error();
  if (place.tls) {
    if (auto secure = (*stream)->start_tls(host_of(address), TlsTrust::Any, deadline); !secure) return secure.error();
  }
  if (place.question != nullptr) {
    if (auto asked = (*stream)->write(place.question, deadline); !asked) return asked.error();
  }
  for (int line = 0; line < 50; ++line) {
    auto heard = (*stream)->read_line(deadline);
    if (!heard) return said.empty() ? Result<bool>(heard.error()) : Result<bool>(false);
    if (heard->starts_with(place.answer)) return true;
    if (said.empty()) said = heard->substr(0, 80);
    if (place.question == nullptr) return false;
  }
  return false;
}

void check_place(const Place& place, Findings& findings) {
  if (place.address.empty()) return;
  const std::string name = std::string(place.setting) + ": " + place.address;
  try {
    const Poco::Net::SocketAddress address(place.address);
    if (address.port() == 0) return;
    const int error = bind_error(address);
    if (error == 0) return;
    if (error == EACCES) {
      findings.push_back({"listen", name + ": ports below 1024 are root's",
                          "start sealpostd by its systemd unit, which is allowed to, or choose another port"});
    } else if (error != EADDRINUSE) {
      findings.push_back({"listen", name + ": " + std::strerror(error), "name an address of this machine"});
    } else {
      std::string said;
      const auto ours = is_sealpostd(place, address, said);
      if (ours && *ours) return;
      findings.push_back({"listen",
                          name + ": another program listens there" + (said.empty() ? "" : ", which says: " + said),
                          "stop it (ss -ltnp tells which it is), or choose another port"});
    }
  } catch (const Poco::Exception& why) {
    findings.push_back({"listen", name + ": " + why.displayText(), "name an address of this machine"});
  }
}

}  // namespace

void check_listen(const Examination& examination, Findings& findings) {
  const Settings& settings = examination.settings;
  const std::string greeting = "220 " + settings.relay.hostname + " ESMTP Sealpost";
  const char* health = "GET /healthz HTTP/1.1\r\nHost: check\r\nConnection: close\r\n\r\n";
  // Its body ends without a line's end, so it is known by its length.
  const std::string alive = "Content-Length: " + std::to_string(std::strlen(R"({"status":"alive"})"));
  for (const auto& place : {Place{"smtp.listen", settings.smtp.listen, false, nullptr, greeting},
                            Place{"smtp.listen_tls", settings.smtp.listen_tls, true, nullptr, greeting},
                            Place{"http.listen", settings.http.listen, false, health, alive},
                            Place{"http.listen_tls", settings.http.listen_tls, true, health, alive}}) {
    check_place(place, findings);
  }
}

}  // namespace sealpost::ctl
