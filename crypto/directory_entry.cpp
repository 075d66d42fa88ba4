// SPDX-License-Identifier: Apache-2.0
// Implements directory_entry.h.
#include "crypto/directory_entry.h"

#include <msgpack.hpp>
#include <tuple>

#include "base/message_id.h"
#include "base/redis/client.h"
#include "base/secret.h"
#include "base/unpack.h"

namespace sealpost {
namespace {

using EntryFields = std::tuple<std::string, std::string, std::string, std::string, std::string, std::int64_t,
                               std::int64_t, std::int64_t, bool, bool>;
constexpr std::size_t fields_before_own = 8;

std::string entry_mac(Wrapper& wrapper, std::string_view packed) {
  return wrapper.mac(Purpose::DirectoryEntry, "entry " + std::string(packed));
}

std::int64_t to_field(const std::optional<Time>& time) { return time ? to_milliseconds(*time) : 0; }

std::optional<Time> from_field(std::int64_t value) {
  return value == 0 ? std::nullopt : std::optional(from_milliseconds(value));
}

Error altered_entry(std::string detail) {
  return Error::permanent("the directory's entry of this address was altered", std::move(detail));
}

Result<KeyRecord> parse(std::string_view packed) {
  try {
    const auto unpacked = unpack_record(packed);
    // msgpack-c leaves those alone that an array is too short for.
    auto fields = unpacked.get().as<EntryFields>();
    if (unpacked.get().via.array.size < fields_before_own) return altered_entry("too few fields");
    const auto state = parse_pair_state(std::get<2>(fields));
    if (!state) return altered_entry("unknown state");
    KeyRecord record;
    record.address = std::move(std::get<0>(fields));
    record.fingerprint = std::move(std::get<1>(fields));
    record.state = *state;
    record.certificate = std::move(std::get<3>(fields));
    record.placeholder = std::move(std::get<4>(fields));
    record.assigned = from_milliseconds(std::get<5>(fields));
    record.expires = from_field(std::get<6>(fields));
    record.picked_up = from_field(std::get<7>(fields));
    record.own = std::get<8>(fields);
    record.destroyed = std::get<9>(fields) || record.state == PairState::Forgotten;
    return record;
  } catch (const std::exception& why) {
    return altered_entry(why.what());
  }
}

}  // namespace

std::string encode_entry(Wrapper& wrapper, const KeyRecord& record) {
  msgpack::sbuffer buffer;
  msgpack::pack(buffer,
                EntryFields(record.address, record.fingerprint, std::string(to_text(record.state)), record.certificate,
                            record.placeholder, to_milliseconds(record.assigned), to_field(record.expires),
                            to_field(record.picked_up), record.own, record.destroyed));
  const std::string_view packed(buffer.data(), buffer.size());
  return entry_mac(wrapper, packed).append(packed);
}

Result<KeyRecord> decode_entry(Wrapper& wrapper, std::string_view address_key, std::string_view entry) {
  if (entry.size() < mac_size) return altered_entry("shorter than its MAC");
  const auto packed = entry.substr(mac_size);
  if (!equal_in_constant_time(entry_mac(wrapper, packed), entry.substr(0, mac_size)))
    return altered_entry("MAC does not fit");
  auto record = parse(packed);
  if (record && record->address != address_key) return altered_entry("the entry is another address's");
  return record;
}

unsigned directory_shard(std::string_view address_key) { return redis::slot_of(address_key) % shard_count; }

std::string directory_prefix(std::string_view address_key) {
  return "keys:{" + std::to_string(directory_shard(address_key)) + "}:";
}

}  // namespace sealpost
