// SPDX-License-Identifier: Apache-2.0
// Addresses of a fixed next hop by the system's resolver, within a deadline that getaddrinfo itself does not know.
#pragma once

#include <Poco/Net/SocketAddress.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "relay/delivery/pollable_flag.h"
#include "relay/delivery/wait.h"

namespace sealpost {

/// Temporary: the name has no address now. In the order in which they should be tried.
Result<std::vector<Poco::Net::SocketAddress>> look_up(const std::string& host, std::uint16_t port, Deadline deadline,
                                                      const PollableFlag* stop);

}  // namespace sealpost
