// SPDX-License-Identifier: Apache-2.0
// What became of a message, in the words of the API: from the queue's records, and what the directory and the pickup
// know of the recipients' keys.
#pragma once

#include <Poco/JSON/Object.h>

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "queue/delivery.h"

namespace sealpost::submit {

/// Of the pair that a delivery was sealed to.
struct KeyProgress {
  std::optional<Time> notified;   ///< when the latest notification about it was handed over
  std::optional<Time> picked_up;  ///< the first time
};

struct TimelineEvent {
  Time time{};
  std::string type;       ///< as docs/api.md lists them
  std::string recipient;  ///< empty: of the message as a whole
  std::string detail;     ///< may be empty
};

/// In the order of time. `keys` stand beside the deliveries.
std::vector<TimelineEvent> timeline(const std::vector<DeliveryRecord>& deliveries,
                                    const std::vector<KeyProgress>& keys);

/// {id, from, created, recipients[{address, delivery, status, attempts, last_response, next_attempt, key}]}; of at
/// least one delivery.
Poco::JSON::Object message_to_json(const std::vector<DeliveryRecord>& deliveries);
/// The same, with events[{time, type, recipient, detail}].
Poco::JSON::Object message_to_json(const std::vector<DeliveryRecord>& deliveries, const std::vector<KeyProgress>& keys);

}  // namespace sealpost::submit
