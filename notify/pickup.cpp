// SPDX-License-Identifier: Apache-2.0
// Implements pickup.h.
#include "notify/pickup.h"

#include <algorithm>
#include <utility>

#include "notify/codes.h"

namespace sealpost {
namespace {

PickupError wrong_code(unsigned left) { return pickup_error(PickupFault::WrongCode, "the code is wrong", left); }
PickupError locked() {
  return pickup_error(PickupFault::Locked, "too many wrong codes: this link is locked; have a new code sent");
}

bool holds(const std::vector<KeyRecord>& keys, const std::string& fingerprint) {
  return std::any_of(keys.begin(), keys.end(),
                     [&](const KeyRecord& key) { return key.fingerprint == fingerprint && key.available; });
}

}  // namespace

PickupError too_fast(Duration wait) {
  auto error = pickup_error(PickupFault::TooFast, "too many wrong codes in a short time; please wait a moment");
  error.error.retry_after = std::chrono::ceil<std::chrono::seconds>(wait);
  return error;
}

Pickup::Pickup(PickupStore& store, KeyDirectory& directory, KeyLife& life, GuessThrottle& throttle, const Clock& clock,
               Random& random, Log& log, Tell tell)
    : store_(store),
      directory_(directory),
      life_(life),
      throttle_(throttle),
      clock_(clock),
      random_(random),
      log_(log),
      tell_(std::move(tell)) {}

PickupError Pickup::failed(const Error& error, const std::string& address) {
  log_.failure("pickup.failed", error, {{"address", address}});
  return {PickupFault::Failed, error};
}

Result<PickupLink, PickupError> Pickup::find(std::string_view token) {
  if (!is_token(token)) return pickup_error(PickupFault::UnknownLink, "this link is not known");
  auto link = store_.find(token);
  if (link) return std::move(*link);
  if (link.error().kind == ErrorKind::NotFound) return PickupError{PickupFault::UnknownLink, link.error()};
  if (link.error().kind == ErrorKind::Permanent) {
    log_.error("pickup.link_altered", {{"reason", link.error().internal_detail}});
    return PickupError{PickupFault::Failed, link.error()};
  }
  return failed(link.error(), {});
}

Result<PickupLink, PickupError> Pickup::look(std::string_view token) {
  auto link = find(token);
  if (!link) return std::move(link).error();
  if (is_over(*link, clock_.now())) {
    return pickup_error(PickupFault::Expired, "this code has expired; have a new one sent");
  }
  if (link->attempts >= max_code_attempts) return locked();
  return std::move(*link);
}

Result<Secret, PickupError> Pickup::open(std::string_view token, std::string_view typed_code,
                                         const std::string& network) {
  auto link = look(token);
  if (!link) return std::move(link).error();
  // Nothing was typed: a scanner pressed the button. That is no guess, and must not use up the recipient's attempts.
  if (typed_code.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return wrong_code(max_code_attempts - link->attempts);
  }
  auto leave = throttle_.begin(link->address, network);
  if (!leave) return too_fast(leave.error());
  // What cannot be a code counts as a wrong one: the answer must not depend on the form alone.
  const Secret code = normalise_code(typed_code).value_or(Secret());
  auto attempt = store_.try_code(*link, code, clock_.now());
  if (!attempt && attempt.error().kind == ErrorKind::NotFound) {
    return PickupError{PickupFault::UnknownLink, attempt.error()};
  }
  if (!attempt) return failed(attempt.error(), link->address);
  if (attempt->locked) return locked();
  if (!attempt->correct) {
    leave->wrong();
    log_.info("pickup.wrong_code", {{"address", link->address}, {"attempts_left", attempt->left}});
    return wrong_code(attempt->left);
  }
  leave->right();
  // With an attached file the session shows its password, which is all that was missing.
  if (!link->attached_secret.empty()) {
    if (auto told = tell_first_pickup(*link, link->fingerprint); !told) return std::move(told).error();
  }
  Secret session = make_token(random_);
  auto added = store_.add_session(*link, session, session_lifetime);
  if (!added) return failed(added.error(), link->address);
  log_.info("pickup.opened", {{"address", link->address}});
  return session;
}

/// A session outlives the code's expiry: it has a shorter life of its own.
Result<PickupLink, PickupError> Pickup::enter(std::string_view token, std::string_view session) {
  auto link = find(token);
  if (!link) return std::move(link).error();
  // Its session key still stands; who holds it is not asked in any more.
  if (link->ended) return pickup_error(PickupFault::NoSession, "the session has ended; enter the code again");
  auto open = is_token(session) ? store_.has_session(*link, session) : Result<bool>(false);
  if (!open) return failed(open.error(), link->address);
  if (!*open) return pickup_error(PickupFault::NoSession, "the session has ended; enter the code again");
  return std::move(*link);
}

Result<OpenedPickup, PickupError> Pickup::show(std::string_view token, std::string_view session) {
  auto link = enter(token, session);
  if (!link) return std::move(link).error();
  auto keys = directory_.history(link->address);
  if (!keys) return failed(keys.error(), link->address);
  OpenedPickup opened{link->recipient, std::move(*keys), clock_.now(), {}};
  if (!link->attached_secret.empty() && holds(opened.keys, link->fingerprint)) {
    auto password = store_.unwrap_attached(*link);
    if (!password) return failed(password.error(), link->address);
    opened.attached_password = std::string(view(*password));
  }
  return opened;
}

/// The mail first: a crash between the two repeats it under the same name, which the queue takes as one.
Result<void, PickupError> Pickup::tell_first_pickup(const PickupLink& link, const std::string& fingerprint) {
  auto keys = directory_.history(link.address);
  if (!keys) return failed(keys.error(), link.address);
  const auto key = std::find_if(keys->begin(), keys->end(),
                                [&](const KeyRecord& record) { return record.fingerprint == fingerprint; });
  if (key == keys->end() || key->picked_up) return {};
  auto told = tell_({KeyEvent::PickedUp, link.recipient, *key, "picked_up:" + key->fingerprint});
  if (!told) return failed(told.error(), link.address);
  auto marked = life_.mark_picked_up(link.address, fingerprint);
  if (!marked) return failed(marked.error().error, link.address);
  return {};
}

Result<KeyRecord, PickupError> Pickup::chosen(const PickupLink& link, const std::string& fingerprint) {
  auto keys = directory_.history(link.address);
  if (!keys) return failed(keys.error(), link.address);
  const auto key = std::find_if(keys->begin(), keys->end(), [&](const KeyRecord& record) {
    return fingerprint.empty() || record.fingerprint == fingerprint;
  });
  if (key == keys->end()) return pickup_error(PickupFault::NoKey, "there is no such key for this address");
  return std::move(*key);
}

Result<Pkcs12File, PickupError> Pickup::hand_out(const PickupLink& link, const KeyRecord& key, Pkcs12Format format,
                                                 std::optional<Secret> password) {
  auto file = directory_.export_pkcs12(link.address, key.fingerprint, format, std::move(password));
  if (!file && file.error().kind == ErrorKind::Invalid) return PickupError{PickupFault::BadPassword, file.error()};
  if (!file && file.error().kind == ErrorKind::NotFound) return PickupError{PickupFault::NoKey, file.error()};
  if (!file) return failed(file.error(), link.address);
  if (auto told = tell_first_pickup(link, key.fingerprint); !told) return std::move(told).error();
  log_.info("pickup.taken", {{"address", link.address}, {"fingerprint", key.fingerprint}});
  return std::move(*file);
}

Result<Pkcs12File, PickupError> Pickup::take(std::string_view token, std::string_view session,
                                             const std::string& fingerprint, Pkcs12Format format,
                                             std::optional<Secret> password) {
  auto link = enter(token, session);
  if (!link) return std::move(link).error();
  auto key = chosen(*link, fingerprint);
  if (!key) return std::move(key).error();
  return hand_out(*link, *key, format, std::move(password));
}

Result<void, PickupError> Pickup::expect_held(const PickupLink& link, const std::string& fingerprint) {
  auto keys = directory_.history(link.address);
  if (!keys) return failed(keys.error(), link.address);
  if (holds(*keys, fingerprint)) return {};
  // It was made while the key was being destroyed: what removed the others may have been too early for it.
  auto dropped = drop_copies(link.address, fingerprint);
  if (!dropped) return failed(dropped.error(), link.address);
  if (*dropped) {
    if (auto asked = life_.ask_rewrite(link.address); !asked) return failed(asked.error(), link.address);
  }
  return pickup_error(PickupFault::NoKey, "the server's copy of this key was destroyed");
}

Result<Secret, PickupError> Pickup::prepare(std::string_view token, std::string_view session,
                                            const std::string& fingerprint, Pkcs12Format format) {
  auto link = enter(token, session);
  if (!link) return std::move(link).error();
  auto key = chosen(*link, fingerprint);
  if (!key) return std::move(key).error();
  auto file = hand_out(*link, *key, format, std::nullopt);
  if (!file) return std::move(file).error();
  auto kept =
      store_.add_file(*link, session, FileKind::Key, {key->fingerprint, std::move(file->octets)}, file_lifetime);
  if (!kept) return failed(kept.error(), link->address);
  if (auto held = expect_held(*link, key->fingerprint); !held) return std::move(held).error();
  return std::move(file->password);
}

Result<void, PickupError> Pickup::offer_receipt(std::string_view token, std::string_view session,
                                                std::string_view octets) {
  auto link = enter(token, session);
  if (!link) return std::move(link).error();
  WipedBuffer copy;
  append(copy, octets);
  auto kept = store_.add_file(*link, session, FileKind::Receipt, {{}, std::move(copy)}, file_lifetime);
  if (!kept) return failed(kept.error(), link->address);
  return {};
}

Result<WipedBuffer, PickupError> Pickup::download(std::string_view token, std::string_view session, FileKind kind) {
  auto link = enter(token, session);
  if (!link) return std::move(link).error();
  auto file = store_.file(*link, session, kind);
  if (!file && file.error().kind == ErrorKind::NotFound) return PickupError{PickupFault::NoFile, file.error()};
  if (!file) return failed(file.error(), link->address);
  if (kind == FileKind::Key) {
    if (auto held = expect_held(*link, file->fingerprint); !held) return std::move(held).error();
  }
  return std::move(file->octets);
}

Result<bool> Pickup::drop_copies(const std::string& address, const std::string& fingerprint) {
  return store_.drop_copies(address, fingerprint);
}

}  // namespace sealpost
