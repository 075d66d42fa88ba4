// SPDX-License-Identifier: Apache-2.0
// Which addresses count as one client: limits and throttles share this view.
#pragma once

#include <Poco/Net/IPAddress.h>

#include <string>

namespace sealpost::net {

/// The IPv4 address itself, or the /64 of an IPv6 address: one host can use all of it.
std::string network_of(const Poco::Net::IPAddress& address);

}  // namespace sealpost::net
