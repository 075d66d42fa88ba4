// SPDX-License-Identifier: Apache-2.0
// The two records of the queue as MessagePack arrays, which the Lua scripts read and write too: field numbers stand in
// docs/redis.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "queue/delivery.h"

namespace sealpost {

/// What kind of body a message has; the numbers are stored.
enum class BodyKind : std::uint8_t { Cms = 0, Verbatim = 1, Notification = 2, OtherNotice = 3, SenderCode = 4 };

inline bool is_notice(BodyKind kind) { return kind >= BodyKind::Notification; }

/// What the deliveries of one message share.
struct MessageRecord {
  std::string account;
  std::string mail_from;
  std::string wrapped_envid;  ///< free text of the sender's: MailQueue wraps and opens it; empty for none
  bool smtputf8 = false;
  std::int64_t accepted = 0;  ///< ms
  BodyKind kind = BodyKind::Cms;
  std::uint32_t open = 0;  ///< deliveries that are not finished
  std::uint32_t recipients = 0;
  std::uint32_t chunks = 0;
  std::uint64_t header_octets = 0;            ///< wrapped header block at the body's beginning
  std::vector<std::uint64_t> content_octets;  ///< contents, one behind the other, at the body's end
  std::uint64_t body_octets = 0;
};

/// Where a delivery's own parts lie in the message's body.
struct BodyPlace {
  std::uint64_t head_offset = 0;
  std::uint64_t head_octets = 0;
  std::uint32_t content = 0;
};

struct StoredDelivery {
  DeliveryRecord record;  ///< the message's fields are not set
  BodyPlace place;
};

std::string encode(const MessageRecord& record);
Result<MessageRecord> decode_message(std::string_view octets);

std::string encode(const DeliveryRecord& record, const BodyPlace& place);
/// Takes the message's fields from `message`, but for the ENVID. Internal, as for decode_message, when the record is
/// not one that we could have written.
Result<StoredDelivery> decode_delivery(const DeliveryId& id, std::string_view octets, const MessageRecord& message);

}  // namespace sealpost
