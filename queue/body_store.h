// SPDX-License-Identifier: Apache-2.0
// A message's body in Redis: wrapped header block, heads and contents one behind the other, cut into chunks that no
// client waits long for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/sealed_message.h"
#include "base/wrapper.h"
#include "queue/mail_queue.h"
#include "queue/records.h"

namespace sealpost {

/// Bodies are cut at this size: one SET of 25 MB would stall every other client (docs/redis.md).
inline constexpr std::size_t chunk_octets = 262'144;

/// A message as it goes into Redis.
struct StoredBody {
  std::string octets;
  MessageRecord layout;              ///< kind and sizes set
  std::vector<BodyPlace> places;     ///< one per delivery
  std::vector<std::uint64_t> sizes;  ///< octets of each delivery as it will be sent
};

Result<StoredBody> lay_out(const SealedMessage& message, const Envelope& envelope, Wrapper& wrapper);
Result<StoredBody> lay_out(const Notice& notice, const Envelope& envelope, const Addressee& addressee,
                           Wrapper& wrapper);

/// What a body that needs several chunks takes of Redis' memory: the allocator keeps a chunk of 256 KiB and its header
/// in 320 KiB.
std::uint64_t octets_in_redis(const StoredBody& body);
/// Writes a body that needs several chunks. They expire after five minutes unless the put that follows keeps them; when
/// one is refused, those before it are removed.
Status write_chunks(redis::Client& redis, const MessageId& id, const StoredBody& body, Log& log);
/// Removes the chunks of a message that was not put, which works in a full Redis, too. Only when that is certain.
void remove_chunks(redis::Client& redis, const MessageId& id, const StoredBody& body, Log& log);

/// Reads one delivery's message. Permanent when its records were altered: a notice goes to nobody but its recipient,
/// and a report of a sealed message to nobody but its sender.
Result<std::unique_ptr<DeliveryBody>> open_body(redis::Client& redis, Wrapper& wrapper, const Claim& claim);

}  // namespace sealpost
