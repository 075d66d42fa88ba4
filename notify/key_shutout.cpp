// SPDX-License-Identifier: Apache-2.0
// Implements key_shutout.h.
#include "notify/key_shutout.h"

namespace sealpost {

Status shut_out(PickupStore& links, PendingCertificates& pending, const std::string& address, bool current,
                RevocationReason reason, Time now) {
  const bool stolen = reason == RevocationReason::KeyCompromise;
  if (stolen) {
    if (auto ended = links.end_visits(address, now); !ended) return ended;
  }
  return stolen || current ? pending.remove(address) : Status();
}

}  // namespace sealpost
