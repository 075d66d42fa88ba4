// SPDX-License-Identifier: Apache-2.0
// Implements audit_trail.h. An entry is MAC (32) ‖ MessagePack array {sequence, time, actor, action, subject, detail}.
#include "base/audit_trail.h"

#include <msgpack.hpp>
#include <tuple>

#include "base/encoding.h"
#include "base/secret.h"
#include "base/unpack.h"

namespace sealpost {
namespace {

/// Nodes that append to one shard at once are few, and each try is one look and one script.
constexpr int max_tries = 50;
constexpr long long page = 1000;

const redis::Script& append_script() {
  static const redis::Script script("audit_append",
                                    "#!lua flags=allow-oom\n"
                                    "-- Appends an entry if the trail still ends with the MAC that the caller saw.\n"
                                    "if string.sub(redis.call('LINDEX', KEYS[1], -1) or '', 1, 32) ~= ARGV[1] then\n"
                                    "  return -1\n"
                                    "end\n"
                                    "redis.call('RPUSH', KEYS[1], ARGV[2])\n"
                                    "return 1");
  return script;
}

using Fields = std::tuple<std::uint64_t, std::int64_t, std::string, std::string, std::string, std::string>;

std::string_view mac_of(std::string_view entry) { return entry.substr(0, std::min(entry.size(), mac_size)); }

Result<AuditEntry> read(unsigned shard, std::string_view octets) {
  const auto unreadable = [&](std::string detail) {
    return Error::permanent("an entry of the audit trail cannot be read", std::move(detail));
  };
  if (octets.size() <= mac_size) return unreadable("too short");
  try {
    auto fields = unpack_record(octets.substr(mac_size)).get().as<Fields>();
    auto& [sequence, time, actor, action, subject, detail] = fields;
    return AuditEntry{
        shard,
        sequence,
        {from_milliseconds(time), std::move(actor), std::move(action), std::move(subject), std::move(detail)},
        to_hex(mac_of(octets))};
  } catch (const std::exception& why) {
    return unreadable(why.what());
  }
}

}  // namespace

std::string AuditTrail::key(unsigned shard) { return "audit:{" + std::to_string(shard) + "}"; }

std::string AuditTrail::chain_mac(std::string_view before, std::string_view packed) const {
  return wrapper_.mac(Purpose::AuditTrail, std::string(before) + std::string(packed));
}

std::string AuditTrail::next_entry(unsigned shard, std::string_view last, const AuditEvent& event) const {
  std::uint64_t sequence = 1;
  // A last entry that nobody can read is followed all the same: verify() tells, and no change waits for its mending.
  if (auto before = read(shard, last)) sequence = before->sequence + 1;
  msgpack::sbuffer buffer;
  msgpack::pack(buffer,
                Fields(sequence, to_milliseconds(event.time), event.actor, event.action, event.subject, event.detail));
  const std::string_view packed(buffer.data(), buffer.size());
  return chain_mac(last.empty() ? key(shard) : mac_of(last), packed).append(packed);
}

Result<redis::Reply> AuditTrail::record(unsigned shard, const AuditEvent& event, const Change& change) {
  const std::lock_guard alone(appending_.at(shard));
  for (int i = 0; i < max_tries; ++i) {
    auto last = redis_.command({"LINDEX", key(shard), "-1"});
    if (!last) return last;
    const std::string_view seen = last->is_nil() ? std::string_view() : last->text();
    const std::string entry = next_entry(shard, seen, event);
    auto done = change(std::string(mac_of(seen)), entry);
    if (!done || done->integer() == 1) {
      // Without an answer it may have been written all the same.
      if (const auto written = read(shard, entry)) tell(done ? "audit" : "audit.uncertain", *written);
      return done;
    }
    if (done->integer() != moved_on) return done;
  }
  return Error::temporary("the audit trail is busy");
}

Status AuditTrail::append(unsigned shard, const AuditEvent& event) {
  auto done = record(shard, event, [&](const std::string& seen, const std::string& entry) {
    return redis_.run(append_script(), {key(shard)}, {seen, entry});
  });
  return done ? Status() : Status(done.error());
}

void AuditTrail::tell(std::string_view event, const AuditEntry& entry) {
  log_.info(event, {{"shard", entry.shard},
                    {"sequence", entry.sequence},
                    {"head", entry.mac},
                    {"action", entry.event.action},
                    {"actor", entry.event.actor},
                    {"subject", entry.event.subject},
                    {"detail", entry.event.detail}});
}

Result<AuditChain> AuditTrail::verify(unsigned shard, const std::function<void(const AuditEntry&)>& visit) {
  AuditChain chain;
  AuditHead& head = chain.head;
  std::string before = key(shard);  // no chain can stand in another's place
  bool certain = true;              // which sequence comes next
  const auto fault = [&](std::uint64_t place, std::string_view what, std::string_view octets) {
    chain.faults.push_back(
        {"shard " + std::to_string(shard) + ", entry " + std::to_string(place) + ": " + std::string(what),
         to_hex(mac_of(octets))});
    certain = false;
  };
  for (long long from = 0;; from += page) {
    auto entries = redis_.command({"LRANGE", key(shard), std::to_string(from), std::to_string(from + page - 1)});
    if (!entries) return entries.error();
    for (std::size_t i = 0; i < entries->size(); ++i) {
      const std::string_view octets = (*entries)[i].text();
      const std::uint64_t place = head.sequence + 1;
      const auto entry = read(shard, octets);
      head = {place, to_hex(mac_of(octets))};
      if (!entry) {
        fault(place, "cannot be read", octets);
      } else if (!equal_in_constant_time(chain_mac(before, octets.substr(mac_size)), mac_of(octets))) {
        fault(place, "was altered, or one before it was taken out", octets);
      } else if (certain && entry->sequence != place) {
        fault(place, "stands at a place that is not its own", octets);
      } else {
        head.sequence = entry->sequence;
        certain = true;
        visit(*entry);
      }
      before = mac_of(octets);
    }
    if (entries->size() < static_cast<std::size_t>(page)) return chain;
  }
}

Result<std::vector<AuditEntry>> AuditTrail::latest(unsigned shard, std::size_t count) {
  std::vector<AuditEntry> found;
  if (count == 0) return found;
  auto entries = redis_.command({"LRANGE", key(shard), "-" + std::to_string(count), "-1"});
  if (!entries) return entries.error();
  for (std::size_t i = 0; i < entries->size(); ++i) {
    auto entry = read(shard, (*entries)[i].text());
    if (!entry) return entry.error();
    found.push_back(std::move(*entry));
  }
  return found;
}

}  // namespace sealpost
