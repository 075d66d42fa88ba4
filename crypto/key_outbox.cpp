// SPDX-License-Identifier: Apache-2.0
// Implements key_outbox.h. A row is id (26) ‖ MAC (32) ‖ MessagePack array {address, fingerprint, account, sender}.
// Times are the node's own: a claim that two skewed clocks both think theirs leads to two puts of one row id, which the
// queue takes as one.
#include "crypto/key_outbox.h"

#include <msgpack.hpp>
#include <tuple>

#include "base/message_id.h"
#include "base/secret.h"
#include "base/unpack.h"
#include "crypto/directory_entry.h"
#include "directory_scripts.h"

namespace sealpost {
namespace {

constexpr std::size_t row_id_size = 26;
constexpr std::chrono::minutes claim_lifetime{1};

using RowFields = std::tuple<std::string, std::string, std::string, std::string>;

struct Scripts {
  redis::Script release{"release_notice", std::string(scripts::release_notice_lua)};
  redis::Script cancel{"cancel_notice", std::string(scripts::cancel_notice_lua)};
  redis::Script order{"order_notice", std::string(scripts::order_notice_lua)};
  redis::Script claim{"claim_notices", std::string(scripts::claim_notices_lua)};
  redis::Script settle{"settle_notice", std::string(scripts::settle_notice_lua)};
};

const Scripts& outbox_scripts() {
  static const Scripts all;
  return all;
}

std::string outbox_mac(Wrapper& wrapper, std::string_view id, std::string_view packed) {
  return wrapper.mac(Purpose::DirectoryEntry, "outbox " + std::string(id) + std::string(packed));
}

std::string shard_prefix(unsigned shard) { return "keys:{" + std::to_string(shard) + "}:"; }

Error altered_row(std::string detail) { return Error::permanent("a row of the outbox was altered", std::move(detail)); }

}  // namespace

Result<std::size_t> notifications_owed(redis::Client& redis) {
  std::vector<redis::Command> commands;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    commands.push_back({"HLEN", shard_prefix(shard) + "outbox:rows"});
  }
  auto replies = redis.pipeline(commands);
  if (!replies) return replies.error();
  std::size_t owed = 0;
  for (const auto& reply : *replies) owed += static_cast<std::size_t>(reply.integer());
  return owed;
}

NewNotification KeyOutbox::prepare(const EmailAddress& address, const std::string& fingerprint,
                                   const Introduction& introduction) {
  NewNotification row{MessageId::generate(clock_, random_).text(), {}};
  msgpack::sbuffer buffer;
  msgpack::pack(buffer, RowFields(address.text(), fingerprint, introduction.account, introduction.sender));
  const std::string_view packed(buffer.data(), buffer.size());
  row.octets = row.row_id + outbox_mac(wrapper_, row.row_id, packed);
  row.octets += packed;
  return row;
}

Result<OutboxRow> KeyOutbox::decode(std::string_view octets) {
  if (octets.size() < row_id_size + mac_size) return altered_row("too short");
  const auto id = octets.substr(0, row_id_size);
  const auto packed = octets.substr(row_id_size + mac_size);
  if (!equal_in_constant_time(outbox_mac(wrapper_, id, packed), octets.substr(row_id_size, mac_size))) {
    return altered_row("MAC does not fit");
  }
  try {
    auto fields = unpack_record(packed).get().as<RowFields>();
    auto& [address, fingerprint, account, sender] = fields;
    return OutboxRow{
        std::move(address), std::move(fingerprint), {std::move(account), std::move(sender)}, std::string(id)};
  } catch (const std::exception& why) {
    return altered_row(why.what());
  }
}

Status KeyOutbox::release(const EmailAddress& address) {
  const std::string& key = address.directory_key();
  const std::string prefix = directory_prefix(key);
  auto done = redis_.run(outbox_scripts().release, {prefix + "outbox:due", prefix + "notices:" + key},
                         {key, std::to_string(to_milliseconds(clock_.now()))});
  return done ? Status() : Status(done.error());
}

Status KeyOutbox::cancel(const EmailAddress& address) {
  const std::string& key = address.directory_key();
  const std::string prefix = directory_prefix(key);
  auto done =
      redis_.run(outbox_scripts().cancel, {prefix + "outbox:rows", prefix + "outbox:due", prefix + "notices:" + key},
                 {key, std::to_string(to_milliseconds(clock_.now())),
                  std::to_string(std::chrono::milliseconds(notification_delay).count())});
  return done ? Status() : Status(done.error());
}

Result<std::int64_t> KeyOutbox::run_order(const EmailAddress& address, const std::string& row_id,
                                          const std::string& row) {
  const std::string& key = address.directory_key();
  const std::string prefix = directory_prefix(key);
  auto done =
      redis_.run(outbox_scripts().order, {prefix + "outbox:rows", prefix + "outbox:due", prefix + "notices:" + key},
                 {key, row_id, row, std::to_string(to_milliseconds(clock_.now()))});
  if (!done) return done.error();
  return done->integer();
}

Result<std::optional<bool>> KeyOutbox::release_waiting(const EmailAddress& address) {
  auto done = run_order(address, {}, {});
  if (!done) return done.error();
  return *done < 0 ? std::nullopt : std::optional(*done == 1);
}

Result<bool> KeyOutbox::order(const EmailAddress& address, const std::string& fingerprint,
                              const Introduction& introduction) {
  const auto row = prepare(address, fingerprint, introduction);
  auto done = run_order(address, row.row_id, row.octets);
  if (!done) return done.error();
  return *done == 1;
}

Result<std::vector<std::string>> KeyOutbox::shards_with_due_rows() {
  const std::string now = std::to_string(to_milliseconds(clock_.now()));
  std::vector<redis::Command> commands;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    commands.push_back({"ZCOUNT", shard_prefix(shard) + "outbox:due", "-inf", now});
    commands.push_back({"ZCOUNT", shard_prefix(shard) + "outbox:claimed", "-inf", now});
  }
  auto counts = redis_.pipeline(commands);
  if (!counts) return counts.error();
  std::vector<std::string> prefixes;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    const std::size_t first = std::size_t{2} * shard;
    if ((*counts)[first].integer() + (*counts)[first + 1].integer() > 0) prefixes.push_back(shard_prefix(shard));
  }
  return prefixes;
}

Status KeyOutbox::claim_from(const std::string& prefix, std::size_t max, std::vector<OutboxRow>& rows) {
  const Time now = clock_.now();
  auto claimed =
      redis_.run(outbox_scripts().claim, {prefix + "outbox:due", prefix + "outbox:claimed", prefix + "outbox:rows"},
                 {std::to_string(to_milliseconds(now)), std::to_string(to_milliseconds(now + claim_lifetime)),
                  std::to_string(max)});
  if (!claimed) return claimed.error();
  for (std::size_t i = 0; i < claimed->size(); ++i) {
    auto row = decode((*claimed)[i].text());
    if (row) {
      rows.push_back(std::move(*row));
    } else {
      // Stays claimed, so it is looked at and complained of again in a minute.
      log_.error("outbox.row_altered", {{"reason", row.error().internal_detail}});
    }
  }
  return {};
}

Result<std::vector<OutboxRow>> KeyOutbox::claim(std::size_t max) {
  auto prefixes = shards_with_due_rows();
  if (!prefixes) return prefixes.error();
  std::vector<OutboxRow> rows;
  for (const auto& prefix : *prefixes) {
    if (rows.size() >= max) break;
    if (auto taken = claim_from(prefix, max - rows.size(), rows); !taken) {
      // What other shards gave is claimed already and must not wait for its claim to run out.
      if (rows.empty()) return taken.error();
      log_.failure("outbox.claim_failed", taken.error());
      break;
    }
  }
  return rows;
}

Status KeyOutbox::settle(const OutboxRow& row) {
  const auto address = EmailAddress::parse(row.address);
  if (!address) return Error::internal("an outbox row names no address");
  const std::string& key = address->directory_key();
  const std::string prefix = directory_prefix(key);
  auto done = redis_.run(outbox_scripts().settle,
                         {prefix + "outbox:rows", prefix + "outbox:due", prefix + "outbox:claimed"}, {key, row.row_id});
  return done ? Status() : Status(done.error());
}

}  // namespace sealpost
