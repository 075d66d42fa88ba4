// SPDX-License-Identifier: Apache-2.0
// Reads what Redis knows of deliveries by their ids.
#pragma once

#include <vector>

#include "base/redis/client.h"
#include "base/result.h"
#include "queue/delivery.h"

namespace sealpost {

/// One delivery; NotFound when there is no record of it.
Result<DeliveryRecord> read_delivery_record(redis::Client& redis, const DeliveryId& id);
/// All of a message that still have one, in the order of their numbers.
Result<std::vector<DeliveryRecord>> read_deliveries_of(redis::Client& redis, const MessageId& message);
/// Those of the ids that still have a record, in their order.
Result<std::vector<DeliveryRecord>> read_delivery_records(redis::Client& redis, const std::vector<DeliveryId>& ids);

}  // namespace sealpost
