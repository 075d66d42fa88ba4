// SPDX-License-Identifier: Apache-2.0
// A message's body in Redis: wrapped header block, heads and contents one behind the other, cut into chunks that no client waits long for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/redis/client.h"
#include "base/result.h"
#include "base/sealed_message.h"
#include "base/wrapper.h"
#include "queue/mail_queue.h"
#include "queue/records.h"

namespace sealpost {

/// Bodies are cut at this size: one SET of 25 MB would stall every other client (docs/redis.md).
inline constexpr std::size_t chunk_octets = 256 * 1024;

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

/// Writes a body that needs several chunks; they expire unless the put that follows keeps them.
Status write_chunks(redis::Client& redis, const MessageId& id, const StoredBody& body);

/// Reads one delivery's message. Permanent when its records were altered: a notice goes to nobody but its recipient, and a report of a sealed
/// message to nobody but its sender.
Result<std::unique_ptr<DeliveryBody>> open_body(redis::Client& redis, Wrapper& wrapper, const Claim& claim);

}  // namespace sealpost
