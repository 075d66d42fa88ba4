// SPDX-License-Identifier: Apache-2.0
// A submission that is repeated with its idempotency key: one message, the same answer, and nobody told twice.
#include <gmock/gmock.h>

#include <future>

#include "notify/codes.h"
#include "queue/keys.h"
#include "tests/unit/relay/intake_fixture.h"

namespace sealpost::test {
namespace {

using std::chrono::hours;

class IntakeIdempotency : public IntakeTest {
 protected:
  Submission with_key(const std::string& key, const std::vector<std::string>& recipients = {"bob@example.net"},
                      const std::string& message = plain) const {
    Submission result = submission(recipients, message);
    result.idempotency_key = key;
    return result;
  }
  std::size_t deliveries() { return view.list({}, 1000, {}).value().deliveries.size(); }
};

TEST_F(IntakeIdempotency, ARepetitionIsAnsweredAsTheFirst) {
  const auto first = intake.accept(with_key("order-1")).value();
  EXPECT_FALSE(first.first_answer);
  const auto again = intake.accept(with_key("order-1")).value();
  ASSERT_TRUE(again.first_answer);
  EXPECT_EQ(*again.first_answer, to_json(first)) << "assigned: true included, though it has a key by now";
  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(deliveries(), 1U);
  EXPECT_EQ(queued, 1);
  EXPECT_TRUE(reminded.empty()) << "a repetition reminds nobody";
}

TEST_F(IntakeIdempotency, ACodeForTheSenderIsToldOnce) {
  const auto taking = intake_for_sender_codes();
  const auto first = taking->accept(with_key("order-1")).value();
  ASSERT_TRUE(first.recipients.at(0).code);
  const std::string code(first.recipients[0].code->reveal());
  EXPECT_NE(to_json(first).find("\"assigned\":true,\"code\":\"" + code + "\""), std::string::npos) << to_json(first);
  const auto rows = directory.claim_outbox(10).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_TRUE(sender_code(parts.master, rows[0].row_id).equals(code)) << "what the notifier makes of the row";
  const auto again = taking->accept(with_key("order-1")).value();
  ASSERT_TRUE(again.first_answer);
  EXPECT_NE(again.first_answer->find("\"assigned\":true}"), std::string::npos) << *again.first_answer;
  EXPECT_EQ(again.first_answer->find(code), std::string::npos);
  const auto before = taking->answered_before(with_key("order-1")).value();
  EXPECT_EQ(before->first_answer->find(code), std::string::npos);
  const auto known = taking->accept(with_key("order-2")).value();
  EXPECT_FALSE(known.recipients.at(0).code) << "assigned before";
  EXPECT_EQ(parts.log_file.text().find(code), std::string::npos);
}

TEST_F(IntakeIdempotency, ACodeForTheRecipientIsNotTold) {
  const auto accepted = intake.accept(with_key("order-1")).value();
  EXPECT_FALSE(accepted.recipients.at(0).code);
  EXPECT_EQ(to_json(accepted).find("\"code\""), std::string::npos);
}

TEST_F(IntakeIdempotency, ItIsRememberedForADay) {
  ASSERT_TRUE(intake.accept(with_key("order-1")));
  const auto names = parts.redis_command({"KEYS", "queue:*:once:*"});
  ASSERT_EQ(names.size(), 1U);
  const auto life = parts.redis_command({"PTTL", std::string(names[0].text())}).integer();
  EXPECT_GT(life, std::chrono::milliseconds(hours(24)).count() - 60'000);
  EXPECT_LE(life, std::chrono::milliseconds(hours(24)).count());
}

TEST_F(IntakeIdempotency, NeitherKeyNorAnswerStandsInClearInRedis) {
  const auto first = intake.accept(with_key("order-KNOWN")).value();
  const auto names = parts.redis_command({"KEYS", "queue:*:once:*"});
  ASSERT_EQ(names.size(), 1U);
  const std::string name(names[0].text());
  const std::string value(parts.redis_command({"GET", name}).text());
  EXPECT_EQ(name.find("KNOWN"), std::string::npos);
  EXPECT_EQ(value.find(first.message_id_field), std::string::npos) << "a header field: held wrapped";
  EXPECT_EQ(value.find("bob@example.net"), std::string::npos);
  EXPECT_EQ(value.find("recipients"), std::string::npos);
}

TEST_F(IntakeIdempotency, AnAlteredAnswerIsNotGiven) {
  ASSERT_TRUE(intake.accept(with_key("order-1")));
  const std::string name(parts.redis_command({"KEYS", "queue:*:once:*"})[0].text());
  std::string value(parts.redis_command({"GET", name}).text());
  value.back() ^= 1;
  parts.redis_command({"SET", name, value});
  const auto again = intake.accept(with_key("order-1"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().refusal, Refusal::CannotSealNow);
  EXPECT_EQ(deliveries(), 1U);
}

TEST_F(IntakeIdempotency, AKeyBelongsToItsAccount) {
  ASSERT_TRUE(intake.accept(with_key("order-1")));
  auto other = with_key("order-1");
  other.account.name = "shop";
  const auto accepted = intake.accept(std::move(other));
  ASSERT_TRUE(accepted);
  EXPECT_FALSE(accepted->first_answer);
  EXPECT_EQ(deliveries(), 2U);
}

TEST_F(IntakeIdempotency, TheFieldOfAMessageIsAKeyToo) {
  const std::string message = "Idempotency-Key: order-1\r\n" + plain;
  const auto first = intake.accept(submission({"bob@example.net"}, message)).value();
  const auto again = intake.accept(submission({"bob@example.net"}, message)).value();
  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(deliveries(), 1U);
  EXPECT_EQ(sent_header().find("order-1"), std::string::npos) << "it does not travel";
}

TEST_F(IntakeIdempotency, ARepetitionIsAnsweredThoughMailWouldBeRefusedByNow) {
  const auto first = intake.accept(with_key("order-1")).value();
  bounce("bob@example.net", 3);
  ASSERT_TRUE(take_addresses(19));
  const auto again = intake.accept(with_key("order-1"));
  ASSERT_TRUE(again) << again.error().public_text;
  EXPECT_EQ(again->id, first.id);
}

TEST_F(IntakeIdempotency, ARefusalIsNotRemembered) {
  bounce("bob@example.net", 3);
  EXPECT_EQ(refused(with_key("order-1")), Refusal::Suppressed);
  ASSERT_TRUE(suppressions.clear(address("bob@example.net")));
  const auto accepted = intake.accept(with_key("order-1"));
  ASSERT_TRUE(accepted);
  EXPECT_FALSE(accepted->first_answer);
}

TEST_F(IntakeIdempotency, SixteenAtOnceMakeOneMessage) {
  std::vector<std::future<Result<Accepted, IntakeError>>> calls;
  std::atomic<bool> go = false;
  for (int i = 0; i < 16; ++i) {
    calls.push_back(std::async(std::launch::async, [&] {
      go.wait(false);
      return intake.accept(with_key("order-1", {"bob@example.net", "carol@example.net"}));
    }));
  }
  go = true;
  go.notify_all();
  std::string answer;
  std::size_t made = 0;
  for (auto& call : calls) {
    const auto result = call.get();
    ASSERT_TRUE(result) << result.error().public_text << result.error().internal_detail;
    if (!result->first_answer) {
      ++made;
      answer = to_json(*result);
    }
  }
  EXPECT_EQ(made, 1U);
  EXPECT_EQ(deliveries(), 2U);
  EXPECT_EQ(intake.accept(with_key("order-1", {"bob@example.net", "carol@example.net"}))->first_answer, answer);
}

/// What is another message: a conflict, and nothing queued.
struct Other {
  const char* name;
  std::vector<std::string> recipients;
  const char* mail_from;
  std::string message;
};
void PrintTo(const Other& other, std::ostream* out) { *out << other.name; }
class OtherMessage : public IntakeIdempotency, public testing::WithParamInterface<Other> {};
TEST_P(OtherMessage, UnderTheSameKeyIsAConflict) {
  ASSERT_TRUE(intake.accept(with_key("order-1")));
  auto other = with_key("order-1", GetParam().recipients, GetParam().message);
  other.mail_from = address(GetParam().mail_from);
  const auto result = intake.accept(std::move(other));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().refusal, Refusal::Conflict);
  EXPECT_EQ(deliveries(), 1U);
  EXPECT_FALSE(directory.find(address("carol@example.net")).value()) << "nobody is given a key for it";
}
INSTANTIATE_TEST_SUITE_P(
    All, OtherMessage,
    testing::Values(Other{"Body", {"bob@example.net"}, "alice@example.com", plain + "more\r\n"},
                    Other{"Subject",
                          {"bob@example.net"},
                          "alice@example.com",
                          "From: alice@example.com\r\nSubject: y\r\n\r\ntext\r\n"},
                    Other{"Recipient", {"carol@example.net"}, "alice@example.com", plain},
                    Other{"OneMoreRecipient", {"bob@example.net", "carol@example.net"}, "alice@example.com", plain},
                    Other{"Sender", {"bob@example.net"}, "info@example.com", plain}),
    [](const auto& info) { return info.param.name; });

/// Keys that are none, in the field of a message.
struct Field {
  const char* name;
  std::string fields;
};
void PrintTo(const Field& field, std::ostream* out) { *out << field.name; }
class BadKeyField : public IntakeIdempotency, public testing::WithParamInterface<Field> {};
TEST_P(BadKeyField, RefusesTheMessage) {
  EXPECT_EQ(refused(submission({"bob@example.net"}, GetParam().fields + plain)), Refusal::Malformed);
  EXPECT_EQ(messages_in_redis(), 0U);
}
INSTANTIATE_TEST_SUITE_P(All, BadKeyField,
                         testing::Values(Field{"Empty", "Idempotency-Key: \r\n"},
                                         Field{"TwoWords", "Idempotency-Key: a b\r\n"},
                                         Field{"TooLong", "Idempotency-Key: " + std::string(256, 'k') + "\r\n"},
                                         Field{"BeyondAscii", "Idempotency-Key: \xc3\xa4\r\n"},
                                         Field{"Twice", "Idempotency-Key: a\r\nIdempotency-Key: a\r\n"}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sealpost::test
