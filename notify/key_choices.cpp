// SPDX-License-Identifier: Apache-2.0
// Implements key_choices.h.
#include "notify/key_choices.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "notify/codes.h"

namespace sealpost {
namespace {

PickupFault fault_of(KeyChangeFault why) {
  switch (why) {
    case KeyChangeFault::NoSuchPair:
      return PickupFault::NoKey;
    case KeyChangeFault::NotCurrent:
      return PickupFault::NotCurrent;
    case KeyChangeFault::NoPrivateKey:
      return PickupFault::KeyGone;
    case KeyChangeFault::Revoked:
      return PickupFault::Revoked;
    case KeyChangeFault::InUse:
      return PickupFault::InUse;
    case KeyChangeFault::Failed:
      break;
  }
  return PickupFault::Failed;
}

}  // namespace

KeyChoices::KeyChoices(Pickup& pickup, KeyLife& life, PendingCertificates& pending, OwnCertificatePolicy policy,
                       OwedReceipts& owed, GuessThrottle& throttle, const Clock& clock, Random& random, Log& log,
                       Hooks hooks)
    : pickup_(pickup),
      life_(life),
      pending_(pending),
      policy_(std::move(policy)),
      owed_(owed),
      throttle_(throttle),
      clock_(clock),
      random_(random),
      log_(log),
      hooks_(std::move(hooks)) {}

PickupError KeyChoices::failed(const Error& error, const std::string& address) {
  log_.failure("key_choice.failed", error, {{"address", address}});
  return {PickupFault::Failed, error};
}

PickupError KeyChoices::refused(const KeyChangeFailure& failure, const std::string& address) {
  if (failure.fault == KeyChangeFault::Failed) return failed(failure.error, address);
  return {fault_of(failure.fault), failure.error};
}

Status KeyChoices::tell(KeyEvent event, const PickupLink& link, const KeyRecord& key, std::string once) {
  return hooks_.tell({event, link.recipient, key, std::move(once)});
}

Result<KeyRecord, PickupError> KeyChoices::keep(std::string_view token, std::string_view session,
                                                const std::string& fingerprint) {
  auto link = pickup_.enter(token, session);
  if (!link) return std::move(link).error();
  auto key = life_.may(KeyChange::Keep, link->address, fingerprint);
  if (!key) return refused(key.error(), link->address);
  if (key->state == PairState::Permanent) return std::move(*key);
  auto told = tell(KeyEvent::Kept, *link, *key, "kept:" + key->fingerprint);
  if (!told) return failed(told.error(), link->address);
  auto kept = life_.keep(link->address, key->fingerprint);
  if (!kept) return refused(kept.error(), link->address);
  return std::move(*kept);
}

Result<OwnPair, PickupError> KeyChoices::judge(const PickupLink& link, std::string_view octets) {
  auto address = EmailAddress::parse(link.recipient);
  if (!address) return failed(address.error(), link.address);
  auto verdict = judge_own_certificate(octets, *address, clock_.now(), policy_);
  if (!verdict) return failed(verdict.error(), link.address);
  if (!*verdict) {
    const CertificateRefusal& why = verdict->error();
    log_.info("pickup.certificate_refused", {{"address", link.address}, {"check", to_text(why.check)}});
    auto error = pickup_error(PickupFault::BadCertificate, why.sentence);
    error.certificate = why;
    return error;
  }
  const OwnCertificate& own = verdict->value();
  return OwnPair{own.der, own.fingerprint, own.not_after};
}

Result<PendingCertificate, PickupError> KeyChoices::upload(std::string_view token, std::string_view session,
                                                           std::string_view octets) {
  auto link = pickup_.enter(token, session);
  if (!link) return std::move(link).error();
  if (clock_.now() >= link->issued + fresh_code) {
    return pickup_error(PickupFault::OldCode, "replacing a key needs a code of the last 24 hours; have a new one sent");
  }
  auto own = judge(*link, octets);
  if (!own) return std::move(own).error();
  auto allowed = life_.may_replace(link->address, *own);
  if (!allowed) return refused(allowed.error(), link->address);
  auto room = pending_.take_upload(link->address);
  if (!room) return failed(room.error(), link->address);
  if (!*room)
    return pickup_error(PickupFault::TooOften, "too many certificates were uploaded today; try again tomorrow");

  const Secret code = make_code(random_);
  auto pending = pending_.add(link->address, *own, link->id, code, clock_.now());
  if (!pending) return failed(pending.error(), link->address);
  KeyRecord key;
  key.address = link->address;
  key.fingerprint = own->fingerprint;
  // In clear too: whoever did not ask for this cannot read the sealed one.
  auto told = tell(KeyEvent::Uploaded, *link, key, "uploaded:" + pending->proof);
  if (!told) return failed(told.error(), link->address);
  auto sent =
      hooks_.send_code({link->recipient, own->certificate, own->fingerprint, code, std::string(token), pending->until});
  if (!sent) return failed(sent.error(), link->address);
  log_.info("pickup.certificate_uploaded", {{"address", link->address}, {"fingerprint", own->fingerprint}});
  return std::move(*pending);
}

Result<std::optional<PendingCertificate>, PickupError> KeyChoices::waiting(std::string_view token,
                                                                           std::string_view session) {
  auto link = pickup_.enter(token, session);
  if (!link) return std::move(link).error();
  auto pending = pending_.find(link->address);
  if (!pending) return failed(pending.error(), link->address);
  if (*pending && (*pending)->link != link->id) pending->reset();
  return std::move(*pending);
}

/// Anybody may hold an old link of the address: only the one that the upload came by takes its code.
Result<PendingCertificate, PickupError> KeyChoices::pending_of(const PickupLink& link) {
  auto pending = pending_.find(link.address);
  if (!pending) return failed(pending.error(), link.address);
  const bool waits = *pending && (*pending)->until > clock_.now() && (*pending)->link == link.id && !link.ended;
  if (!waits) {
    return pickup_error(PickupFault::NoCertificate, "no certificate waits for a code; upload it again");
  }
  return std::move(**pending);
}

Result<KeyRecord, PickupError> KeyChoices::confirm(std::string_view token, std::string_view typed_code,
                                                   const std::string& network) {
  auto link = pickup_.find(token);
  if (!link) return std::move(link).error();
  auto pending = pending_of(*link);
  if (!pending) return std::move(pending).error();
  if (trimmed(typed_code, " \t\r\n").empty()) {
    const unsigned used = std::min(pending->attempts, PendingCertificates::max_attempts);
    return pickup_error(PickupFault::WrongCode, "the code is wrong", PendingCertificates::max_attempts - used);
  }
  auto leave = throttle_.begin(link->address, network);
  if (!leave) return too_fast(leave.error());
  const Secret code = normalise_code(typed_code).value_or(Secret());
  auto attempt = pending_.try_code(link->address, *pending, code);
  if (!attempt && attempt.error().kind == ErrorKind::NotFound) {
    return PickupError{PickupFault::NoCertificate, attempt.error()};
  }
  if (!attempt) return failed(attempt.error(), link->address);
  if (!attempt->correct) {
    leave->wrong();
    return pickup_error(PickupFault::WrongCode, "the code is wrong", attempt->left);
  }
  leave->right();
  return make_current(*link, *pending);
}

/// The mail first, as with every change; a repetition of the same code is told once.
Result<KeyRecord, PickupError> KeyChoices::make_current(const PickupLink& link, const PendingCertificate& pending) {
  auto before = life_.may_replace(link.address, pending.pair);
  if (!before) return refused(before.error(), link.address);
  KeyRecord key;
  key.address = link.address;
  key.fingerprint = pending.pair.fingerprint;
  auto told = tell(KeyEvent::Replaced, link, key, "replaced:" + pending.proof);
  if (!told) return failed(told.error(), link.address);
  auto current = life_.replace(link.address, pending.pair);
  if (!current) return refused(current.error(), link.address);
  // What fails from here on leaves a row that expires, and mail that the operator can release.
  if (auto removed = pending_.remove(link.address); !removed) {
    log_.failure("key_choice.row_left", removed.error(), {{"address", link.address}});
  }
  hooks_.replaced(*current, *before);
  return std::move(*current);
}

/// Copies that were made while the key was being destroyed go now, and the store's files are rewritten once more.
Result<KeyChoices::Forgotten, PickupError> KeyChoices::give_receipt(const PickupLink& link, KeyRecord key,
                                                                    Time destroyed) {
  auto late = drop_copies(key);
  if (!late) return failed(late.error(), link.address);
  if (*late) {
    if (auto asked = life_.ask_rewrite(link.address); !asked) return failed(asked.error(), link.address);
  }
  auto receipt = hooks_.send_receipt({link.recipient, key, destroyed, "receipt:" + key.fingerprint});
  if (!receipt) return failed(receipt.error(), link.address);
  // A row that is left gives the same receipt once more, if somebody asks for it.
  if (auto settled = owed_.settle(link.address, key.fingerprint); !settled) {
    log_.failure("key_choice.row_left", settled.error(), {{"address", link.address}});
  }
  return Forgotten{std::move(key), std::move(*receipt)};
}

Result<KeyChoices::Forgotten, PickupError> KeyChoices::give_owed(std::string_view token, std::string_view session,
                                                                 const PickupLink& link, const std::string& fingerprint,
                                                                 const KeyChangeFailure& why_not) {
  if (why_not.fault != KeyChangeFault::NoPrivateKey) return refused(why_not, link.address);
  auto opened = pickup_.show(token, session);
  if (!opened) return std::move(opened).error();
  const auto key = std::find_if(opened->keys.begin(), opened->keys.end(), [&](const KeyRecord& record) {
    return fingerprint.empty() || record.fingerprint == fingerprint;
  });
  if (key == opened->keys.end() || key->available) return refused(why_not, link.address);
  auto destroyed = owed_.find(link.address, key->fingerprint);
  if (!destroyed) return failed(destroyed.error(), link.address);
  if (!*destroyed) return refused(why_not, link.address);
  return give_receipt(link, *key, **destroyed);
}

Result<std::vector<std::string>, PickupError> KeyChoices::owed(std::string_view token, std::string_view session) {
  auto link = pickup_.enter(token, session);
  if (!link) return std::move(link).error();
  auto fingerprints = owed_.all(link->address);
  if (!fingerprints) return failed(fingerprints.error(), link->address);
  return std::move(*fingerprints);
}

Result<bool> KeyChoices::drop_copies(const KeyRecord& key) {
  if (auto withdrawn = hooks_.withdraw(key); !withdrawn) return withdrawn.error();
  return pickup_.drop_copies(key.address, key.fingerprint);
}

/// Copies go before the key does: with it goes the mark that has the store's files rewritten.
Result<KeyRecord, PickupError> KeyChoices::destroy(const PickupLink& link, const KeyRecord& key, Time now) {
  if (auto dropped = drop_copies(key); !dropped) return failed(dropped.error(), link.address);
  const auto current = life_.may(KeyChange::Retire, link.address, {});
  if (current && current->fingerprint == key.fingerprint) {
    if (auto removed = pending_.remove(link.address); !removed) return failed(removed.error(), link.address);
  }
  if (auto owed = owed_.add(link.address, key.fingerprint, now); !owed) return failed(owed.error(), link.address);
  auto forgotten = life_.forget(link.address, key.fingerprint);
  if (!forgotten) return refused(forgotten.error(), link.address);
  return std::move(*forgotten);
}

Result<KeyChoices::Forgotten, PickupError> KeyChoices::forget(std::string_view token, std::string_view session,
                                                              const std::string& fingerprint) {
  auto link = pickup_.enter(token, session);
  if (!link) return std::move(link).error();
  auto key = life_.may(KeyChange::Forget, link->address, fingerprint);
  if (!key) return give_owed(token, session, *link, fingerprint, key.error());
  auto told = tell(KeyEvent::Forgotten, *link, *key, "forgotten:" + key->fingerprint);
  if (!told) return failed(told.error(), link->address);
  const Time now = clock_.now();
  auto forgotten = destroy(*link, *key, now);
  if (!forgotten) return std::move(forgotten).error();
  // Nothing is signed that has not happened: a crash here leaves a receipt owed, and none for a key that still is
  // there.
  return give_receipt(*link, std::move(*forgotten), now);
}

}  // namespace sealpost
