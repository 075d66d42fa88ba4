// SPDX-License-Identifier: Apache-2.0
// From the delivery settings to the next hop that they name.
#pragma once

#include <memory>
#include <string>

#include "base/net/tls_counts.h"
#include "base/random.h"
#include "base/result.h"
#include "conf/settings.h"
#include "relay/delivery/next_hop.h"
#include "relay/delivery/pollable_flag.h"
#include "relay/delivery/smtp_client.h"

namespace sealpost {

/// What fairness counts a fixed route by; empty for MX routing, where each recipient's domain is a destination.
std::string route_name(const Route& route);
/// Whom a route of smtp, smtps or lmtp talks to, with the password from its file.
Result<SmtpTarget> smtp_target(const Settings& settings);
/// Goes where a delivery was rerouted to, too. Raising `stop` ends the attempts that run; all three must outlive the
/// next hop.
Result<std::unique_ptr<NextHop>> make_next_hop(const Settings& settings, Random& random, const PollableFlag& stop,
                                               net::TlsCounts tls = {});

}  // namespace sealpost
