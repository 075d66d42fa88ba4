// SPDX-License-Identifier: Apache-2.0
// The two records: what C++ writes, Redis' own cmsgpack reads and writes back without a change; what neither wrote is
// refused.
#include "queue/records.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/queue/queue_fixture.h"

namespace sealpost {
namespace {

MessageRecord a_message() {
  MessageRecord record;
  record.account = "crm";
  record.mail_from =
      "j\xc3\xbcrgen@b\xc3\xbc"
      "cher.example";
  record.wrapped_envid = std::string("\x00\xff\r\n", 4);
  record.smtputf8 = true;
  record.accepted = 1'790'000'000'123;
  record.kind = BodyKind::Verbatim;
  record.open = 1000;
  record.recipients = 1000;
  record.chunks = 101;
  record.header_octets = 70'000;
  record.content_octets = {26'214'400, 5'000'000'000};
  record.body_octets = 5'026'284'400;
  return record;
}

DeliveryRecord a_delivery() {
  DeliveryRecord record(DeliveryId::parse("01ARYZ6S410000000000000000-7").value());
  record.state = DeliveryState::Deferred;
  record.attempts = 70'000;
  record.created = from_milliseconds(1'790'000'000'123);
  record.next_attempt = from_milliseconds(1'790'000'060'123);
  record.last_response = std::string(300, 'r');
  record.warned = true;
  record.recipient =
      "\"a b\"@b\xc3\xbc"
      "cher.example";
  record.domain = "xn--bcher-kva.example";
  record.destination = "smtp://127.0.0.1:25";
  record.fingerprint = "00ff80c0" + std::string(56, 'e');  // no valid UTF-8 as octets
  record.key_state = "permanent";
  record.dsn = {true, true, false, true, "rfc822;x", true};
  record.size = 5'000'000'000;
  record.bounced_before = true;
  record.history = {{record.created, "queued"}, {*record.next_attempt, std::string(256, 'h')}};
  return record;
}

class RecordsTest : public test::QueueTest {
 protected:
  std::string through_lua(const std::string& octets) {
    auto reply = redis.command({"EVAL", "return cmsgpack.pack(cmsgpack.unpack(ARGV[1]))", "0", octets});
    EXPECT_TRUE(reply) << reply.error().internal_detail;
    return reply ? std::string(reply->text()) : std::string();
  }
};

TEST_F(RecordsTest, AMessageComesBackFromLuaUnchanged) {
  const MessageRecord record = a_message();
  const std::string octets = through_lua(encode(record));
  EXPECT_EQ(octets, encode(record)) << "not one octet differs";
  const auto read = decode_message(octets).value();
  EXPECT_EQ(read.account, record.account);
  EXPECT_EQ(read.mail_from, record.mail_from);
  EXPECT_EQ(read.wrapped_envid, record.wrapped_envid);
  EXPECT_EQ(read.smtputf8, record.smtputf8);
  EXPECT_EQ(read.accepted, record.accepted);
  EXPECT_EQ(read.kind, record.kind);
  EXPECT_EQ(read.open, record.open);
  EXPECT_EQ(read.recipients, record.recipients);
  EXPECT_EQ(read.chunks, record.chunks);
  EXPECT_EQ(read.header_octets, record.header_octets);
  EXPECT_EQ(read.content_octets, record.content_octets);
  EXPECT_EQ(read.body_octets, record.body_octets);
}

TEST_F(RecordsTest, ADeliveryComesBackFromLuaUnchanged) {
  const DeliveryRecord record = a_delivery();
  const BodyPlace place{70'000, 400, 1};
  const std::string octets = through_lua(encode(record, place));
  EXPECT_EQ(octets, encode(record, place)) << "not one octet differs";
  const auto stored = decode_delivery(record.id, octets, a_message()).value();
  const auto& read = stored.record;
  EXPECT_EQ(read.state, record.state);
  EXPECT_EQ(read.attempts, record.attempts);
  EXPECT_EQ(read.created, record.created);
  EXPECT_EQ(read.next_attempt, record.next_attempt);
  EXPECT_EQ(read.last_response, record.last_response);
  EXPECT_EQ(read.warned, record.warned);
  EXPECT_EQ(read.recipient, record.recipient);
  EXPECT_EQ(read.domain, record.domain);
  EXPECT_EQ(read.destination, record.destination);
  EXPECT_EQ(read.fingerprint, record.fingerprint);
  EXPECT_EQ(read.key_state, record.key_state);
  EXPECT_TRUE(read.dsn.never && read.dsn.success && read.dsn.delay && !read.dsn.failure && read.dsn.given);
  EXPECT_EQ(read.dsn.orcpt, record.dsn.orcpt);
  EXPECT_EQ(read.size, record.size);
  EXPECT_TRUE(read.bounced_before);
  ASSERT_EQ(read.history.size(), 2U);
  EXPECT_EQ(read.history[1].text, record.history[1].text);
  EXPECT_EQ(read.history[1].time, record.history[1].time);
  EXPECT_EQ(stored.place.head_offset, place.head_offset);
  EXPECT_EQ(stored.place.head_octets, place.head_octets);
  EXPECT_EQ(stored.place.content, place.content);
  EXPECT_EQ(read.account, "crm");
  EXPECT_EQ(read.envid, "") << "only a claim opens it";
}

TEST_F(RecordsTest, OfBeforeThereWereSuppressionsAreRead) {
  const auto record = a_delivery();
  std::string octets = encode(record, {});
  octets.pop_back();
  octets[2] = '\x15';  // 21 fields
  const auto read = decode_delivery(record.id, octets, a_message());
  ASSERT_TRUE(read) << read.error().internal_detail;
  EXPECT_FALSE(read->record.bounced_before);
  EXPECT_EQ(read->record.history.size(), 2U);
}

/// Lua knows no empty array: cmsgpack writes a map.
TEST_F(RecordsTest, EmptyListsSurviveLua) {
  EXPECT_TRUE(decode_message(through_lua(encode(MessageRecord{})))->content_octets.empty());
  DeliveryRecord record(a_delivery().id);
  record.recipient = "a@d.example";
  const auto read = decode_delivery(record.id, through_lua(encode(record, {})), MessageRecord{});
  ASSERT_TRUE(read) << read.error().internal_detail;
  EXPECT_TRUE(read->record.history.empty());
  EXPECT_FALSE(read->record.next_attempt);
  EXPECT_EQ(read->record.fingerprint, "");
}

struct BadRecord {
  std::string name;
  std::string octets;
};
void PrintTo(const BadRecord& c, std::ostream* out) { *out << c.name; }

class BadRecords : public ::testing::TestWithParam<BadRecord> {};

TEST_P(BadRecords, AreErrors) {
  const auto message = decode_message(GetParam().octets);
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().kind, ErrorKind::Internal);
  EXPECT_EQ(message.error().public_text.find("msgpack"), std::string::npos);
  EXPECT_FALSE(decode_delivery(a_delivery().id, GetParam().octets, MessageRecord{}));
}

std::string with_octet(std::string octets, std::size_t at, char value) {
  octets[at] = value;
  return octets;
}

INSTANTIATE_TEST_SUITE_P(Octets, BadRecords,
                         ::testing::Values(BadRecord{"empty", ""}, BadRecord{"text", "hello"},
                                           BadRecord{"a_number", "\x07"}, BadRecord{"a_short_array", "\x92\x01\x02"},
                                           BadRecord{"truncated_message", encode(a_message()).substr(0, 40)},
                                           BadRecord{"truncated_delivery", encode(a_delivery(), {}).substr(0, 200)},
                                           BadRecord{"another_version", with_octet(encode(a_message()), 1, '\x02')},
                                           BadRecord{"an_array_that_claims_to_be_huge", "\xdd\xff\xff\xff\xff"},
                                           BadRecord{"numbers_for_text",
                                                     "\xdc" + std::string(1, '\0') + "\x15" + std::string(21, '\x01')}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace sealpost
