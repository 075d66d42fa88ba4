// SPDX-License-Identifier: Apache-2.0
// Implements host_lookup.h.
#include "relay/delivery/host_lookup.h"

#include <Poco/Net/IPAddress.h>
#include <netdb.h>
#include <poll.h>

#include <memory>
#include <system_error>
#include <thread>

namespace sealpost {
namespace {

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
