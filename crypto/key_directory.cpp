// SPDX-License-Identifier: Apache-2.0
// Implements key_directory.h.
#include "crypto/key_directory.h"

#include "conf/recipient_domains.h"
#include "crypto/directory_entry.h"
#include "crypto/pair_scripts.h"

namespace sealpost {
namespace {

redis::Command get_current(const std::string& address_key) {
  return {"HGET", AddressEntries::hash_key(address_key), std::string(current_field)};
}

Error busy() { return Error::temporary("the directory is busy with this address"); }

}  // namespace

/// The current entry as it stood when it was read: octets for the compare-and-set, and what they say.
struct KeyDirectory::Seen {
  std::string entry;
  std::optional<KeyRecord> record;

  /// False when the address is to be given a new pair.
  [[nodiscard]] bool stands(Time now) const { return record && use_of(*record, now) != KeyUse::Assign; }
};

KeyDirectory::KeyDirectory(redis::Client& redis, Wrapper& wrapper, KeyVault& vault, AuditTrail& audit,
                           const Clock& clock, Random& random, KeysSettings settings, Log& log,
                           RecipientDomains domains)
    : redis_(redis),
      wrapper_(wrapper),
      vault_(vault),
      audit_(audit),
      clock_(clock),
      settings_(std::move(settings)),
      log_(log),
      domains_(std::move(domains)),
      entries_(redis, wrapper, log),
      outbox_(redis, wrapper, clock, random, log) {}

Result<KeyDirectory::Seen> KeyDirectory::read_current(const std::string& address_key, const redis::ReplyView& reply) {
  if (reply.is_nil()) return Seen{};
  auto record = entries_.decode(address_key, reply.text());
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
  return seen->stands(clock_.now()) ? std::move(seen->record) : std::nullopt;
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
    found.push_back(seen->stands(clock_.now()) ? std::move(seen->record) : std::nullopt);
  }
  return found;
}

Result<Assignment> KeyDirectory::find_or_assign(const EmailAddress& address, const Introduction& introduction) {
  auto known = find(address);
  if (!known) return known.error();
  if (*known) return Assignment{std::move(**known), false};
  const AddressLocks::Guard alone(assigning_, address.directory_key());
  for (int attempt = 0; attempt < max_change_attempts; ++attempt) {
    auto seen = look_up(address.directory_key());
    if (!seen) return seen.error();
    if (seen->stands(clock_.now())) return Assignment{std::move(*seen->record), false};
    auto assignment = try_assign(address, introduction, *seen);
    if (!assignment) return assignment.error();
    if (*assignment) return std::move(**assignment);
  }
  return busy();
}

KeyRecord KeyDirectory::new_record(const EmailAddress& address, const BoundPair& pair) const {
  const bool interim = domain_of(domains_, address).policy.value_or(settings_.policy) == KeyPolicy::Interim;
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
  auto row = outbox_.prepare(address, pair->fingerprint, introduction);
  auto won = store(record, *pair, seen, introduction, row);
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
  return std::optional(Assignment{std::move(record), true, std::move(row.row_id)});
}

Result<bool> KeyDirectory::store(const KeyRecord& record, const BoundPair& pair, const Seen& seen,
                                 const Introduction& introduction, const NewNotification& row) {
  std::string retired_fingerprint;
  std::string retired_entry;
  if (seen.record) {
    KeyRecord retired = *seen.record;
    retired.state = *state_after(KeyChange::Retire, retired, true);
    retired_fingerprint = retired.fingerprint;
    retired_entry = encode_entry(wrapper_, retired);
  }
  const std::string prefix = directory_prefix(record.address);
  const unsigned shard = directory_shard(record.address);
  std::string detail = record.fingerprint;
  if (!retired_fingerprint.empty()) detail += " in place of " + retired_fingerprint;
  const AuditEvent event{clock_.now(), introduction.account.empty() ? "operator" : "account " + introduction.account,
                         "key.assigned", record.address, std::move(detail)};
  auto done = audit_.record(shard, event, [&](const std::string& trail_end, const std::string& entry) {
    return redis_.run(
        pair_scripts::assign(),
        {AddressEntries::hash_key(record.address), prefix + "outbox:rows", prefix + "outbox:due",
         prefix + "outbox:claimed", prefix + "notices:" + record.address, AuditTrail::key(shard)},
        {seen.entry, encode_entry(wrapper_, record), record.fingerprint, pair.wrapped_key, retired_fingerprint,
         retired_entry, record.address, row.row_id, row.octets, std::to_string(to_milliseconds(clock_.now())),
         std::to_string(std::chrono::milliseconds(notification_delay).count()), trail_end, entry});
  });
  if (!done) return done.error();
  return done->integer() == 1;
}

Result<std::optional<std::size_t>> KeyDirectory::stock(const EmailAddress& address) {
  return vault_.stock_for(address);
}

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

Result<std::vector<KeyRecord>> KeyDirectory::history(const std::string& address_key) {
  auto pairs = entries_.all(address_key);
  if (!pairs) return pairs.error();
  std::vector<KeyRecord> records;
  for (auto& pair : *pairs) records.push_back(std::move(pair.record));
  return records;
}

Result<Pkcs12File> KeyDirectory::export_pkcs12(const std::string& address_key, const std::string& fingerprint,
                                               Pkcs12Format format, std::optional<Secret> password) {
  auto pair = entries_.find(address_key, fingerprint);
  if (!pair) return pair.error();
  if (pair->wrapped_key.empty()) return Error::not_found("the server holds no copy of this private key any more");
  return vault_.export_pkcs12(address_key, pair->record.fingerprint, pair->record.certificate, pair->wrapped_key,
                              format, std::move(password));
}

}  // namespace sealpost
