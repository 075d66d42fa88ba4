// SPDX-License-Identifier: Apache-2.0
// Requests for new codes that wait to be served. Anybody may ask, as often as they like: what waits is bounded, in all
// and per client network, and an address waits once. Not safe from several threads by itself.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "base/email_address.h"

namespace sealpost {

class ResendQueue final {
 public:
  static constexpr std::size_t max_waiting = 1000;
  static constexpr std::size_t max_waiting_per_network = 8;

  /// False when the request is dropped: too many wait already. `client_network` as http::Request has it.
  [[nodiscard]] bool add(const EmailAddress& address, const std::string& client_network);
  /// The one that waits longest; there must be one.
  EmailAddress take();
  [[nodiscard]] bool empty() const { return waiting_.empty(); }

 private:
  struct Waiting {
    EmailAddress address;
    std::string network;
  };
  std::deque<Waiting> waiting_;
  std::set<std::string> addresses_;  ///< directory keys of those that wait
  std::map<std::string, std::size_t> per_network_;
};

}  // namespace sealpost
