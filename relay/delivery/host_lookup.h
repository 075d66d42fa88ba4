// SPDX-License-Identifier: Apache-2.0
// Addresses of a fixed next hop by the system's resolver, within a deadline that getaddrinfo itself does not know.
#pragma once

#include <Poco/Net/SocketAddress.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "relay/delivery/pollable_flag.h"

namespace sealpost {

using Deadline = std::chrono::steady_clock::time_point;

/// Waits until the descriptor is ready. Temporary at the deadline, even when the descriptor is always ready, and once
/// `stop` is raised.
Status wait_for(int descriptor, short events, Deadline deadline, const PollableFlag* stop);

/// Temporary: the name has no address now. In the order in which they should be tried.
Result<std::vector<Poco::Net::SocketAddress>> look_up(const std::string& host, std::uint16_t port, Deadline deadline,
                                                      const PollableFlag* stop);

}  // namespace sealpost
