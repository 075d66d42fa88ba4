// SPDX-License-Identifier: Apache-2.0
// Implements connection_limits.h.
#include "base/net/connection_limits.h"

namespace sealpost::net {

bool ConnectionLimits::admit(const std::string& network, std::size_t max_total, std::size_t max_of_network) {
  if (total_ >= max_total) return false;
  const auto found = by_network_.find(network);
  if ((found == by_network_.end() ? 0 : found->second) >= max_of_network) return false;
  ++by_network_[network];
  ++total_;
  return true;
}

void ConnectionLimits::release(const std::string& network) {
  const auto found = by_network_.find(network);
  if (found == by_network_.end()) return;
  if (--found->second == 0) by_network_.erase(found);
  --total_;
}

}  // namespace sealpost::net
