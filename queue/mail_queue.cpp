// SPDX-License-Identifier: Apache-2.0
// Implements mail_queue.h: puts and outcomes. What a lease is stands in mail_queue_leases.cpp.
#include "queue/mail_queue.h"

#include "base/encoding.h"
#include "queue/body_store.h"
#include "queue/durability.h"
#include "queue/history.h"
#include "queue/keys.h"
#include "queue/scripts.h"

namespace sealpost {
namespace {

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
  if (!addressee.hold.empty()) {
    record.state = DeliveryState::Held;
    record.next_attempt.reset();
    record.last_response = addressee.hold;
    record.history.push_back({envelope.accepted, "held: " + addressee.hold});
  }
  return encode(record, body.places[index]);
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
                     std::chrono::seconds silence, Schedule schedule)
    : redis_(redis),
      wrapper_(wrapper),
      clock_(clock),
      random_(random),
      log_(log),
      silence_(silence),
      schedule_(schedule),
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
  const bool notice = is_notice(body.layout.kind);
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
    arguments.push_back(id.text() + once->body_mac + once->answer);
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
    return PutResult{PutOutcome::Replayed, *first, std::string((*reply)[2].text())};
  }
  hints_ |= 1U << shard;
  return PutResult{PutOutcome::Stored, id};
}

Result<std::optional<PutResult>> MailQueue::find(const Once& once) {
  const MessageId in_its_shard = new_id(once);
  auto reply = redis_.command({"GET", queue_keys::once(in_its_shard.shard(), to_hex(once.key_mac))});
  if (!reply) return reply.error();
  if (reply->is_nil()) return std::optional<PutResult>();
  constexpr std::size_t id_size = 26;
  const std::string_view value = reply->text();
  auto first = MessageId::parse(value.substr(0, id_size));
  if (!first || value.size() < id_size + once.body_mac.size())
    return Error::internal("queue: a once key cannot be read");
  const bool same = value.substr(id_size, once.body_mac.size()) == once.body_mac;
  return std::optional(PutResult{same ? PutOutcome::Replayed : PutOutcome::Conflict, *first,
                                 same ? std::string(value.substr(id_size + once.body_mac.size())) : std::string()});
}

Result<std::unique_ptr<DeliveryBody>> MailQueue::open(const Claim& claim) { return open_body(redis_, wrapper_, claim); }

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

Result<std::size_t> MailQueue::trim_history(Duration history) { return trim_finished(redis_, clock_.now() - history); }

}  // namespace sealpost
