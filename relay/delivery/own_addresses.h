// SPDX-License-Identifier: Apache-2.0
// Which addresses lead back to this relay.
#pragma once

#include <Poco/Net/SocketAddress.h>

#include <vector>

namespace sealpost {

class OwnAddresses final {
 public:
  OwnAddresses() = default;
  /// Where the relay takes mail; a wildcard stands for all addresses of this machine.
  explicit OwnAddresses(std::vector<Poco::Net::SocketAddress> listeners) : listeners_(std::move(listeners)) {}

  [[nodiscard]] bool contain(const Poco::Net::SocketAddress& address) const;

 private:
  std::vector<Poco::Net::SocketAddress> listeners_;
};

}  // namespace sealpost
