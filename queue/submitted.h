// SPDX-License-Identifier: Apache-2.0
// What one account submitted: its messages over all shards, the newest first, page by page.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/email_address.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "queue/delivery.h"

namespace sealpost {

/// What is not set, matches all.
struct SubmittedFilter {
  std::optional<DeliveryState> state;
  std::optional<EmailAddress> to;
  std::optional<Time> since;   ///< accepted then or later
  std::size_t look_at = 2000;  ///< index entries, about; then the page ends
};

/// One message with those of its deliveries that match, in the order of their numbers; never empty.
using SubmittedMessageRecords = std::vector<DeliveryRecord>;

struct SubmittedPage {
  std::vector<SubmittedMessageRecords> messages;
  std::string cursor;  ///< empty at the end; a page may be short, and even empty, before that
};

/// At most `limit` messages, and about 2,000 deliveries. Invalid for a cursor that is none of ours, which names a
/// message that may be another account's.
Result<SubmittedPage> list_submitted(redis::Client& redis, const std::string& account, const SubmittedFilter& filter,
                                     std::size_t limit, const std::string& cursor);

}  // namespace sealpost
