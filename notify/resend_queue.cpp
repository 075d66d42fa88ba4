// SPDX-License-Identifier: Apache-2.0
// Implements resend_queue.h.
#include "notify/resend_queue.h"

#include <utility>

namespace sealpost {

bool ResendQueue::add(const EmailAddress& address, const std::string& client_network) {
  if (addresses_.contains(address.directory_key())) return true;
  const auto of_network = per_network_.find(client_network);
  if (waiting_.size() >= max_waiting) return false;
  if (of_network != per_network_.end() && of_network->second >= max_waiting_per_network) return false;
  addresses_.insert(address.directory_key());
  ++per_network_[client_network];
  waiting_.push_back({address, client_network});
  return true;
}

EmailAddress ResendQueue::take() {
  Waiting next = std::move(waiting_.front());
  waiting_.pop_front();
  addresses_.erase(next.address.directory_key());
  if (const auto of_network = per_network_.find(next.network); --of_network->second == 0) {
    per_network_.erase(of_network);
  }
  return std::move(next.address);
}

}  // namespace sealpost
