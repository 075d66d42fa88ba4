// SPDX-License-Identifier: Apache-2.0
// Implements network.h.
#include "base/net/network.h"

namespace sealpost::net {

std::string network_of(const Poco::Net::IPAddress& address) {
  if (address.family() == Poco::Net::AddressFamily::IPv4 || address.isIPv4Mapped()) return address.toString();
  return (address & Poco::Net::IPAddress(64U, Poco::Net::AddressFamily::IPv6)).toString();
}

}  // namespace sealpost::net
