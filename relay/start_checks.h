// SPDX-License-Identifier: Apache-2.0
// What sealpostd makes sure of before anything runs, and what it says of settings that would surprise later.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/log.h"
#include "base/net/tls_context.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "conf/settings.h"
#include "relay/descriptors.h"

namespace sealpost {

/// The certificate of the settings; without one a self-signed pair in the state directory, made when there is none.
Result<std::unique_ptr<net::TlsContext>> load_tls(const Settings& settings, Log& log);

/// That Redis keeps what it is given; before anything is written there: a CA made in a store that may lose it would
/// leave certificates that nobody vouches for. Temporary when it cannot be reached, Invalid when it may lose data.
Status check_store(const Settings& settings);

/// Gives what an earlier version left in the store the indexes that it lacks.
Status move_earlier_store(redis::Client& redis, const Clock& clock, Log& log);

/// How many connections are taken at once; a limit of open files that does not do for all of them is told.
ConnectionShares connection_shares(const Settings& settings, Log& log);

/// Settings that refuse mail by themselves, or that nothing reads, are told before the first sender meets them.
void warn_of_surprises(const Settings& settings, Log& log);

}  // namespace sealpost
