// SPDX-License-Identifier: Apache-2.0
// Implements intake.h, in the order in which a message goes: split, check the sender, keys, seal, put, follow up.
#include "relay/intake.h"

#include <utility>

#include "base/encoding.h"
#include "conf/recipient_domains.h"
#include "crypto/submitted_message.h"
#include "notify/codes.h"
#include "relay/send_as.h"

namespace sealpost {
namespace {

/// Received fields that a message may bring along (RFC 5321 section 6.3).
constexpr std::size_t max_received = 50;
constexpr std::chrono::hours idempotency_lifetime{24};

IntakeError refuse(Refusal refusal, const Error& why) { return {refusal, why.public_text, why.internal_detail}; }

/// A store or key that failed: whether it is the store's fullness, its absence, or ours, the sender keeps the message
/// and retries.
IntakeError store_failure(const Error& why) {
  if (redis::is_store_full(why)) return {Refusal::StoreFull, "insufficient system storage", why.internal_detail};
  if (why.kind == ErrorKind::Temporary) return {Refusal::StoreAway, "temporarily unavailable", why.internal_detail};
  return {Refusal::CannotSealNow, "the message cannot be encrypted now", why.public_text + ": " + why.internal_detail};
}

/// Whether nothing was stored for sure.
bool is_certain(const Error& why) { return redis::is_store_full(why) || why.kind != ErrorKind::Temporary; }

IntakeError seal_failure(const Error& why) {
  const bool final = why.kind == ErrorKind::Permanent || why.kind == ErrorKind::Invalid;
  return refuse(final ? Refusal::CannotSeal : Refusal::CannotSealNow, why);
}

/// In a reply of SMTP all of it has 510 octets (RFC 5321 section 4.5.3.1.5): the address is cut, the response is short.
IntakeError suppressed(const BounceRun& run) {
  constexpr std::size_t longest_address = 160;
  return {Refusal::Suppressed,
          printable_ascii(run.address.substr(0, longest_address)) + " bounced " + std::to_string(run.bounces) +
              (run.bounces == 1 ? " time" : " times in a row") + ", last on " + to_rfc5322(run.last) + " (" +
              run.response + "); mail to it is refused until " + to_rfc5322(run.until.value_or(run.last)),
          {}};
}

/// What the relay adds to the header block, and the Message-ID that the message has then.
struct Added {
  Sealer::Additions fields;
  std::string message_id;
};

Added additions(const SubmittedMessage& message, const Envelope& envelope, const std::string& protocol,
                const std::string& hostname) {
  Added added;
  // No client address and no `for`: nothing that tells more of the sender, or one recipient from another.
  added.fields.top = "Received: by " + hostname + " with " + protocol + " id " + envelope.id.text() + ";\r\n\t" +
                     to_rfc5322(envelope.accepted) + "\r\n";
  if (const auto* field = message.find("Message-ID")) {
    added.message_id = trimmed(field->body, " \t\r\n");
  } else {
    added.message_id = "<" + envelope.id.text() + "@" + hostname + ">";
    added.fields.bottom += "Message-ID: " + added.message_id + "\r\n";
  }
  if (message.find("Date") == nullptr) added.fields.bottom += "Date: " + to_rfc5322(envelope.accepted) + "\r\n";
  return added;
}

}  // namespace

/// Every recipient's key, in the order of the submission's recipients.
struct Intake::Keys {
  Introduction introduction;
  std::vector<KeyRecord> records;
  std::vector<bool> assigned;
  std::vector<std::string> rows;   ///< of the notification that an assignment owes; empty for the others
  std::vector<std::string> holds;  ///< why the delivery is held; empty when it is not
};

Intake::Intake(KeyDirectory& directory, const Sealer& sealer, MailQueue& queue, NewAddressRate& rate,
               Suppressions& suppressions, Wrapper& wrapper, const Clock& clock, Log& log, IntakeOptions options,
               IntakeHooks hooks)
    : directory_(directory),
      sealer_(sealer),
      queue_(queue),
      rate_(rate),
      suppressions_(suppressions),
      wrapper_(wrapper),
      clock_(clock),
      log_(log),
      options_(std::move(options)),
      hooks_(std::move(hooks)) {}

Result<Admission, IntakeError> Intake::admit(const Account& account, const EmailAddress& address,
                                             std::size_t unassigned) {
  if (!address.fits_certificate()) {
    return IntakeError{Refusal::BadRecipient, "this address cannot stand in a certificate", {}};
  }
  auto bounced = bounced_before({address});
  if (!bounced) return std::move(bounced).error();
  auto known = directory_.find(address);
  if (!known) return store_failure(known.error());
  if (known->has_value()) return Admission{false, bounced->front()};
  auto allowed = rate_.allows(account.name, address.directory_key());
  if (!allowed) return store_failure(allowed.error());
  if (!*allowed) return IntakeError{Refusal::RateOfNew, "too many new recipients for now; try again later", {}};
  auto stock = directory_.stock(address);
  if (!stock) return store_failure(stock.error());
  if (!*stock) return Admission{false, bounced->front()};
  if (unassigned + 1 > **stock + generated_per_transaction) {
    return IntakeError{Refusal::TooManyNew, "too many recipients without a key in one message", {}};
  }
  return Admission{true, bounced->front()};
}

Result<std::vector<bool>, IntakeError> Intake::bounced_before(const std::vector<EmailAddress>& addresses) {
  auto runs = suppressions_.look(addresses);
  if (!runs) return store_failure(runs.error());
  std::vector<bool> bounced;
  for (const auto& run : *runs) {
    if (run && run->until) return suppressed(*run);
    bounced.push_back(run.has_value());
  }
  return bounced;
}

/// For the recipients that no admit() has looked at, together.
Result<void, IntakeError> Intake::look_at_bounces(Submission& submission) {
  std::vector<EmailAddress> addresses;
  std::vector<SubmissionRecipient*> recipients;
  for (auto& recipient : submission.recipients) {
    if (recipient.bounced_before) continue;
    addresses.push_back(recipient.address);
    recipients.push_back(&recipient);
  }
  if (addresses.empty()) return {};
  auto bounced = bounced_before(addresses);
  if (!bounced) return std::move(bounced).error();
  for (std::size_t i = 0; i < recipients.size(); ++i) recipients[i]->bounced_before = (*bounced)[i];
  return {};
}

Result<Intake::Keys, IntakeError> Intake::keys_for(const Submission& submission, const Introduction& introduction) {
  std::vector<EmailAddress> addresses;
  for (const auto& recipient : submission.recipients) addresses.push_back(recipient.address);
  auto found = directory_.find_all(addresses);
  if (!found) return store_failure(found.error());

  std::vector<std::string> missing;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if (!(*found)[i]) missing.push_back(addresses[i].directory_key());
  }
  if (!missing.empty()) {
    auto taken = rate_.take(submission.account.name, missing);
    if (!taken) return store_failure(taken.error());
    if (!*taken) return IntakeError{Refusal::RateOfNew, "too many new recipients for now; try again later", {}};
  }
  Keys keys{introduction, {}, {}, {}, {}};
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if ((*found)[i]) {
      keys.records.push_back(std::move(*(*found)[i]));
      keys.assigned.push_back(false);
      keys.rows.emplace_back();
      continue;
    }
    auto assignment = directory_.find_or_assign(addresses[i], introduction);
    if (!assignment) {
      take_back(submission, keys);
      return store_failure(assignment.error());
    }
    keys.records.push_back(std::move(assignment->key));
    keys.assigned.push_back(assignment->assigned);
    keys.rows.push_back(std::move(assignment->row_id));
  }
  for (const auto& record : keys.records) keys.holds.push_back(hold_reason(record, clock_.now()));
  return keys;
}

Result<SealedMessage, IntakeError> Intake::seal(const Submission& submission, const SubmittedMessage& message,
                                                const Keys* keys, const Sealer::Additions& additions) const {
  if (keys == nullptr) {
    auto passed = sealer_.pass_through(message, submission.recipients.size(), additions);
    if (!passed) return seal_failure(passed.error());
    return std::move(*passed);
  }
  std::vector<std::string> certificates;
  for (const auto& record : keys->records) certificates.push_back(record.certificate);
  std::vector<ContentCipher> ciphers;
  for (const auto& recipient : submission.recipients) {
    ciphers.push_back(domain_of(options_.domains, recipient.address).content_cipher.value_or(options_.cipher));
  }
  const auto begun = std::chrono::steady_clock::now();
  auto sealed = sealer_.seal(message, certificates, additions, ciphers);
  if (!sealed) return seal_failure(sealed.error());
  options_.seal.since(begun);
  return std::move(*sealed);
}

std::vector<Addressee> Intake::addressees(const Submission& submission, const Keys* keys) const {
  std::vector<Addressee> result;
  for (std::size_t i = 0; i < submission.recipients.size(); ++i) {
    const auto& recipient = submission.recipients[i];
    const bool fixed = !options_.destination.empty();
    result.push_back({recipient.address, fixed ? options_.destination : recipient.address.domain().a_label(),
                      keys != nullptr ? keys->records[i].fingerprint : std::string(),
                      keys != nullptr ? std::string(to_text(keys->records[i].state)) : std::string(), recipient.dsn,
                      recipient.bounced_before.value_or(false), keys != nullptr ? keys->holds[i] : std::string()});
  }
  return result;
}

/// What fails here is as after a crash: the notification goes out after a minute.
void Intake::take_back(const Submission& submission, const Keys& keys) {
  for (std::size_t i = 0; i < keys.records.size(); ++i) {
    if (!keys.assigned[i]) continue;
    auto done = directory_.cancel_notification(submission.recipients[i].address);
    if (!done) log_.failure("intake.cancel_failed", done.error());
  }
}

/// The message is durable: what fails here is made good by the outbox (assignments, after a minute) or by the next
/// message (reminders).
void Intake::follow_up(const Submission& submission, const Keys& keys) {
  bool assigned = false;
  for (std::size_t i = 0; i < keys.records.size(); ++i) {
    const auto& address = submission.recipients[i].address;
    auto done = keys.assigned[i] ? directory_.release_notification(address)
                                 : hooks_.remind(keys.records[i], address, keys.introduction);
    if (!done) log_.failure("intake.follow_up_failed", done.error());
    assigned = assigned || keys.assigned[i];
  }
  if (assigned) hooks_.assigned();
}

void Intake::tell_of_held(const SealedMessage& sealed, const Envelope& envelope, const Submission& submission,
                          const Keys& keys) {
  for (std::size_t i = 0; i < keys.holds.size(); ++i) {
    if (keys.holds[i].empty()) continue;
    DeliveryRecord delivery(DeliveryId(envelope.id, static_cast<std::uint32_t>(i + 1)));
    delivery.account = envelope.account;
    delivery.mail_from = envelope.mail_from ? envelope.mail_from->text() : std::string();
    delivery.recipient = submission.recipients[i].address.text();
    delivery.created = envelope.accepted;
    delivery.envid = envelope.envid;
    delivery.dsn = submission.recipients[i].dsn;
    hooks_.waits({delivery, keys.records[i], keys.holds[i], view(sealed.header_block())});
  }
}

void Intake::tell_codes(Accepted& accepted, const Keys& keys) const {
  if (options_.code_to != CodeTo::Sender) return;
  for (std::size_t i = 0; i < keys.rows.size(); ++i) {
    if (!keys.rows[i].empty()) accepted.recipients[i].code = sender_code(wrapper_, keys.rows[i]);
  }
}

Result<std::optional<Once>, IntakeError> Intake::once_of(const Submission& submission,
                                                         const SubmittedMessage& message) {
  std::string key = submission.idempotency_key;
  if (key.empty()) {
    const auto fields = message.find_all("Idempotency-Key");
    if (fields.empty()) return std::optional<Once>();
    key = trimmed(fields.front()->body, " \t\r\n");
    if (fields.size() > 1 || !is_idempotency_key(key)) {
      return IntakeError{Refusal::Malformed, "the Idempotency-Key field is not one word of at most 255 characters", {}};
    }
  }
  std::string what = submission.mail_from ? submission.mail_from->text() : std::string();
  for (const auto& recipient : submission.recipients) what += '\0' + recipient.address.text();
  what += '\0' + wrapper_.mac(Purpose::IdempotencyBody, view(submission.message));
  // A new account of an old name has keys of its own.
  const std::string name = "submit:" + submission.account.name + '\0' +
                           std::to_string(to_milliseconds(submission.account.created)) + '\0' + key;
  return std::optional(Once{wrapper_.mac(Purpose::IdempotencyKey, name), wrapper_.mac(Purpose::IdempotencyBody, what),
                            idempotency_lifetime});
}

Result<Accepted, IntakeError> Intake::replay(const Once& once, const PutResult& first) {
  if (first.outcome == PutOutcome::Conflict) {
    return IntakeError{Refusal::Conflict, "this idempotency key came with another message before", {}};
  }
  auto answer = wrapper_.unwrap(Purpose::IdempotencyAnswer, once.key_mac, first.answer);
  if (!answer) return store_failure(answer.error());
  return Accepted{first.id, {}, {}, std::string(view(*answer))};
}

Result<std::optional<Accepted>, IntakeError> Intake::find(const Once& once) {
  auto first = queue_.find(once);
  if (!first) return store_failure(first.error());
  if (!*first) return std::optional<Accepted>();
  auto answer = replay(once, **first);
  if (!answer) return std::move(answer).error();
  return std::optional(std::move(*answer));
}

Result<std::optional<Accepted>, IntakeError> Intake::answered_before(const Submission& submission) {
  auto message = split_message(view(submission.message));
  if (!message) return refuse(Refusal::Malformed, message.error());
  auto once = once_of(submission, *message);
  if (!once) return std::move(once).error();
  if (!*once) return std::optional<Accepted>();
  return find(**once);
}

Result<std::string, IntakeError> Intake::keep(const Once& once, const Accepted& accepted) {
  auto wrapped = wrapper_.wrap(Purpose::IdempotencyAnswer, once.key_mac, to_json(accepted));
  if (!wrapped) return store_failure(wrapped.error());
  return std::move(*wrapped);
}

Result<Accepted, IntakeError> Intake::put(const SealedMessage& sealed, const Envelope& envelope,
                                          const Submission& submission, const Keys* keys,
                                          const std::optional<Once>& once, Accepted accepted) {
  auto put = queue_.put(sealed, envelope, addressees(submission, keys), once);
  // A put whose answer was lost may be durable: its recipients are better told of a key than left with mail that they
  // cannot read.
  const bool nothing_stored = put ? put->outcome == PutOutcome::Conflict : is_certain(put.error());
  if (keys != nullptr && nothing_stored) take_back(submission, *keys);
  if (!put) return store_failure(put.error());
  // What another call with the same key has put went to the pairs that were assigned here.
  if (keys != nullptr && !nothing_stored) follow_up(submission, *keys);
  if (put->outcome != PutOutcome::Stored) return replay(*once, *put);
  if (keys != nullptr) {
    tell_of_held(sealed, envelope, submission, *keys);
    tell_codes(accepted, *keys);
  }
  hooks_.queued();
  return accepted;
}

Result<Accepted, IntakeError> Intake::accept(Submission submission) {
  auto message = split_message(view(submission.message));
  if (!message) return refuse(Refusal::Malformed, message.error());
  if (message->find_all("Received").size() > max_received) {
    return IntakeError{Refusal::Loop, "the message went through too many servers: it seems to run in a circle", {}};
  }
  auto sender = check_send_as(submission.account, *message);
  if (!sender) return refuse(Refusal::SenderNotAllowed, sender.error());
  auto once = once_of(submission, *message);
  if (!once) return std::move(once).error();
  if (*once) {
    auto before = find(**once);
    if (!before) return std::move(before).error();
    if (*before) return std::move(**before);
  }
  if (auto looked = look_at_bounces(submission); !looked) return std::move(looked).error();

  const bool encrypted = is_already_encrypted(*message);
  std::optional<Keys> keys;
  if (!encrypted) {
    // Nobody is given a pair, and a notification, for a message that is refused anyhow.
    if (auto possible = sealer_.check(*message); !possible) return seal_failure(possible.error());
    auto found = keys_for(submission, {submission.account.name, sender->text()});
    if (!found) return std::move(found).error();
    keys = std::move(*found);
  }
  const Keys* const sealed_to = keys ? &*keys : nullptr;

  Envelope envelope{queue_.new_id(*once), submission.account.name, submission.mail_from,
                    submission.envid,     submission.smtputf8,     clock_.now()};
  Added added = additions(*message, envelope, submission.protocol, options_.hostname);
  auto sealed = seal(submission, *message, sealed_to, added.fields);
  Accepted accepted = describe(submission, sealed_to, envelope.id, std::move(added.message_id));
  if (sealed && *once) {
    auto kept = keep(**once, accepted);
    if (kept) {
      (*once)->answer = std::move(*kept);
    } else {
      sealed = std::move(kept).error();
    }
  }
  if (!sealed) {
    if (keys) take_back(submission, *keys);
    return std::move(sealed).error();
  }
  WipedBuffer().swap(submission.message);  // the plaintext, and room for the queue's copy
  return put(*sealed, envelope, submission, sealed_to, *once, std::move(accepted));
}

Accepted Intake::describe(const Submission& submission, const Keys* keys, const MessageId& id, std::string message_id) {
  Accepted accepted{id, std::move(message_id), {}};
  for (std::size_t i = 0; i < submission.recipients.size(); ++i) {
    accepted.recipients.push_back({submission.recipients[i].address, DeliveryId(id, static_cast<std::uint32_t>(i + 1)),
                                   keys == nullptr, keys != nullptr && !keys->holds[i].empty(),
                                   keys != nullptr ? keys->records[i].fingerprint : std::string(),
                                   keys != nullptr ? std::string(to_text(keys->records[i].state)) : std::string(),
                                   keys != nullptr && keys->assigned[i]});
  }
  return accepted;
}

}  // namespace sealpost
