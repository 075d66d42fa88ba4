// SPDX-License-Identifier: Apache-2.0
// Implements key_life.h.
#include "crypto/key_life.h"

#include <algorithm>
#include <utility>

#include "crypto/directory_entry.h"
#include "crypto/pair_scripts.h"

namespace sealpost {
namespace {

KeyChangeFailure refused(KeyChangeFault fault, std::string text) { return {fault, Error::permanent(std::move(text))}; }
KeyChangeFailure failed(Error error) { return {KeyChangeFault::Failed, std::move(error)}; }

/// Why the table of states forbids the change.
KeyChangeFailure why_not(KeyChange change, const StoredPair& pair) {
  const KeyRecord& record = pair.record;
  if (change == KeyChange::Forget) {
    return refused(KeyChangeFault::NoPrivateKey, record.own
                                                     ? "this certificate is your own: the server has no key of it"
                                                     : "the server's copy of this key was destroyed before");
  }
  if (record.state == PairState::Revoked)
    return refused(KeyChangeFault::Revoked, "this key was revoked by the operator");
  if (record.state == PairState::Forgotten) {
    return refused(KeyChangeFault::NoPrivateKey, "the server's copy of this key was destroyed");
  }
  return refused(KeyChangeFault::NotCurrent, "another key has taken the place of this one");
}

/// Earlier certificates of the recipient's own that are remembered beside a new one: nothing here is opened with them,
/// and each is read with every look at the address.
constexpr std::size_t max_earlier_own = 16;

bool is_earlier_own(const StoredPair& pair) { return pair.record.own && pair.record.state == PairState::Replaced; }

std::string retired_field(const KeyRecord& record) { return std::string(pair_field) + record.fingerprint; }

}  // namespace

Result<StoredPair, KeyChangeFailure> KeyLife::find(const std::string& address_key, std::string_view fingerprint) {
  auto pair = entries_.find(address_key, fingerprint);
  if (pair) return std::move(*pair);
  const bool unknown = pair.error().kind == ErrorKind::NotFound;
  return KeyChangeFailure{unknown ? KeyChangeFault::NoSuchPair : KeyChangeFault::Failed, pair.error()};
}

Result<KeyRecord, KeyChangeFailure> KeyLife::may(KeyChange change, const std::string& address_key,
                                                 std::string_view fingerprint) {
  auto pair = find(address_key, fingerprint);
  if (!pair) return std::move(pair).error();
  if (!state_after(change, pair->record, pair->is_current())) return why_not(change, *pair);
  if (change == KeyChange::Forget && pair->wrapped_key.empty()) return why_not(change, *pair);
  return std::move(pair->record);
}

Result<KeyRecord, KeyChangeFailure> KeyLife::make(const Build& build) {
  for (int attempt = 0; attempt < max_change_attempts; ++attempt) {
    auto change = build();
    if (!change) return std::move(change).error();
    if (change->entries.empty()) return std::move(change->result);
    auto written = write(*change);
    if (!written) return failed(written.error());
    if (*written) return std::move(change->result);
  }
  return failed(Error::temporary("the directory is busy with this address"));
}

Result<bool> KeyLife::write(const Change& change) {
  const std::string& address = change.result.address;
  const unsigned shard = directory_shard(address);
  const std::string prefix = directory_prefix(address);
  auto done = audit_.record(shard, change.event, [&](const std::string& seen, const std::string& entry) {
    std::vector<std::string> arguments = {seen, entry, change.destroyed_key, change.revoked_serial, change.revoked};
    for (const auto& [field, before, becomes] : change.entries) {
      arguments.insert(arguments.end(), {field, before, becomes});
    }
    return redis_.run(
        pair_scripts::change(),
        {AddressEntries::hash_key(address), AuditTrail::key(shard), prefix + "revoked", prefix + "rewrite"}, arguments);
  });
  if (!done) return done.error();
  return done->integer() == 1;
}

Result<KeyLife::Change, KeyChangeFailure> KeyLife::prepare(KeyChange change, const StoredPair& pair,
                                                           std::string_view action, std::string_view actor) {
  const auto state = state_after(change, pair.record, pair.is_current());
  if (!state) return why_not(change, pair);
  Change result{pair.record, {}, {}};
  result.result.state = *state;
  result.event = {clock_.now(), std::string(actor), std::string(action), pair.record.address, pair.record.fingerprint};
  return result;
}

Result<KeyRecord, KeyChangeFailure> KeyLife::mark_picked_up(const std::string& address_key,
                                                            std::string_view fingerprint) {
  return make([&]() -> Result<Change, KeyChangeFailure> {
    auto pair = find(address_key, fingerprint);
    if (!pair) return std::move(pair).error();
    Change change{pair->record, {}, {}};
    if (pair->record.picked_up) return change;
    change.result.picked_up = clock_.now();
    change.event = {clock_.now(), std::string(actor_recipient), "key.picked_up", address_key, pair->record.fingerprint};
    change.entries = {{pair->field, pair->entry, encode_entry(wrapper_, change.result)}};
    return change;
  });
}

Result<KeyRecord, KeyChangeFailure> KeyLife::keep(const std::string& address_key, std::string_view fingerprint) {
  return make([&]() -> Result<Change, KeyChangeFailure> {
    auto pair = find(address_key, fingerprint);
    if (!pair) return std::move(pair).error();
    auto change = prepare(KeyChange::Keep, *pair, "key.kept", actor_recipient);
    if (!change || pair->record.state == PairState::Permanent) return change;
    change->result.expires.reset();
    change->entries = {{pair->field, pair->entry, encode_entry(wrapper_, change->result)}};
    return change;
  });
}

Result<KeyRecord, KeyChangeFailure> KeyLife::forget(const std::string& address_key, std::string_view fingerprint) {
  return make([&]() -> Result<Change, KeyChangeFailure> {
    auto pair = find(address_key, fingerprint);
    if (!pair) return std::move(pair).error();
    if (pair->wrapped_key.empty()) return why_not(KeyChange::Forget, *pair);
    auto change = prepare(KeyChange::Forget, *pair, "key.forgotten", actor_recipient);
    if (!change) return change;
    change->result.destroyed = true;
    change->entries = {{pair->field, pair->entry, encode_entry(wrapper_, change->result)}};
    change->destroyed_key = pair->record.fingerprint;
    return change;
  });
}

Status KeyLife::ask_rewrite(const std::string& address_key) {
  auto asked = redis_.command({"INCR", directory_prefix(address_key) + "rewrite"});
  return asked ? Status() : Status(asked.error());
}

Result<KeyLife::Change, KeyChangeFailure> KeyLife::prepare_replacement(const std::string& address_key,
                                                                       const OwnPair& own) {
  auto pairs = entries_.all(address_key);
  if (!pairs) return failed(pairs.error());
  const auto current = std::find_if(pairs->begin(), pairs->end(), [](const auto& pair) { return pair.is_current(); });
  if (current == pairs->end()) {
    return refused(KeyChangeFault::NoSuchPair, "there is no key of this address that could be replaced");
  }
  KeyRecord record;
  record.address = address_key;
  record.fingerprint = own.fingerprint;
  record.state = PairState::Permanent;
  record.certificate = own.certificate;
  record.assigned = clock_.now();
  record.expires = own.not_after;
  record.own = true;
  Change change{record,
                {clock_.now(), std::string(actor_recipient), "key.replaced", address_key,
                 current->record.fingerprint + " by " + own.fingerprint},
                {}};
  KeyRecord retired = current->record;
  retired.state = *state_after(KeyChange::Retire, retired, true);
  change.replaced = retired.fingerprint;
  change.entries = {{std::string(current_field), current->entry, encode_entry(wrapper_, record)},
                    {retired_field(retired), {}, encode_entry(wrapper_, retired)}};
  const auto before = std::find_if(pairs->begin(), pairs->end(),
                                   [&](const auto& pair) { return pair.record.fingerprint == own.fingerprint; });
  if (before != pairs->end()) {
    // Going back to an own certificate is a wish like any other; one that the server made is no own one.
    if (!is_earlier_own(*before))
      return refused(KeyChangeFault::InUse, "this address has this very certificate already");
    change.entries.push_back({before->field, before->entry, {}});
  }
  std::size_t earlier = retired.own && retired.state == PairState::Replaced ? 1 : 0;
  for (const auto& pair : *pairs) {
    const bool counts = is_earlier_own(pair) && pair.record.fingerprint != own.fingerprint;
    if (counts && ++earlier > max_earlier_own) change.entries.push_back({pair.field, pair.entry, {}});
  }
  return change;
}

Result<std::string, KeyChangeFailure> KeyLife::may_replace(const std::string& address_key, const OwnPair& own) {
  auto change = prepare_replacement(address_key, own);
  if (!change) return std::move(change).error();
  return std::move(change->replaced);
}

Result<KeyRecord, KeyChangeFailure> KeyLife::replace(const std::string& address_key, const OwnPair& own) {
  return make([&] { return prepare_replacement(address_key, own); });
}

Result<KeyRecord, KeyChangeFailure> KeyLife::revoke(const std::string& address_key, std::string_view fingerprint,
                                                    RevocationReason reason) {
  return make([&]() -> Result<Change, KeyChangeFailure> {
    auto pair = find(address_key, fingerprint);
    if (!pair) return std::move(pair).error();
    auto change = prepare(KeyChange::Revoke, *pair, "key.revoked", actor_operator);
    if (!change) return change;
    change->event.detail += ' ';
    change->event.detail += to_text(reason);
    change->entries = {{pair->field, pair->entry, encode_entry(wrapper_, change->result)}};
    // Of what others issued only they can say it.
    if (pair->record.own) return change;
    auto listed = revoked_row(wrapper_, pair->record.certificate, clock_.now(), reason);
    if (!listed) return failed(listed.error());
    change->revoked_serial = std::move(listed->serial);
    change->revoked = std::move(listed->octets);
    return change;
  });
}

}  // namespace sealpost
