// SPDX-License-Identifier: Apache-2.0
// The mail queue in Redis: put, claim under a lease, record the outcome. Every operation is one atomic script; keys and
// fields stand in docs/redis.md.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/sealed_message.h"
#include "base/wrapper.h"
#include "queue/delivery.h"
#include "queue/records.h"

namespace sealpost {

/// Makes a put happen once: the same key again replays the first answer. The key's MAC decides the shard, so take the
/// id from MailQueue::new_id.
struct Once {
  std::string key_mac;            ///< 32 octets (Wrapper::mac)
  std::string body_mac;           ///< MAC of what was submitted; another body under the same key is a conflict
  std::chrono::seconds lifetime;  ///< how long the key is remembered
  std::string answer = {};        ///< kept with the key for replays; nothing that a thief of Redis may read
};

enum class PutOutcome {
  Stored,    ///< durable now
  Replayed,  ///< an earlier put under the same key was durable already
  Conflict   ///< the same key with another body; nothing stored
};

struct PutResult {
  PutOutcome outcome;
  MessageId id;             ///< of the message that is durable
  std::string answer = {};  ///< of a replay: what was kept with the key
};

struct StoredBody;

/// A delivery that this process may attempt until its lease is taken away.
struct Claim {
  DeliveryRecord delivery;
  std::uint64_t fence = 0;  ///< every later operation on the delivery must show it
  MessageRecord message;
  BodyPlace place;
};

/// How many deliveries may be in flight in this process: of each destination, and of all doubtful ones together, so
/// that those which may not answer leave workers to those which do.
struct ClaimLimits {
  struct Destination {
    std::size_t most;
    bool doubtful = false;
  };
  /// `most` of each destination, and none is in doubt.
  ClaimLimits(std::size_t most)  // NOLINT(google-explicit-constructor)
      : of([most](const std::string&) { return Destination{most}; }) {}
  ClaimLimits(std::function<Destination(const std::string&)> each, std::size_t doubtful_ones)
      : of(std::move(each)), doubtful(doubtful_ones) {}

  std::function<Destination(const std::string&)> of;
  std::size_t doubtful = std::numeric_limits<std::size_t>::max();
};

/// The finished octets of a claimed delivery, read from Redis chunk by chunk: header block, empty line, body; CRLF line
/// ends.
class DeliveryBody {
 public:
  virtual ~DeliveryBody() = default;
  /// The header block without the empty line; for a bounce's returned fields.
  [[nodiscard]] virtual std::string_view header_block() const = 0;
  /// The next piece; empty at the end.
  virtual Result<std::string> next() = 0;
};

class MailQueue final {
 public:
  /// Each MailQueue is a life of its own: its leases are taken back once its heartbeat has been silent for `silence`.
  /// It claims from one schedule; everything else is the same for both.
  MailQueue(redis::Client& redis, Wrapper& wrapper, const Clock& clock, Random& random, Log& log,
            std::chrono::seconds silence = std::chrono::seconds(60), Schedule schedule = Schedule::Mail);
  MailQueue(const MailQueue&) = delete;
  MailQueue& operator=(const MailQueue&) = delete;

  [[nodiscard]] MessageId new_id(const std::optional<Once>& once = std::nullopt);

  /// All or nothing: when this returns, every delivery is durable. Addressees are in the order of the message's heads.
  /// Temporary: Redis away, full, or beyond its watermark (public_text says which).
  Result<PutResult> put(const SealedMessage& message, const Envelope& envelope, std::span<const Addressee> addressees,
                        const std::optional<Once>& once = std::nullopt);
  Result<PutResult> put(const Notice& notice, const Envelope& envelope, const Addressee& addressee,
                        const std::optional<Once>& once = std::nullopt);

  /// What a put under this key would find: Replayed, Conflict, or nothing yet.
  Result<std::optional<PutResult>> find(const Once& once);

  /// Takes up to `max` due deliveries, destinations served in turn, within the limits. One whose records cannot be read
  /// is logged and set aside (held). For one thread.
  Result<std::vector<Claim>> claim(std::size_t max, const ClaimLimits& limits);
  /// Claims of this process that are not settled yet, by destination.
  [[nodiscard]] std::map<std::string, std::size_t> in_flight();
  Result<std::unique_ptr<DeliveryBody>> open(const Claim& claim);

  /// Outcomes. NotFound when the lease was lost meanwhile: somebody else answers for the delivery now.
  Status delivered(const Claim& claim, std::string_view response);
  Status deferred(const Claim& claim, std::string_view response, Time next_attempt);
  /// Put the bounce first (with Once), then call this.
  Status bounced(const Claim& claim, std::string_view response);
  /// Sets the delivery aside for a human.
  Status held(const Claim& claim, std::string_view reason);
  /// Gives the delivery back as it was, counting no attempt (shutdown, no slot free).
  Status release(const Claim& claim);
  /// Remembers that the delay warning was put.
  Status warned(const Claim& claim);

  /// Says that this process lives; call every few seconds. Gives back leases that nobody here knows of: a claim whose
  /// reply was lost.
  Status heartbeat();
  /// Takes back the leases of processes that have been silent for 60 s of Redis' own uptime; counts no attempt. A
  /// delivery whose worker died again and again goes to held. Returns how many were taken back.
  Result<std::size_t> reap();
  /// Forgets the records of deliveries that finished longer ago than `history`, and above 50 % of maxmemory the oldest
  /// of them, a bounded number at once: call it about every second. Returns how many.
  Result<std::size_t> trim_history(Duration history);

 private:
  Result<PutResult> store(const StoredBody& body, const Envelope& envelope, std::span<const Addressee> addressees,
                          const std::optional<Once>& once);
  Status write_large(const StoredBody& body, const MessageId& id, bool notice);
  Status settle(const Claim& claim, std::string_view what, std::string_view response, Time next_attempt);
  std::vector<unsigned> shards_to_look_at();
  [[nodiscard]] redis::Command page_of(unsigned shard, std::size_t from) const;
  Status claim_in(unsigned shard, redis::Reply page, std::size_t max, const ClaimLimits& limits,
                  std::vector<Claim>& claims);
  struct DueDestination;
  std::vector<DueDestination> with_room(unsigned shard, std::vector<std::string> names, const ClaimLimits& limits);
  [[nodiscard]] std::size_t room_of_doubtful(const ClaimLimits& limits) const;
  Result<bool> take(unsigned shard, const std::vector<DueDestination>& due, std::size_t max, const ClaimLimits& limits,
                    std::vector<Claim>& claims);
  Result<Claim> read_claim(const redis::Reply& reply, std::size_t row);
  void set_aside(unsigned shard, std::string_view id, std::int64_t fence, const Error& why);
  void forget(const Claim& claim);
  Status give_back_unknown();

  redis::Client& redis_;
  Wrapper& wrapper_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
  std::chrono::seconds silence_;
  Schedule schedule_;
  std::string incarnation_;
  std::atomic<std::uint32_t> hints_{0};    ///< shards in which something may be claimed that was not before
  std::atomic<std::uint32_t> passed_{0};   ///< shards in which something was due that had no room
  std::atomic<std::uint64_t> writing_{0};  ///< octets of the large bodies that are written at this moment
  std::mutex mutex_;
  std::map<std::string, std::size_t> in_flight_;  ///< by destination, in this process
  std::set<std::string> in_hand_;                 ///< leases (id and fence) that were taken here and are not settled
  std::set<std::string> unknown_;                 ///< leases that the last heartbeat did not know
  std::chrono::steady_clock::time_point last_sweep_{};
  std::array<std::size_t, shard_count> looked_{};  ///< of each shard's due destinations, when they are many
};

}  // namespace sealpost
