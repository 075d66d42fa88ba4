// SPDX-License-Identifier: Apache-2.0
// Implements key_directory.h. An address is one hash: "current" is the entry of its current pair, "pair:FINGERPRINT"
// that of a retired one, "key:FINGERPRINT" a wrapped private key.
#include "crypto/key_directory.h"

#include <algorithm>

#include "crypto/directory_entry.h"
#include "directory_scripts.h"

namespace sealpost {
namespace {

/// Someone else changed the entry between look and write; more often than this is no coincidence.
constexpr int max_attempts = 5;
constexpr std::string_view current_field = "current";
constexpr std::string_view pair_field = "pair:";
constexpr std::string_view key_field = "key:";

const redis::Script& assign_script() {
  static const redis::Script script("assign_pair", std::string(scripts::assign_pair_lua));
  return script;
}
const redis::Script& update_script() {
  static const redis::Script script("update_pair", std::string(scripts::update_pair_lua));
  return script;
}

std::string hash_key(const std::string& address_key) {
  return directory_prefix(address_key) + "address:" + address_key;
}

redis::Command get_current(const std::string& address_key) {
  return {"HGET", hash_key(address_key), std::string(current_field)};
}

Error busy() { return Error::temporary("the directory is busy with this address"); }

}  // namespace

/// The current entry as it stood when it was read: octets for the compare-and-set, and what they say.
struct KeyDirectory::Seen {
  std::string entry;
  std::optional<KeyRecord> record;

  [[nodiscard]] bool usable(Time now) const { return record && is_usable(*record, now); }
};

KeyDirectory::KeyDirectory(redis::Client& redis, Wrapper& wrapper, KeyVault& vault, const Clock& clock, Random& random,
                           KeysSettings settings, Log& log)
    : redis_(redis),
      wrapper_(wrapper),
      vault_(vault),
      clock_(clock),
      settings_(std::move(settings)),
      log_(log),
      outbox_(redis, wrapper, clock, random, log) {}

Result<KeyRecord> KeyDirectory::decode(const std::string& address_key, std::string_view entry) {
  auto record = decode_entry(wrapper_, address_key, entry);
  if (!record) {
    log_.error("directory.entry_altered", {{"address", address_key}, {"reason", record.error().internal_detail}});
  }
  return record;
}

Result<KeyDirectory::Seen> KeyDirectory::read_current(const std::string& address_key, const redis::ReplyView& reply) {
  if (reply.is_nil()) return Seen{};
  auto record = decode(address_key, reply.text());
  if (!record) return record.error();
  if (record->state == PairState::Replaced) {
    // Genuine, but retired: somebody put an old entry back.
    log_.error("directory.entry_altered",
               {{"address", address_key}, {"reason", "a retired pair stands as the current one"}});
    return Error::permanent("the directory's entry of this address was altered");
  }
  return Seen{std::string(reply.text()), std::move(*record)};
}

Result<KeyDirectory::Seen> KeyDirectory::look_up(const std::string& address_key) {
  auto reply = redis_.command(get_current(address_key));
  if (!reply) return reply.error();
  return read_current(address_key, *reply);
}

Result<std::optional<KeyRecord>> KeyDirectory::find(const EmailAddress& address) {
  auto seen = look_up(address.directory_key());
  if (!seen) return seen.error();
  return seen->usable(clock_.now()) ? std::move(seen->record) : std::nullopt;
}

Result<std::vector<std::optional<KeyRecord>>> KeyDirectory::find_all(const std::vector<EmailAddress>& addresses) {
  std::vector<std::optional<KeyRecord>> found;
  if (addresses.empty()) return found;
  found.reserve(addresses.size());
  std::vector<redis::Command> commands;
  commands.reserve(addresses.size());
  for (const auto& address : addresses) commands.push_back(get_current(address.directory_key()));
  auto replies = redis_.pipeline(commands);
  if (!replies) return replies.error();
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    auto seen = read_current(addresses[i].directory_key(), (*replies)[i]);
    if (!seen) return seen.error();
    found.push_back(seen->usable(clock_.now()) ? std::move(seen->record) : std::nullopt);
  }
  return found;
}

Result<Assignment> KeyDirectory::find_or_assign(const EmailAddress& address, const Introduction& introduction) {
  auto known = find(address);
  if (!known) return known.error();
  if (*known) return Assignment{std::move(**known), false};
  const AddressLocks::Guard alone(assigning_, address.directory_key());
  for (int attempt = 0; attempt < max_attempts; ++attempt) {
    auto seen = look_up(address.directory_key());
    if (!seen) return seen.error();
    if (seen->usable(clock_.now())) return Assignment{std::move(*seen->record), false};
    auto assignment = try_assign(address, introduction, *seen);
    if (!assignment) return assignment.error();
    if (*assignment) return std::move(**assignment);
  }
  return busy();
}

KeyRecord KeyDirectory::new_record(const EmailAddress& address, const BoundPair& pair) const {
  const bool interim = settings_.policy == KeyPolicy::Interim;
  KeyRecord record;
  record.address = address.directory_key();
  record.fingerprint = pair.fingerprint;
  record.state = interim ? PairState::Interim : PairState::Permanent;
  record.certificate = pair.certificate;
  record.placeholder = pair.placeholder;
  record.assigned = clock_.now();
  if (interim) record.expires = record.assigned + settings_.interim_lifetime;
  return record;
}

Result<std::optional<Assignment>> KeyDirectory::try_assign(const EmailAddress& address,
                                                           const Introduction& introduction, const Seen& seen) {
  auto pair = vault_.bind(address);
  if (!pair) return pair.error();
  auto record = new_record(address, *pair);
  auto won = store(record, *pair, seen, outbox_.prepare(address, pair->fingerprint, introduction));
  // After an error nobody knows whether the script ran: the pair may be in use and must not go back into the pool.
  if (!won) return won.error();
  if (!*won) {
    if (auto back = vault_.give_back(*pair); !back) log_.failure("pool.give_back_failed", back.error());
    return std::optional<Assignment>();
  }
  log_.info("key.assigned", {{"address", record.address},
                             {"fingerprint", record.fingerprint},
                             {"from", record.placeholder},
                             {"account", introduction.account}});
  return std::optional(Assignment{std::move(record), true});
}

Result<bool> KeyDirectory::store(const KeyRecord& record, const BoundPair& pair, const Seen& seen,
                                 const NewNotification& row) {
  std::string retired_fingerprint;
  std::string retired_entry;
  if (seen.record) {
    KeyRecord retired = *seen.record;
    if (retired.state != PairState::Forgotten) retired.state = PairState::Replaced;
    retired_fingerprint = retired.fingerprint;
    retired_entry = encode_entry(wrapper_, retired);
  }
  const std::string prefix = directory_prefix(record.address);
  auto done =
      redis_.run(assign_script(),
                 {hash_key(record.address), prefix + "outbox:rows", prefix + "outbox:due", prefix + "outbox:claimed",
                  prefix + "notices:" + record.address},
                 {seen.entry, encode_entry(wrapper_, record), record.fingerprint, pair.wrapped_key, retired_fingerprint,
                  retired_entry, record.address, row.row_id, row.octets, std::to_string(to_milliseconds(clock_.now())),
                  std::to_string(std::chrono::milliseconds(notification_delay).count())});
  if (!done) return done.error();
  return done->integer() == 1;
}

Result<std::size_t> KeyDirectory::stock() { return vault_.pool_stock(); }

Status KeyDirectory::release_notification(const EmailAddress& address) { return outbox_.release(address); }

Status KeyDirectory::cancel_notification(const EmailAddress& address) { return outbox_.cancel(address); }

Result<bool> KeyDirectory::order_notification(const EmailAddress& address, const Introduction& introduction) {
  auto key = find(address);
  if (!key) return key.error();
  if (!*key) return false;
  return outbox_.order(address, (*key)->fingerprint, introduction);
}

Result<std::vector<OutboxRow>> KeyDirectory::claim_outbox(std::size_t max) { return outbox_.claim(max); }

Status KeyDirectory::settle_outbox(const OutboxRow& row) { return outbox_.settle(row); }

Status KeyDirectory::mark_picked_up(const std::string& address_key, const std::string& fingerprint) {
  for (int attempt = 0; attempt < max_attempts; ++attempt) {
    auto stored = stored_entry(address_key, fingerprint);
    if (!stored) return stored.error();
    auto record = decode(address_key, stored->entry);
    if (!record) return record.error();
    if (record->picked_up) return {};
    record->picked_up = clock_.now();
    auto done = redis_.run(update_script(), {hash_key(address_key)},
                           {stored->field, stored->entry, encode_entry(wrapper_, *record)});
    if (!done) return done.error();
    if (done->integer() == 1) return {};
  }
  return busy();
}

Result<KeyDirectory::Stored> KeyDirectory::stored_entry(const std::string& address_key,
                                                        const std::string& fingerprint) {
  const std::string retired = std::string(pair_field) + fingerprint;
  auto reply = redis_.command({"HMGET", hash_key(address_key), std::string(current_field), retired});
  if (!reply) return reply.error();
  const auto current = (*reply)[0];
  if (!current.is_nil()) {
    auto record = decode(address_key, current.text());
    if (!record) return record.error();
    if (record->fingerprint == fingerprint) return Stored{std::string(current_field), std::string(current.text())};
  }
  if ((*reply)[1].is_nil()) return Error::not_found("the address has no such pair");
  return Stored{retired, std::string((*reply)[1].text())};
}

Result<std::vector<KeyRecord>> KeyDirectory::history(const std::string& address_key) {
  auto reply = redis_.command({"HGETALL", hash_key(address_key)});
  if (!reply) return reply.error();
  std::vector<KeyRecord> records;
  for (std::size_t i = 0; i + 1 < reply->size(); i += 2) {
    const auto field = (*reply)[i].text();
    if (field != current_field && !field.starts_with(pair_field)) continue;
    auto record = decode(address_key, (*reply)[i + 1].text());
    if (!record) return record.error();
    records.push_back(std::move(*record));
  }
  std::stable_sort(records.begin(), records.end(),
                   [](const KeyRecord& a, const KeyRecord& b) { return a.assigned > b.assigned; });
  return records;
}

Result<Pkcs12File> KeyDirectory::export_pkcs12(const std::string& address_key, const std::string& fingerprint,
                                               Pkcs12Format format, std::optional<Secret> password) {
  auto records = history(address_key);
  if (!records) return records.error();
  const auto record = std::find_if(records->begin(), records->end(),
                                   [&](const KeyRecord& candidate) { return candidate.fingerprint == fingerprint; });
  if (record == records->end()) return Error::not_found("the address has no such pair");
  auto wrapped = redis_.command({"HGET", hash_key(address_key), std::string(key_field) + fingerprint});
  if (!wrapped) return wrapped.error();
  if (wrapped->is_nil()) return Error::not_found("the server holds no copy of this private key any more");
  return vault_.export_pkcs12(address_key, fingerprint, record->certificate, std::string(wrapped->text()), format,
                              std::move(password));
}

}  // namespace sealpost
