// SPDX-License-Identifier: Apache-2.0
// Walks the deliveries of all shards in the order in which they were created, in batches, from where a cursor left off.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/redis/client.h"
#include "base/result.h"
#include "queue/queue_view.h"

namespace sealpost {

class DeliveryScan final {
 public:
  /// Chooses the narrowest index that the filter allows. Invalid for a cursor that this class did not make.
  static Result<DeliveryScan> begin(redis::Client& redis, const DeliveryFilter& filter, const std::string& cursor);

  /// Reads the next batch; empty at the end.
  Result<std::vector<DeliveryRecord>> next();
  /// Where to go on behind `last`, which the latest next() returned.
  [[nodiscard]] std::string cursor_behind(const DeliveryRecord& last) const;

 private:
  DeliveryScan(redis::Client& redis, std::function<std::string(unsigned)> index)
      : redis_(&redis), index_(std::move(index)) {}
  redis::Client* redis_;
  std::function<std::string(unsigned)> index_;
  unsigned shard_ = 0;
  std::string score_ = "-inf";                 ///< of the last delivery that was read in this shard
  std::string after_;                          ///< its id: Redis sorts equal scores by member
  std::size_t offset_ = 0;                     ///< entries of score_ that are known to lie before after_
  std::map<std::string, std::string> scores_;  ///< of the latest batch
};

/// One delivery; NotFound when there is no record of it.
Result<DeliveryRecord> read_delivery_record(redis::Client& redis, const DeliveryId& id);
/// All of a message that still have one, in the order of their numbers.
Result<std::vector<DeliveryRecord>> read_deliveries_of(redis::Client& redis, const MessageId& message);
/// Those of the ids that still have a record.
Result<std::vector<DeliveryRecord>> read_delivery_records(redis::Client& redis, const std::vector<DeliveryId>& ids);

}  // namespace sealpost
