// SPDX-License-Identifier: Apache-2.0
// Asks one resolver one question over UDP and waits no longer than told: what the doctor needs, and no more of DNS than
// that.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"

namespace sealpost::ctl {

enum class DnsVerdict { HasAddress, NoAddress, NoSuchName };

/// Whether the name has an A or AAAA record. `server` is address:port. Temporary with the reason when no usable answer
/// comes in time.
Result<DnsVerdict> ask_for_address(const std::string& server, const std::string& name,
                                   std::chrono::milliseconds patience);

/// The nameserver lines of a resolv.conf as address:port; the local machine when there is none (resolv.conf(5)).
std::vector<std::string> resolvers_of(const std::string& file = "/etc/resolv.conf");

}  // namespace sealpost::ctl
