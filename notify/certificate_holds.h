// SPDX-License-Identifier: Apache-2.0
// Mail for a certificate of the recipient's own that has ended: it is sealed to it, since nobody but the recipient
// chooses another, and held until they have.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/key_record.h"
#include "queue/delivery.h"
#include "queue/queue_view.h"

namespace sealpost {

/// Why mail for this key is held; empty when it is not (KeyUse::Hold).
std::string hold_reason(const KeyRecord& key, Time now);

/// A delivery that was put so, for those who are to be told.
struct HeldMail {
  const DeliveryRecord& delivery;
  const KeyRecord& key;
  std::string reason;
  std::string_view header_block;  ///< of the message, for the report to its sender
};

/// Lets go what was held because the address's certificate of this fingerprint had expired: its key still opens it.
/// What was held for a revoked one stays, for the operator to decide. How many deliveries.
Result<std::size_t> release_for_certificate(QueueView& view, const std::string& address,
                                            const std::string& fingerprint);

}  // namespace sealpost
