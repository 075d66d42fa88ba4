// SPDX-License-Identifier: Apache-2.0
// Implements host_lookup.h.
#include "relay/delivery/host_lookup.h"

#include <Poco/Net/IPAddress.h>
#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <thread>

namespace sealpost {
namespace {

constexpr long long longest_poll = 3'600'000;

/// What the resolver's thread and the attempt share; it lives as long as the longer of the two.
struct Lookup {
  std::vector<Poco::Net::SocketAddress> addresses;
  std::string failure;
  PollableFlag done;
};

struct AddressListDeleter {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

void resolve(Lookup& lookup, const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  const int failed = getaddrinfo(host.c_str(), nullptr, &hints, &raw);
  const std::unique_ptr<addrinfo, AddressListDeleter> list(raw);
  if (failed != 0) lookup.failure = gai_strerror(failed);
  for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    const Poco::Net::SocketAddress address(entry->ai_addr, entry->ai_addrlen);
    lookup.addresses.emplace_back(address.host(), port);
  }
}

void resolve_and_tell(const std::shared_ptr<Lookup>& lookup, const std::string& host, std::uint16_t port) {
  try {
    resolve(*lookup, host, port);
  } catch (const std::exception& why) {
    lookup->failure = why.what();
  }
  lookup->done.raise();
}

}  // namespace

Status wait_for(int descriptor, short events, Deadline deadline, const PollableFlag* stop) {
  std::array<pollfd, 2> polled{{{descriptor, events, 0}, {stop != nullptr ? stop->descriptor() : -1, POLLIN, 0}}};
  while (true) {
    const long long left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    // Looked at before the descriptor: a peer that always has one more octet must not outlive them.
    if (stop != nullptr && stop->raised()) return Error::temporary("the relay is stopping");
    if (left <= 0) return Error::temporary("timed out");
    const int ready = poll(polled.data(), polled.size(), static_cast<int>(std::min(left, longest_poll)));
    if (ready < 0 && errno != EINTR) return Error::temporary("connection failed", std::strerror(errno));
    if (ready > 0 && polled[0].revents != 0) return {};
  }
}

Result<std::vector<Poco::Net::SocketAddress>> look_up(const std::string& host, std::uint16_t port, Deadline deadline,
                                                      const PollableFlag* stop) {
  Poco::Net::IPAddress literal;
  if (Poco::Net::IPAddress::tryParse(host, literal)) {
    return std::vector<Poco::Net::SocketAddress>{Poco::Net::SocketAddress(literal, port)};
  }
  const char* const unresolved = "the host name of the next hop cannot be resolved";
  auto lookup = std::make_shared<Lookup>();
  try {
    // Nothing ends getaddrinfo early: whoever waits leaves it behind, and it ends by the resolver's own time-outs.
    std::thread(resolve_and_tell, lookup, host, port).detach();
  } catch (const std::system_error& why) {
    return Error::temporary(unresolved, why.what());
  }
  if (auto ready = wait_for(lookup->done.descriptor(), POLLIN, deadline, stop); !ready) {
    return Error::temporary(unresolved, ready.error().public_text);
  }
  // Reading the flag itself, and not only its descriptor, orders what the other thread wrote before what is read here.
  if (!lookup->done.raised() || lookup->addresses.empty()) return Error::temporary(unresolved, lookup->failure);
  return std::move(lookup->addresses);
}

}  // namespace sealpost
