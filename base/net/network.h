// SPDX-License-Identifier: Apache-2.0
// Which addresses count as one client, and which are nobody's on the Internet.
#pragma once

#include <Poco/Net/IPAddress.h>

#include <string>

namespace sealpost::net {

/// The IPv4 address itself, or the /64 of an IPv6 address: one host can use all of it.
std::string network_of(const Poco::Net::IPAddress& address);

/// Loopback, private and other special addresses (RFC 6890 and its updates), and multicast. Whoever can name a host
/// could else make the relay talk to what is behind it.
bool is_private(const Poco::Net::IPAddress& address);

}  // namespace sealpost::net
