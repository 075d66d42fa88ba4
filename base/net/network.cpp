// SPDX-License-Identifier: Apache-2.0
// Implements network.h.
#include "base/net/network.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace sealpost::net {
namespace {

constexpr std::string_view nat64_prefix("\0\x64\xff\x9b\0\0\0\0\0\0\0\0", 12);

}  // namespace

std::string network_of(const Poco::Net::IPAddress& address) {
  if (address.family() == Poco::Net::AddressFamily::IPv4 || address.isIPv4Mapped()) return address.toString();
  return (address & Poco::Net::IPAddress(64U, Poco::Net::AddressFamily::IPv6)).toString();
}

bool is_private(const Poco::Net::IPAddress& address) {
  struct Net {
    const char* prefix;
    unsigned bits;
  };
  // IANA's special-purpose registries (RFC 6890 and its updates), and multicast.
  static const std::vector<std::pair<Poco::Net::IPAddress, unsigned>> nets = [] {
    std::vector<std::pair<Poco::Net::IPAddress, unsigned>> parsed;
    for (const Net& net :
         {Net{"0.0.0.0", 8},       Net{"10.0.0.0", 8},    Net{"100.64.0.0", 10},   Net{"127.0.0.0", 8},
          Net{"169.254.0.0", 16},  Net{"172.16.0.0", 12}, Net{"192.0.0.0", 24},    Net{"192.0.2.0", 24},
          Net{"192.168.0.0", 16},  Net{"198.18.0.0", 15}, Net{"198.51.100.0", 24}, Net{"203.0.113.0", 24},
          Net{"224.0.0.0", 3},     Net{"::", 96},         Net{"::ffff:0:0", 96},   Net{"192.88.99.0", 24},
          Net{"2001::", 23},       Net{"2002::", 16},     Net{"3fff::", 20},       Net{"64:ff9b:1::", 48},
          Net{"100::", 64},        Net{"2001:db8::", 32}, Net{"fc00::", 7},        Net{"fe80::", 9},
          Net{"::ffff:0:0:0", 96}, Net{"5f00::", 16},     Net{"ff00::", 8}}) {
      parsed.emplace_back(Poco::Net::IPAddress::parse(net.prefix), net.bits);
    }
    return parsed;
  }();
  // NAT64 (RFC 6052) leads to the IPv4 address in the last four octets.
  const auto* octets = static_cast<const char*>(address.addr());
  if (address.family() == Poco::Net::IPAddress::IPv6 && std::string_view(octets, 12) == nat64_prefix) {
    return is_private(Poco::Net::IPAddress(octets + 12, 4));
  }
  return std::any_of(nets.begin(), nets.end(), [&](const auto& net) {
    if (net.first.family() != address.family()) return false;
    return (address & Poco::Net::IPAddress(net.second, address.family())) == net.first;
  });
}

}  // namespace sealpost::net
