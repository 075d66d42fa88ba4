// SPDX-License-Identifier: Apache-2.0
// Which hosts take a domain's mail, in the order in which they are tried (RFC 5321 section 5.1, RFC 7505).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "relay/delivery/next_hop.h"
#include "relay/delivery/resolver.h"

namespace sealpost {

/// `own_name` is relay.hostname: a relay that is among its domain's hosts leaves out itself and all that come after it.
/// Equal preferences come in random order; without MX records the domain is its own host. Never empty. The error tells
/// how the attempt ends: Failed for a domain that does not exist or takes no mail, or that leads back here; Deferred
/// when DNS does not say.
Result<std::vector<MxRecord>, Outcome> mail_hosts(Resolver& resolver, const std::string& domain,
                                                  const std::string& own_name, Random& random, Deadline deadline,
                                                  const PollableFlag& stop);

/// How an attempt ends whose only hosts are this relay.
Outcome loops_back(const std::string& domain);
/// How an attempt ends when DNS does not say.
Outcome dns_failed(const Error& why, const PollableFlag& stop);

}  // namespace sealpost
