// SPDX-License-Identifier: Apache-2.0
// The bounce: a delivery status notification of RFC 3464 that tells a sender, in words and for machines, that a delivery has failed for good.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/sealed_message.h"
#include "queue/delivery.h"

namespace sealpost {

struct BounceFacts {
  const DeliveryRecord& delivery;
  std::string reporting_host;     ///< relay.hostname
  std::string from;               ///< notify.from as a header value
  std::string enhanced;           ///< RFC 3463 status
  std::string response;           ///< the remote's reply, or our own words
  std::string remote_host;        ///< empty when no host answered
  bool expired = false;           ///< delivery.max_age, not a refusal
  std::string_view header_block;  ///< of the returned message: fields only, never content
};

/// True when this delivery's failure is to be told: it has an envelope sender, NOTIFY allows it, and it is no notice itself.
bool wants_bounce(const DeliveryRecord& delivery);
/// A complete multipart/report message to the envelope sender.
Notice compose_bounce(const BounceFacts& facts, const Clock& clock, Random& random);

}  // namespace sealpost
