// SPDX-License-Identifier: Apache-2.0
// Implements records.h on msgpack-c, which stays inside this file.
#include "queue/records.h"

#include <algorithm>
#include <msgpack.hpp>
#include <stdexcept>

#include "base/encoding.h"
#include "base/unpack.h"

namespace sealpost {
namespace {

constexpr int record_version = 1;
constexpr std::uint32_t message_fields = 13;
constexpr std::uint32_t delivery_fields = 23;
constexpr std::uint32_t older_delivery_fields = 21;  ///< of records from before there were suppressions

using Packer = msgpack::packer<msgpack::sbuffer>;

/// Always as msgpack "str": the only string type that Redis' cmsgpack writes and reads back unchanged.
void pack_text(Packer& packer, std::string_view text) {
  packer.pack_str(static_cast<std::uint32_t>(text.size()));
  packer.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
}

/// Text goes into SMTP commands, reports and terminals; nothing that we write into a record holds a control character.
std::string printable(std::string text) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::any_of(text.begin(), text.end(), is_control)) throw std::runtime_error("a control character");
  return text;
}

std::string octets_at(const msgpack::object_array& array, std::uint32_t field) {
  return array.ptr[field - 1].as<std::string>();
}

std::string text_at(const msgpack::object_array& array, std::uint32_t field) {
  return printable(octets_at(array, field));
}

template <class T>
T number_at(const msgpack::object_array& array, std::uint32_t field) {
  return array.ptr[field - 1].as<T>();
}

template <class Enum>
Enum member_at(const msgpack::object_array& array, std::uint32_t field, Enum last) {
  const auto value = number_at<unsigned>(array, field);
  if (value > static_cast<unsigned>(last)) throw std::runtime_error("no such state or kind");
  return static_cast<Enum>(value);
}

unsigned dsn_bits(const DsnRequest& dsn) {
  return (dsn.never ? 1U : 0U) | (dsn.success ? 2U : 0U) | (dsn.failure ? 4U : 0U) | (dsn.delay ? 8U : 0U) |
         (dsn.given ? 16U : 0U);
}

DsnRequest dsn_from(unsigned bits, std::string orcpt) {
  return {(bits & 1U) != 0, (bits & 2U) != 0, (bits & 4U) != 0, (bits & 8U) != 0, std::move(orcpt), (bits & 16U) != 0};
}

/// Runs `read` over the array of a record of the given size and version; msgpack's exceptions end here.
template <class Read>
auto decode_array(std::string_view octets, std::uint32_t fields, Read read)
    -> Result<std::invoke_result_t<Read, const msgpack::object_array&>> {
  try {
    const auto handle = unpack_record(octets);
    const auto& object = handle.get();
    if (object.type != msgpack::type::ARRAY || object.via.array.size < fields) {
      return Error::internal("queue record: not an array of " + std::to_string(fields));
    }
    if (number_at<int>(object.via.array, 1) != record_version) return Error::internal("queue record: unknown version");
    return read(object.via.array);
  } catch (const std::exception& why) {
    return Error::internal(std::string("queue record: ") + why.what());
  }
}

MessageRecord read_message(const msgpack::object_array& array) {
  MessageRecord record;
  record.account = text_at(array, 2);
  record.mail_from = text_at(array, 3);
  record.wrapped_envid = octets_at(array, 4);
  record.smtputf8 = number_at<int>(array, 5) != 0;
  record.accepted = number_at<std::int64_t>(array, 6);
  record.kind = member_at(array, 7, BodyKind::SenderCode);
  record.open = number_at<std::uint32_t>(array, 8);
  record.recipients = number_at<std::uint32_t>(array, 9);
  record.chunks = number_at<std::uint32_t>(array, 10);
  record.header_octets = number_at<std::uint64_t>(array, 11);
  // cmsgpack writes an empty Lua table as a map: only a filled one is an array.
  if (array.ptr[11].type == msgpack::type::ARRAY)
    record.content_octets = array.ptr[11].as<std::vector<std::uint64_t>>();
  record.body_octets = number_at<std::uint64_t>(array, 13);
  return record;
}

std::vector<HistoryEvent> read_history(const msgpack::object& object) {
  std::vector<HistoryEvent> history;
  if (object.type != msgpack::type::ARRAY) return history;
  for (std::uint32_t i = 0; i + 1 < object.via.array.size; i += 2) {
    history.push_back({from_milliseconds(object.via.array.ptr[i].as<std::int64_t>()),
                       printable(object.via.array.ptr[i + 1].as<std::string>())});
  }
  return history;
}

/// A finished record leaves out what can be told from the rest (common.lua, compact).
void complete_finished(DeliveryRecord& record) {
  if (record.domain.empty()) record.domain = ascii_lower(record.recipient.substr(record.recipient.rfind('@') + 1));
  if (record.destination.empty()) record.destination = record.domain;
  if (!record.history.empty() && record.history.back().text == to_text(record.state)) {
    record.history.back().text += ": " + record.last_response;
  }
}

StoredDelivery read_delivery(const DeliveryId& id, const msgpack::object_array& array, const MessageRecord& message) {
  StoredDelivery stored{DeliveryRecord(id), {}};
  DeliveryRecord& record = stored.record;
  record.account = message.account;
  record.mail_from = message.mail_from;
  record.smtputf8 = message.smtputf8;
  record.notice = is_notice(message.kind);
  record.notification = message.kind == BodyKind::Notification;
  record.sender_code = message.kind == BodyKind::SenderCode;
  record.state = member_at(array, 2, DeliveryState::Dropped);
  record.attempts = number_at<std::uint32_t>(array, 3);
  record.created = from_milliseconds(number_at<std::int64_t>(array, 4));
  const auto next = number_at<std::int64_t>(array, 5);
  if (next != 0) record.next_attempt = from_milliseconds(next);
  record.last_response = text_at(array, 6);
  record.warned = number_at<int>(array, 9) != 0;
  record.recipient = text_at(array, 10);
  if (record.recipient.find('@') == std::string::npos) throw std::runtime_error("no recipient");
  record.domain = text_at(array, 11);
  record.destination = text_at(array, 12);
  record.fingerprint = to_hex(octets_at(array, 13));
  record.key_state = text_at(array, 14);
  record.dsn = dsn_from(number_at<unsigned>(array, 15), text_at(array, 16));
  stored.place = {number_at<std::uint64_t>(array, 17), number_at<std::uint64_t>(array, 18),
                  number_at<std::uint32_t>(array, 19)};
  record.size = number_at<std::uint64_t>(array, 20);
  record.history = read_history(array.ptr[20]);
  record.bounced_before = array.size > older_delivery_fields && number_at<int>(array, 22) != 0;
  record.to_be_bounced = array.size > older_delivery_fields + 1 && text_at(array, 23) == "bounce";
  complete_finished(record);
  return stored;
}

}  // namespace

std::string encode(const MessageRecord& record) {
  msgpack::sbuffer buffer;
  Packer packer(buffer);
  packer.pack_array(message_fields);
  packer.pack(record_version);
  for (const auto* text : {&record.account, &record.mail_from, &record.wrapped_envid}) {
    pack_text(packer, *text);
  }
  packer.pack(record.smtputf8 ? 1 : 0);
  packer.pack(record.accepted);
  packer.pack(static_cast<unsigned>(record.kind));
  packer.pack(record.open);
  packer.pack(record.recipients);
  packer.pack(record.chunks);
  packer.pack(record.header_octets);
  packer.pack(record.content_octets);
  packer.pack(record.body_octets);
  return {buffer.data(), buffer.size()};
}

Result<MessageRecord> decode_message(std::string_view octets) {
  return decode_array(octets, message_fields, read_message);
}

std::string encode(const DeliveryRecord& record, const BodyPlace& place) {
  msgpack::sbuffer buffer;
  Packer packer(buffer);
  packer.pack_array(delivery_fields);
  packer.pack(record_version);
  packer.pack(static_cast<unsigned>(record.state));
  packer.pack(record.attempts);
  packer.pack(to_milliseconds(record.created));
  packer.pack(record.next_attempt ? to_milliseconds(*record.next_attempt) : 0);
  pack_text(packer, record.last_response);
  packer.pack(0);  // fence: the claim script sets it
  packer.pack(0);  // deaths of workers
  packer.pack(record.warned ? 1 : 0);
  pack_text(packer, record.recipient);
  pack_text(packer, record.domain);
  pack_text(packer, record.destination);
  pack_text(packer, from_hex(record.fingerprint).value_or(std::string()));
  pack_text(packer, record.key_state);
  packer.pack(dsn_bits(record.dsn));
  pack_text(packer, record.dsn.orcpt);
  packer.pack(place.head_offset);
  packer.pack(place.head_octets);
  packer.pack(place.content);
  packer.pack(record.size);
  packer.pack_array(static_cast<std::uint32_t>(record.history.size() * 2));
  for (const auto& event : record.history) {
    packer.pack(to_milliseconds(event.time));
    pack_text(packer, event.text);
  }
  packer.pack(record.bounced_before ? 1 : 0);
  pack_text(packer, record.to_be_bounced ? "bounce" : "");
  return {buffer.data(), buffer.size()};
}

Result<StoredDelivery> decode_delivery(const DeliveryId& id, std::string_view octets, const MessageRecord& message) {
  return decode_array(octets, older_delivery_fields,
                      [&](const msgpack::object_array& array) { return read_delivery(id, array, message); });
}

}  // namespace sealpost
