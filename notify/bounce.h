// SPDX-License-Identifier: Apache-2.0
// Delivery status notifications (RFC 3464) to envelope senders: the bounce, the delay warning, and the confirmation for
// those who asked for one (NOTIFY=SUCCESS, RFC 3461). In words and for machines.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/sealed_message.h"
#include "notify/mail_composer.h"
#include "queue/delivery.h"

namespace sealpost {

/// RFC 3464 section 2.3.3.
enum class ReportAction { Failed, Delayed, Relayed, Delivered };

struct ReportFacts {
  const DeliveryRecord& delivery;
  ReportAction action;
  std::string enhanced;                  ///< RFC 3463 status
  std::string response;                  ///< how the last attempt ended: the remote's reply, or our own words
  std::string remote_host;               ///< whose reply it is; empty when the words are ours
  bool expired = false;                  ///< delivery.max_age, not a refusal
  std::optional<Time> retry_until = {};  ///< of Delayed: until when attempts go on; none for one that is held
  std::string_view header_block = {};    ///< of the returned message: fields only, never content
};

/// True when this delivery's failure is to be told: it has an envelope sender, NOTIFY allows it, and it is no notice
/// itself.
bool wants_bounce(const DeliveryRecord& delivery);
bool wants_warning(const DeliveryRecord& delivery);
bool wants_confirmation(const DeliveryRecord& delivery);
/// A complete multipart/report message to the envelope sender.
Notice compose_report(const NoticeSender& from, const ReportFacts& facts, const Clock& clock, Random& random);

}  // namespace sealpost
