// SPDX-License-Identifier: Apache-2.0
// POST /v1/messages and its batch over a real intake: who may, what is answered, and that nothing refused is queued.
#include "relay/submit/submit_routes.h"

#include <Poco/JSON/Array.h>
#include <gmock/gmock.h>

#include <ostream>

#include "base/memory_budget.h"
#include "tests/support/http_direct.h"
#include "tests/unit/relay/intake_fixture.h"
#include "tests/unit/relay/submission_counts_fixture.h"

namespace sealpost::test {
namespace {

using http::Answer;
using http::Fields;
using testing::HasSubstr;
using testing::StartsWith;

const Fields submit_scope = {{"Authorization", "Bearer submit"}};
const std::string small = R"({"from":"alice@example.com","to":["bob@example.net"],"subject":"x","text":"hello"})";

class SubmitRoutesTest : public IntakeTest {
 protected:
  SubmitRoutesTest() { router.add(submit::submit_routes(routes)); }

  Answer post(const std::string& target, const std::string& body, Fields fields = {},
              const std::string& type = "application/json") {
    fields.insert(submit_scope.begin(), submit_scope.end());
    if (!type.empty()) fields.emplace("Content-Type", type);
    return http::ask(context, "POST", target, body, fields);
  }
  Answer post_json(const std::string& body, Fields fields = {}) {
    return post("/v1/messages", body, std::move(fields));
  }
  Answer post_mail(const std::string& body, const std::string& query = {}, Fields fields = {}) {
    return post("/v1/messages" + query, body, std::move(fields), "message/rfc822");
  }
  std::size_t deliveries() { return view.list({}, 1000, {}).value().deliveries.size(); }

  bool full = false;
  CountedSubmissions counted;
  submit::SubmitRoutesContext routes{intake, [this] { return full; }, 100'000, 3, counted.counts};
  http::Router router;
  http::KnownTokens tokens;
  MemoryBudget budget{2'000'000};
  http::ServerContext context{router, tokens, budget, parts.log, {}};
};

TEST_F(SubmitRoutesTest, AMessageIsAcceptedAndDescribed) {
  const auto answer = post_json(small);
  ASSERT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(answer.field("Location"), "/v1/messages/" + answer.member("id"));
  EXPECT_EQ(answer.field("Content-Type"), "application/json");
  EXPECT_EQ(answer.field("Cache-Control"), "no-store");
  EXPECT_EQ(answer.member("message_id"), "<" + answer.member("id") + "@relay.example.org>");
  const auto recipients = answer.json()->getArray("recipients");
  ASSERT_EQ(recipients->size(), 1U);
  const auto bob = recipients->getObject(0);
  EXPECT_EQ(bob->getValue<std::string>("address"), "bob@example.net");
  EXPECT_EQ(bob->getValue<std::string>("delivery"), answer.member("id") + "-1");
  EXPECT_EQ(bob->getValue<std::string>("status"), "queued");
  const auto key = bob->getObject("key");
  EXPECT_EQ(key->getValue<std::string>("fingerprint"), directory.find(address("bob@example.net")).value()->fingerprint);
  EXPECT_EQ(key->getValue<std::string>("state"), "interim");
  EXPECT_TRUE(key->getValue<bool>("assigned"));
  EXPECT_EQ(queued, 1);
  const std::string header = sent_header();
  EXPECT_THAT(header, HasSubstr("From: <alice@example.com>\r\nTo: <bob@example.net>\r\nSubject: x\r\n"));
  EXPECT_THAT(header, HasSubstr(" with HTTP id "));
}

TEST_F(SubmitRoutesTest, EveryRecipientIsServedOnceAndBccStaysUnseen) {
  const auto answer = post_json(
      R"({"from":"alice@example.com","to":["bob@example.net"],"cc":["BOB@example.net"],"bcc":["carol@example.net"]})");
  ASSERT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(answer.json()->getArray("recipients")->size(), 2U);
  auto claims = queue.claim(10, 10).value();
  ASSERT_EQ(claims.size(), 2U);
  for (const auto& claim : claims) {
    const std::string header(queue.open(claim).value()->header_block());
    EXPECT_EQ(header.find("carol"), std::string::npos) << header;
    EXPECT_TRUE(queue.delivered(claim, "250 ok"));
  }
}

TEST_F(SubmitRoutesTest, AFinishedMessageGoesToWhomItsFieldsName) {
  const auto answer = post_mail(
      "From: alice@example.com\r\nTo: bob@example.net\r\nCc: carol@example.net\r\nBcc: "
      "dave@example.net\r\n\r\ntext\r\n");
  ASSERT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(answer.json()->getArray("recipients")->size(), 3U);
}

TEST_F(SubmitRoutesTest, TheQueryWinsOverTheFields) {
  const auto answer = post_mail("From: alice@example.com\r\nTo: bob@example.net\r\n\r\ntext\r\n",
                                "?from=bounces%40example.com&to=carol@example.net&to=dave%2Bx@example.net");
  ASSERT_EQ(answer.status, 202) << answer.body;
  const auto found = view.list({}, 10, {}).value().deliveries;
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].mail_from, "bounces@example.com");
  EXPECT_EQ(found[0].recipient, "carol@example.net");
  EXPECT_EQ(found[1].recipient, "dave+x@example.net");
}

TEST_F(SubmitRoutesTest, MessagesAreCountedAndRefusalsByTheirStatus) {
  ASSERT_EQ(post_json(small, {{"Idempotency-Key", "order-1"}}).status, 202);
  ASSERT_EQ(post_json(small, {{"Idempotency-Key", "order-1"}}).status, 202) << "the same once more is no message";
  ASSERT_EQ(
      post_json(R"({"from":"alice@example.com","to":["carol@example.net"]})", {{"Idempotency-Key", "order-1"}}).status,
      409);
  ASSERT_EQ(post_mail("From: alice@example.com\r\nTo: bob@example.net\r\n\r\ntext\r\n").status, 202);
  ASSERT_EQ(post_json("{}").status, 422);
  ASSERT_EQ(post_json(R"({"from":"eve@example.org","to":["bob@example.net"]})").status, 403);
  full = true;
  ASSERT_EQ(post_json(small).status, 503);
  EXPECT_EQ(counted.accepted(), 2);
  EXPECT_EQ(counted.timed(), 2);
  EXPECT_GT(counted.seconds(), 0);
  EXPECT_LT(counted.seconds(), 60) << "from the end of the body, not from some beginning of time";
  for (const char* code : {"409", "422", "403", "other"}) EXPECT_EQ(counted.refused(code), 1) << code;
}

TEST_F(SubmitRoutesTest, OfABatchEachMessageCounts) {
  const auto answer = post("/v1/messages/batch", "[" + small + ",{}," + small + "]");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(counted.accepted(), 2);
  EXPECT_EQ(counted.refused("422"), 1);
  ASSERT_EQ(post("/v1/messages/batch", "[]").status, 422);
  EXPECT_EQ(counted.refused("422"), 2) << "none of it was taken";
}

TEST_F(SubmitRoutesTest, ARepetitionIsReplayed) {
  const auto first = post_json(small, {{"Idempotency-Key", "order-1"}});
  ASSERT_EQ(first.status, 202) << first.body;
  EXPECT_EQ(first.field("Idempotency-Replayed"), "");
  const auto again = post_json(small, {{"Idempotency-Key", "order-1"}});
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(again.field("Idempotency-Replayed"), "true");
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.field("Location"), first.field("Location"));
  EXPECT_EQ(deliveries(), 1U);
}

TEST_F(SubmitRoutesTest, ARepetitionWantsNoAdmission) {
  const auto first = post_json(small, {{"Idempotency-Key", "order-1"}});
  bounce("bob@example.net", 3);
  EXPECT_EQ(post_json(small).status, 422) << "mail to bob is refused by now";
  EXPECT_EQ(post_json(small, {{"Idempotency-Key", "order-1"}}).body, first.body);
}

TEST_F(SubmitRoutesTest, AnotherBodyUnderAKeyIsAConflict) {
  ASSERT_EQ(post_json(small, {{"Idempotency-Key", "order-1"}}).status, 202);
  const auto other = post_json(R"({"from":"alice@example.com","to":["bob@example.net"],"text":"another"})",
                               {{"Idempotency-Key", "order-1"}});
  EXPECT_EQ(other.status, 409) << other.body;
  EXPECT_EQ(other.field("Content-Type"), "application/problem+json");
  EXPECT_EQ(deliveries(), 1U);
}

TEST_F(SubmitRoutesTest, ABatchTellsOfEachMessage) {
  const auto answer = post("/v1/messages/batch", "[" + small + R"(,{"from":"x"},7,)" + small + "]");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto results = answer.json()->getArray("results");
  ASSERT_EQ(results->size(), 4U);
  EXPECT_EQ(results->getObject(0)->getValue<int>("status"), 202);
  EXPECT_TRUE(results->getObject(0)->getObject("message")->has("id"));
  EXPECT_EQ(results->getObject(1)->getValue<int>("status"), 422);
  EXPECT_EQ(
      results->getObject(1)->getObject("problem")->getArray("errors")->getObject(0)->getValue<std::string>("pointer"),
      "/1/from");
  EXPECT_EQ(results->getObject(2)->getValue<int>("status"), 422);
  EXPECT_EQ(results->getObject(3)->getValue<int>("status"), 202);
  EXPECT_EQ(deliveries(), 2U);
}

TEST_F(SubmitRoutesTest, ABatchIsRepeatedMessageByMessage) {
  const std::string two = "[" + small + "," + small + "]";
  const auto first = post("/v1/messages/batch", two, {{"Idempotency-Key", "run-1"}});
  ASSERT_EQ(first.status, 200);
  EXPECT_EQ(post("/v1/messages/batch", two, {{"Idempotency-Key", "run-1"}}).body, first.body);
  EXPECT_EQ(deliveries(), 2U);
}

TEST_F(SubmitRoutesTest, AKeyOfABatchIsNoOtherCallsKey) {
  ASSERT_EQ(post_json(small, {{"Idempotency-Key", "run-1/0"}}).status, 202);
  const auto batch = post("/v1/messages/batch", R"([{"from":"alice@example.com","to":["carol@example.net"]}])",
                          {{"Idempotency-Key", "run-1"}});
  EXPECT_EQ(batch.json()->getArray("results")->getObject(0)->getValue<int>("status"), 202) << batch.body;
}

TEST_F(SubmitRoutesTest, ABatchHasAsManyPairsGeneratedAsOneMessage) {
  std::string many;
  for (int i = 0; i < 10; ++i) {
    many += std::string(i == 0 ? "" : ",") + R"({"from":"alice@example.com","to":["new)" + std::to_string(i) +
            R"(@example.net"]})";
  }
  const auto results = post("/v1/messages/batch", "[" + many + "]").json()->getArray("results");
  EXPECT_EQ(results->getObject(7)->getValue<int>("status"), 202);
  EXPECT_EQ(results->getObject(8)->getValue<int>("status"), 429) << "the pool is empty";
}

TEST_F(SubmitRoutesTest, ABatchOfAHundredAndNotMore) {
  std::string many = small;
  for (int i = 1; i < 100; ++i) many += "," + small;
  const auto answer = post("/v1/messages/batch", "[" + many + "]");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.json()->getArray("results")->size(), 100U);
  EXPECT_EQ(deliveries(), 100U);
  EXPECT_EQ(post("/v1/messages/batch", "[" + many + "," + small + "]").status, 422);
  EXPECT_EQ(post("/v1/messages/batch", "[]").status, 422);
  EXPECT_EQ(post("/v1/messages/batch", small).status, 422);
  EXPECT_EQ(deliveries(), 100U);
}

TEST_F(SubmitRoutesTest, AForeignSenderIsRefused) {
  const auto foreign = post_json(R"({"from":"ceo@other.example","to":["bob@example.net"]})");
  EXPECT_EQ(foreign.status, 403) << foreign.body;
  EXPECT_EQ(post_mail("From: alice@example.com\r\nTo: bob@example.net\r\n\r\n", "?from=ceo@other.example").status, 403);
  EXPECT_EQ(post_mail("From: ceo@other.example\r\nTo: bob@example.net\r\n\r\n", "?from=alice@example.com").status, 403);
  EXPECT_EQ(messages_in_redis(), 0U);
  EXPECT_EQ(queued, 0);
}

TEST_F(SubmitRoutesTest, WhatARecipientIsRefusedForIsToldOfThatOne) {
  bounce("carol@example.net", 3);
  const auto answer = post_json(R"({"from":"alice@example.com","to":["bob@example.net"],"cc":["carol@example.net"]})");
  EXPECT_EQ(answer.status, 422) << answer.body;
  EXPECT_EQ(answer.json()->getArray("errors")->getObject(0)->getValue<std::string>("pointer"), "/cc/0");
  EXPECT_EQ(messages_in_redis(), 0U);
  EXPECT_FALSE(directory.find(address("bob@example.net")).value());
}

TEST_F(SubmitRoutesTest, TooManyNewRecipientsAreToldToComeLater) {
  ASSERT_TRUE(take_addresses(20, "application"));
  const auto answer = post_json(small);
  EXPECT_EQ(answer.status, 429) << answer.body;
  EXPECT_EQ(answer.field("Retry-After"), "60");
  EXPECT_EQ(messages_in_redis(), 0U);
}

TEST_F(SubmitRoutesTest, AStoreThatIsFullOrAwayIsTold) {
  full = true;
  EXPECT_EQ(post_json(small).status, 503);
  full = false;
  parts.server.kill();
  const auto away = post_json(small);
  EXPECT_EQ(away.status, 503) << away.body;
  EXPECT_EQ(away.field("Retry-After"), "10");
  parts.server.start();
  EXPECT_EQ(messages_in_redis(), 0U);
  EXPECT_EQ(post_json(small).status, 202) << "recovery without a restart";
}

TEST_F(SubmitRoutesTest, SizeIsThatOfTheMessage) {
  const std::string text(100'000, 'x');
  EXPECT_EQ(post_json(R"({"from":"alice@example.com","to":["bob@example.net"],"text":")" + text + "\"}").status, 413);
  EXPECT_EQ(post_mail(plain + text, "?to=bob@example.net").status, 413);
  EXPECT_EQ(post_mail(std::string(500'000, 'x')).status, 413) << "told while it is read";
  EXPECT_EQ(messages_in_redis(), 0U);
}

TEST_F(SubmitRoutesTest, MemoryIsReservedForAllThatHandlingTakes) {
  MemoryBudget little{1000};
  http::ServerContext short_of_memory{router, tokens, little, parts.log, {}};
  Fields fields = submit_scope;
  fields["Content-Type"] = "application/json";
  EXPECT_EQ(http::ask(short_of_memory, "POST", "/v1/messages", std::string(200, ' '), fields).status, 503);
  EXPECT_EQ(http::ask(short_of_memory, "POST", "/v1/messages", std::string(100, ' '), fields).status, 400);
}

/// Requests that are refused before, or for, what they hold.
struct Bad {
  const char* name;
  int status;
  std::string target;
  std::string type;
  std::string body;
  Fields fields = {};
};
void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }
class BadSubmission : public SubmitRoutesTest, public testing::WithParamInterface<Bad> {};
TEST_P(BadSubmission, IsAProblemAndNothingIsQueued) {
  const Bad& bad = GetParam();
  const auto answer = post(bad.target, bad.body, bad.fields, bad.type);
  EXPECT_EQ(answer.status, bad.status) << answer.body;
  EXPECT_EQ(answer.field("Content-Type"), "application/problem+json");
  EXPECT_EQ(answer.json()->getValue<int>("status"), bad.status);
  for (const char* member : {"type", "title", "detail"}) EXPECT_NE(answer.member(member), "") << member;
  EXPECT_EQ(messages_in_redis(), 0U);
  EXPECT_EQ(queued, 0);
}
const std::string mail = "From: alice@example.com\r\nTo: bob@example.net\r\n\r\ntext\r\n";
INSTANTIATE_TEST_SUITE_P(
    All, BadSubmission,
    testing::Values(
        Bad{"NoType", 415, "/v1/messages", "", small}, Bad{"Form", 415, "/v1/messages", "text/plain", small},
        Bad{"BatchOfMail", 415, "/v1/messages/batch", "message/rfc822", mail},
        Bad{"NotJson", 400, "/v1/messages", "application/json", "hello"},
        Bad{"BatchNotJson", 400, "/v1/messages/batch", "application/json", "["},
        Bad{"Empty", 400, "/v1/messages", "application/json", ""},
        Bad{"AnArray", 422, "/v1/messages", "application/json", "[" + small + "]"},
        Bad{"UnknownParameterOfJson", 422, "/v1/messages?to=bob@example.net", "application/json", small},
        Bad{"UnknownParameterOfABatch", 422, "/v1/messages/batch?to=bob@example.net", "application/json",
            "[" + small + "]"},
        Bad{"UnknownParameter", 422, "/v1/messages?cc=bob@example.net", "message/rfc822", mail},
        Bad{"TwoSenders", 422, "/v1/messages?from=a@example.com&from=b@example.com", "message/rfc822", mail},
        Bad{"SenderIsNone", 422, "/v1/messages?from=alice", "message/rfc822", mail},
        Bad{"RecipientIsNone", 422, "/v1/messages?to=bob", "message/rfc822", mail},
        Bad{"LineEndInAParameter", 422, "/v1/messages?to=bob@example.net%0D%0AX:", "message/rfc822", mail},
        Bad{"NoRecipient", 422, "/v1/messages", "message/rfc822", "From: alice@example.com\r\n\r\ntext\r\n"},
        Bad{"TooManyRecipients", 422, "/v1/messages?to=a@x.example&to=b@x.example&to=c@x.example&to=d@x.example",
            "message/rfc822", mail},
        Bad{"TooManyInJson", 422, "/v1/messages", "application/json",
            R"({"from":"alice@example.com","to":["a@x.example","b@x.example"],"bcc":["c@x.example","d@x.example"]})"},
        Bad{"BrokenTo", 422, "/v1/messages", "message/rfc822", "From: alice@example.com\r\nTo: <<\r\n\r\ntext\r\n"},
        Bad{"NoFrom", 422, "/v1/messages", "message/rfc822", "To: bob@example.net\r\n\r\ntext\r\n"},
        Bad{"BareLineFeed", 422, "/v1/messages", "message/rfc822", mail + "a\nb\r\n"},
        Bad{"BareReturn", 422, "/v1/messages", "message/rfc822", mail + "a\rb\r\n"},
        Bad{"ReturnAtTheEnd", 422, "/v1/messages", "message/rfc822", mail + "a\r"},
        Bad{"Nul", 422, "/v1/messages", "message/rfc822", mail + std::string("a\0b\r\n", 5)},
        Bad{"NoEmptyLine", 422, "/v1/messages", "message/rfc822", "From: alice@example.com\r\nTo: bob@example.net\r\n"},
        Bad{"NeitherFieldNorFold", 422, "/v1/messages", "message/rfc822", "From: alice@example.com\r\nx\r\n\r\n"},
        Bad{"InACircle", 422, "/v1/messages", "message/rfc822",
            [] {
              std::string fields;
              for (int i = 0; i < 51; ++i) fields += "Received: from a by b; Thu, 26 Nov 2026 01:00:00 +0000\r\n";
              return fields + mail;
            }()},
        Bad{"KeyOfTwoWords", 400, "/v1/messages", "application/json", small, {{"Idempotency-Key", "a b"}}},
        Bad{"KeyTooLong", 400, "/v1/messages", "application/json", small, {{"Idempotency-Key", std::string(256, 'k')}}},
        Bad{"EmptyKey", 400, "/v1/messages", "application/json", small, {{"Idempotency-Key", ""}}}),
    [](const auto& info) { return info.param.name; });

/// No route without its scope.
class ScopeOfSubmission : public SubmitRoutesTest, public testing::WithParamInterface<const char*> {};
TEST_P(ScopeOfSubmission, IsSubmit) {
  const auto with = [&](const std::string& token, const std::string& peer = "127.0.0.1") {
    Fields fields = {{"Content-Type", "application/json"}};
    if (!token.empty()) fields["Authorization"] = "Bearer " + token;
    return http::ask(context, "POST", GetParam(), small, fields, peer).status;
  };
  EXPECT_EQ(with(""), 401);
  EXPECT_EQ(with("wrong"), 401);
  EXPECT_EQ(with("keys"), 403);
  EXPECT_EQ(with("operator"), 403);
  EXPECT_EQ(with("away"), 503);
  EXPECT_EQ(with("throttled"), 429);
  EXPECT_EQ(with("submit", "198.51.100.7"), 403) << "no credential over plain HTTP";
  EXPECT_EQ(http::ask(context, "PUT", GetParam(), small, submit_scope).status, 405);
  EXPECT_EQ(messages_in_redis(), 0U);
}
INSTANTIATE_TEST_SUITE_P(All, ScopeOfSubmission, testing::Values("/v1/messages", "/v1/messages/batch"),
                         [](const auto& info) { return info.index == 0 ? "One" : "Batch"; });

}  // namespace
}  // namespace sealpost::test
