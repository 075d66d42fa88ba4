// SPDX-License-Identifier: Apache-2.0
// Implements own_addresses.h.
#include "relay/delivery/own_addresses.h"

#include <Poco/Net/NetworkInterface.h>

#include <algorithm>

namespace sealpost {
namespace {

bool is_of_this_machine(const Poco::Net::IPAddress& address) {
  if (address.isLoopback()) return true;
  const auto interfaces = Poco::Net::NetworkInterface::list(true, true);
  return std::any_of(interfaces.begin(), interfaces.end(), [&](const auto& interface) {
    const auto& own = interface.addressList();
    return std::any_of(own.begin(), own.end(),
                       [&](const auto& entry) { return entry.template get<0>().toString() == address.toString(); });
  });
}

}  // namespace

bool OwnAddresses::contain(const Poco::Net::SocketAddress& address) const {
  return std::any_of(listeners_.begin(), listeners_.end(), [&](const Poco::Net::SocketAddress& listener) {
    if (listener.port() != address.port()) return false;
    return listener.host() == address.host() || (listener.host().isWildcard() && is_of_this_machine(address.host()));
  });
}

}  // namespace sealpost
