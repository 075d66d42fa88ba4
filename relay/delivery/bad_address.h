// SPDX-License-Identifier: Apache-2.0
// Which failures say that there is no such address, so that they count towards its suppression (queue/suppressions.h).
#pragma once

#include "relay/delivery/next_hop.h"

namespace sealpost {

/// True for RFC 3463 x.1.x that speaks of the recipient's address or domain, and for a refusal at RCPT that says the
/// same without an enhanced code (RFC 5321 section 4.2.3). Policy, size, content, a full mailbox and expiry are none.
bool condemns_address(const Failed& failed);

}  // namespace sealpost
