// SPDX-License-Identifier: Apache-2.0
// What hangs on a key ends when the operator revokes it: a certificate that waits to take its place, and, when somebody
// else may have the key, every code and session of the address.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/revoked_certificates.h"
#include "notify/pending_certificate.h"
#include "notify/pickup_store.h"

namespace sealpost {

/// `current`: the address's current key is the one that is revoked. Done before it is, so that no visit is faster.
Status shut_out(PickupStore& links, PendingCertificates& pending, const std::string& address, bool current,
                RevocationReason reason, Time now);

}  // namespace sealpost
