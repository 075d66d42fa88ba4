// SPDX-License-Identifier: Apache-2.0
// Implements mail_queue.h: what each operation sends to its script, and what comes back.
#include "queue/mail_queue.h"

#include <algorithm>
#include <numeric>

#include "base/encoding.h"
#include "base/redis/number.h"
#include "queue/body_store.h"
#include "queue/durability.h"
#include "queue/history.h"
#include "queue/keys.h"
#include "queue/scripts.h"

namespace sealpost {
namespace {

/// A delivery whose workers died this often is set aside for a human.
constexpr std::string_view max_deaths = "3";
/// Without a hint, all shards are looked at this often: other nodes' mail, and what fell due by time.
constexpr std::chrono::milliseconds sweep_interval{500};
constexpr std::uint32_t every_shard = (1U << shard_count) - 1;

std::string number(std::int64_t value) { return std::to_string(value); }

/// Replies are kept to printable ASCII and to what history holds.
std::string tidy(std::string_view response) { return printable_ascii(response.substr(0, 512)); }

MessageRecord message_record(const StoredBody& body, const Envelope& envelope, std::size_t recipients) {
  MessageRecord record = body.layout;
  record.account = envelope.account;
  record.mail_from = envelope.mail_from ? envelope.mail_from->text() : std::string();
  record.smtputf8 = envelope.smtputf8;
  record.accepted = to_milliseconds(envelope.accepted);
  record.open = static_cast<std::uint32_t>(recipients);
  record.recipients = record.open;
  return record;
}

std::string delivery_record(const StoredBody& body, const Envelope& envelope, const Addressee& addressee,
                            std::size_t index, Time now) {
  DeliveryRecord record(DeliveryId(envelope.id, static_cast<std::uint32_t>(index + 1)));
  record.created = envelope.accepted;
  record.next_attempt = now;
  record.recipient = addressee.address.text();
  record.domain = addressee.address.domain().a_label();
  record.destination = addressee.destination;
  record.fingerprint = addressee.fingerprint;
  record.key_state = addressee.key_state;
  record.dsn = addressee.dsn;
  record.bounced_before = addressee.bounced_before;
  record.size = body.sizes[index];
  record.history.push_back({envelope.accepted, "queued"});
  return encode(record, body.places[index]);
}

std::string lease_name(std::string_view id, std::string_view fence) {
  return std::string(id) + " " + std::string(fence);
}

std::string lease_name(const Claim& claim) {
  return lease_name(claim.delivery.id.text(), number(static_cast<std::int64_t>(claim.fence)));
}

/// Octets counted in `all` while it lives.
class Writing final {
 public:
  Writing(std::atomic<std::uint64_t>& all, std::uint64_t octets)
      : all_(all), octets_(octets), with_others_(all.fetch_add(octets) + octets) {}
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;
  ~Writing() { all_ -= octets_; }
  /// As it was when this one was added: of several at once the first still fits.
  [[nodiscard]] std::uint64_t with_others() const { return with_others_; }

 private:
  std::atomic<std::uint64_t>& all_;
  std::uint64_t octets_;
  std::uint64_t with_others_;
};

}  // namespace

MailQueue::MailQueue(redis::Client& redis, Wrapper& wrapper, const Clock& clock, Random& random, Log& log,
                     std::chrono::seconds silence)
    : redis_(redis),
      wrapper_(wrapper),
      clock_(clock),
      random_(random),
      log_(log),
      silence_(silence),
      incarnation_(to_hex(random.octets(8))) {}

MessageId MailQueue::new_id(const std::optional<Once>& once) {
  if (!once) return MessageId::generate(clock_, random_);
  return MessageId::generate_in(static_cast<unsigned char>(once->key_mac.front()) % shard_count, clock_, random_);
}

Result<PutResult> MailQueue::put(const SealedMessage& message, const Envelope& envelope,
                                 std::span<const Addressee> addressees, const std::optional<Once>& once) {
  if (addressees.empty() || addressees.size() != message.heads().size()) {
    return Error::internal("put: as many addressees as heads are needed");
  }
  auto body = lay_out(message, envelope, wrapper_);
  if (!body) return body.error();
  return store(*body, envelope, addressees, once);
}

Result<PutResult> MailQueue::put(const Notice& notice, const Envelope& envelope, const Addressee& addressee,
                                 const std::optional<Once>& once) {
  auto body = lay_out(notice, envelope, addressee, wrapper_);
  if (!body) return body.error();
  return store(*body, envelope, {&addressee, 1}, once);
}

/// A large message is refused before its first chunk when it would not fit together with those that are written at this
/// moment: else several of them would fill Redis, and none be accepted.
Status MailQueue::write_large(const StoredBody& body, const MessageId& id, bool notice) {
  const Writing writing(writing_, octets_in_redis(body));
  const auto memory = read_memory(redis_);
  // With Redis away the write itself says so.
  if (memory && !notice && !memory->admits(writing.with_others())) {
    return redis::store_full("a body of " + std::to_string(body.octets.size()) +
                             " octets would pass 80 % of maxmemory");
  }
  return write_chunks(redis_, id, body, log_);
}

Result<PutResult> MailQueue::store(const StoredBody& body, const Envelope& envelope,
                                   std::span<const Addressee> addressees, const std::optional<Once>& once) {
  const MessageId& id = envelope.id;
  const unsigned shard = id.shard();
  const bool inline_body = body.layout.chunks == 1;
  const bool notice = body.layout.kind == BodyKind::Notification || body.layout.kind == BodyKind::OtherNotice;
  if (!inline_body) {
    if (auto written = write_large(body, id, notice); !written) return written.error();
  }
  MessageRecord message = message_record(body, envelope, addressees.size());
  if (!envelope.envid.empty()) {
    auto wrapped = wrapper_.wrap(Purpose::EnvelopeId, id.text(), envelope.envid);
    if (!wrapped) return wrapped.error();
    message.wrapped_envid = std::move(*wrapped);
  }
  std::vector<std::string> arguments = {id.text()};
  if (once) {
    arguments.push_back(queue_keys::once(shard, to_hex(once->key_mac)));
    arguments.push_back(id.text() + once->body_mac);
    arguments.push_back(number(std::chrono::milliseconds(once->lifetime).count()));
  } else {
    arguments.insert(arguments.end(), {"", "", "0"});
  }
  arguments.push_back(number(body.layout.chunks));
  arguments.push_back(inline_body ? body.octets : std::string());
  arguments.push_back(encode(message));
  arguments.push_back(envelope.account);
  const Time now = clock_.now();
  for (std::size_t i = 0; i < addressees.size(); ++i) {
    arguments.push_back(delivery_record(body, envelope, addressees[i], i, now));
  }
  const auto& script = notice ? queue_scripts::put_notice() : queue_scripts::put();
  auto reply = redis_.run(script, {queue_keys::base(shard)}, arguments);
  if (!reply) {
    // Nobody knows what became of a put whose answer was lost: its chunks may be an accepted message's.
    const bool refused = redis::is_store_full(reply.error()) || reply.error().kind == ErrorKind::Internal;
    if (refused && !inline_body) remove_chunks(redis_, id, body, log_);
    return reply.error();
  }
  const auto outcome = (*reply)[0].text();
  if (outcome == "conflict") {
    if (!inline_body) remove_chunks(redis_, id, body, log_);
    return PutResult{PutOutcome::Conflict, id};
  }
  if (outcome == "replayed") {
    auto first = MessageId::parse((*reply)[1].text());
    if (!first) return Error::internal("put: the replayed id cannot be read");
    if (!inline_body && *first != id) remove_chunks(redis_, id, body, log_);
    return PutResult{PutOutcome::Replayed, *first};
  }
  hints_ |= 1U << shard;
  return PutResult{PutOutcome::Stored, id};
}

std::size_t ClaimLimits::of(const std::string& destination) const {
  const auto found = special.find(destination);
  return found == special.end() ? standard : found->second;
}

std::map<std::string, std::size_t> MailQueue::in_flight() {
  const std::lock_guard lock(mutex_);
  return in_flight_;
}

Result<std::vector<Claim>> MailQueue::claim(std::size_t max, const ClaimLimits& limits) {
  std::uint32_t wanted = hints_.exchange(0);
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    limits_ = limits;
    if (now - last_sweep_ >= sweep_interval) {
      wanted = every_shard;
      last_sweep_ = now;
    }
  }
  std::vector<unsigned> shards;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    if ((wanted >> shard & 1U) != 0) shards.push_back(shard);
  }
  if (shards.empty() || max == 0) {
    hints_ |= wanted;
    return std::vector<Claim>();
  }
  // No shard is always the first to be served.
  std::rotate(shards.begin(), shards.begin() + static_cast<unsigned char>(random_.octets(1)[0]) % shards.size(),
              shards.end());
  auto claims = claim_in(shards, max, limits);
  if (!claims || claims->size() >= max) hints_ |= wanted;
  return claims;
}

/// The script knows one limit. A destination with another one seems to have as many more, or fewer, in flight.
std::vector<std::string> MailQueue::claim_arguments(std::size_t max, const ClaimLimits& limits) {
  std::vector<std::string> arguments = {number(to_milliseconds(clock_.now())), incarnation_,
                                        number(static_cast<std::int64_t>(max)),
                                        number(static_cast<std::int64_t>(limits.standard))};
  const std::lock_guard lock(mutex_);
  auto counts = in_flight_;
  for (const auto& [destination, limit] : limits.special) counts.try_emplace(destination, 0);
  for (const auto& [destination, count] : counts) {
    arguments.push_back(destination);
    arguments.push_back(number(static_cast<std::int64_t>(count) + static_cast<std::int64_t>(limits.standard) -
                               static_cast<std::int64_t>(limits.of(destination))));
  }
  return arguments;
}

Result<std::vector<Claim>> MailQueue::claim_in(const std::vector<unsigned>& shards, std::size_t max,
                                               const ClaimLimits& limits) {
  std::vector<Claim> claims;
  // Each shard is asked for its part; a shard with nothing leaves more to the next ones. One that gave what cannot be
  // read is asked again: that took another one's place.
  bool again = false;
  for (std::size_t i = 0; i < shards.size() && claims.size() < max; i += again ? 0 : 1) {
    again = false;
    auto reply =
        redis_.run(queue_scripts::claim(), {queue_keys::base(shards[i])}, claim_arguments(max - claims.size(), limits));
    if (!reply) return claims.empty() ? Result<std::vector<Claim>>(reply.error()) : claims;
    for (std::size_t row = 0; row + 3 < reply->size(); row += 4) {
      auto claim = read_claim(*reply, row);
      if (!claim) {
        set_aside(shards[i], (*reply)[row].text(), (*reply)[row + 1].integer(), claim.error());
        again = true;
        continue;
      }
      const std::lock_guard lock(mutex_);
      ++in_flight_[claim->delivery.destination];
      in_hand_.insert(lease_name(*claim));
      claims.push_back(std::move(*claim));
    }
  }
  return claims;
}

Result<Claim> MailQueue::read_claim(const redis::Reply& reply, std::size_t row) {
  const std::int64_t fence = reply[row + 1].integer();
  if (fence <= 0) return Error::internal("queue record: cannot be unpacked");
  auto id = DeliveryId::parse(reply[row].text());
  if (!id) return id.error();
  auto message = decode_message(reply[row + 2].text());
  if (!message) return message.error();
  auto stored = decode_delivery(*id, reply[row + 3].text(), *message);
  if (!stored) return stored.error();
  if (!message->wrapped_envid.empty()) {
    auto envid = wrapper_.unwrap(Purpose::EnvelopeId, id->message().text(), message->wrapped_envid);
    if (!envid) return envid.error();
    stored->record.envid = std::string(view(*envid));
  }
  return Claim{std::move(stored->record), static_cast<std::uint64_t>(fence), std::move(*message), stored->place};
}

/// One record that somebody altered, or that another version wrote, must not keep the others waiting.
void MailQueue::set_aside(unsigned shard, std::string_view id, std::int64_t fence, const Error& why) {
  log_.failure("queue.record_unreadable", why, {{"delivery", std::string(id)}});
  if (fence <= 0) return;
  auto held = redis_.run(queue_scripts::settle(), {queue_keys::base(shard)},
                         {incarnation_, std::string(id), number(fence), "held", number(to_milliseconds(clock_.now())),
                          "0", "its records in the store cannot be read"});
  // The lease is one that nobody knows, and is given back.
  if (!held) log_.failure("queue.not_set_aside", held.error(), {{"delivery", std::string(id)}});
}

Result<std::unique_ptr<DeliveryBody>> MailQueue::open(const Claim& claim) { return open_body(redis_, wrapper_, claim); }

void MailQueue::forget(const Claim& claim) {
  const std::lock_guard lock(mutex_);
  if (in_hand_.erase(lease_name(claim)) == 0) return;
  const auto found = in_flight_.find(claim.delivery.destination);
  if (found == in_flight_.end()) return;
  // A place became free at a destination that had none: what waits for it may stand in any shard.
  if (found->second >= limits_.of(claim.delivery.destination)) hints_ = every_shard;
  if (--found->second == 0) in_flight_.erase(found);
}

Status MailQueue::settle(const Claim& claim, std::string_view what, std::string_view response, Time next_attempt) {
  const unsigned shard = claim.delivery.id.message().shard();
  auto reply = redis_.run(
      queue_scripts::settle(), {queue_keys::base(shard)},
      {incarnation_, claim.delivery.id.text(), number(static_cast<std::int64_t>(claim.fence)), std::string(what),
       number(to_milliseconds(clock_.now())), number(to_milliseconds(next_attempt)), tidy(response)});
  if (!reply) return reply.error();
  if (what != "warned") {
    forget(claim);
    hints_ |= 1U << shard;
  }
  if (reply->integer() != 1) return Error::not_found("the lease on this delivery was lost", claim.delivery.id.text());
  return {};
}

Status MailQueue::delivered(const Claim& claim, std::string_view response) {
  return settle(claim, "delivered", response, {});
}
Status MailQueue::deferred(const Claim& claim, std::string_view response, Time next_attempt) {
  return settle(claim, "deferred", response, next_attempt);
}
Status MailQueue::bounced(const Claim& claim, std::string_view response) {
  return settle(claim, "bounced", response, {});
}
Status MailQueue::held(const Claim& claim, std::string_view reason) { return settle(claim, "held", reason, {}); }
/// A lease whose release did not come through is one that nobody knows any more, and is given back by the heartbeat.
Status MailQueue::release(const Claim& claim) {
  auto released = settle(claim, "release", "", {});
  if (!released) forget(claim);
  return released;
}
Status MailQueue::warned(const Claim& claim) { return settle(claim, "warned", "", {}); }

Status MailQueue::heartbeat() {
  std::vector<redis::Client::Call> calls;
  for (unsigned shard = 0; shard < shard_count; ++shard) calls.push_back({{queue_keys::base(shard)}, {incarnation_}});
  auto replies = redis_.run_all(queue_scripts::heartbeat(), calls);
  if (!replies) return replies.error();
  return give_back_unknown();
}

/// Unknown at two heartbeats in a row: a claim whose reply is still on its way is known by then.
Status MailQueue::give_back_unknown() {
  std::vector<redis::Command> commands;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    commands.push_back({"HGETALL", queue_keys::base(shard) + "leases:" + incarnation_});
  }
  auto leases = redis_.pipeline(commands);
  if (!leases) return leases.error();
  std::set<std::string> unknown;
  std::vector<redis::Client::Call> calls;
  {
    const std::lock_guard lock(mutex_);
    for (unsigned shard = 0; shard < shard_count; ++shard) {
      const auto& reply = (*leases)[shard];
      for (std::size_t i = 0; i + 1 < reply.size(); i += 2) {
        std::string name = lease_name(reply[i].text(), reply[i + 1].text());
        if (in_hand_.contains(name)) continue;
        if (!unknown_.contains(name)) {
          unknown.insert(std::move(name));
          continue;
        }
        calls.push_back({{queue_keys::base(shard)},
                         {incarnation_, std::string(reply[i].text()), std::string(reply[i + 1].text()), "release",
                          number(to_milliseconds(clock_.now())), "0", ""}});
      }
    }
    unknown_ = std::move(unknown);
  }
  if (calls.empty()) return {};
  log_.warning("queue.leases_given_back", {{"deliveries", calls.size()}});
  hints_ = every_shard;
  auto released = redis_.run_all(queue_scripts::settle(), calls);
  if (!released) return released.error();
  return {};
}

Result<std::size_t> MailQueue::reap() {
  auto info = redis_.command({"INFO", "server"});
  if (!info) return info.error();
  constexpr std::string_view field = "uptime_in_seconds:";
  const auto found = info->text().find(field);
  if (found == std::string_view::npos) return Error::internal("redis: INFO names no uptime");
  const std::int64_t uptime = redis::to_number(info->text().substr(found + field.size()));
  std::vector<redis::Client::Call> calls;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    calls.push_back(
        {{queue_keys::base(shard)},
         {number(silence_.count()), number(uptime), number(to_milliseconds(clock_.now())), std::string(max_deaths)}});
  }
  auto replies = redis_.run_all(queue_scripts::reap(), calls);
  if (!replies) return replies.error();
  const auto taken = std::accumulate(
      replies->begin(), replies->end(), std::size_t{0},
      [](std::size_t sum, const redis::Reply& reply) { return sum + static_cast<std::size_t>(reply.integer()); });
  if (taken > 0) {
    hints_ = every_shard;
    log_.warning("queue.reaped", {{"deliveries", taken}});
  }
  return taken;
}

Result<std::size_t> MailQueue::trim_history(Duration history) { return trim_finished(redis_, clock_.now() - history); }

}  // namespace sealpost
