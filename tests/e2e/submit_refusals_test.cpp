// SPDX-License-Identifier: Apache-2.0
// What a running relay does not take by HTTP, octet by octet: each is told as problem+json where anything can be told,
// and nothing is queued.
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "base/encoding.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/support/raw_client.h"

namespace sealpost::test {
namespace {

const std::string small = R"({"from":"alice@example.com","to":["bob@example.net"],"text":"x"})";

/// One relay for all cases.
class SubmitRefusals : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    relay = new RelayFixture(RelayFixture::Settings{{"crypto.key_type", "p256"}, {"smtp.max_message_size", "100k"}});
    const auto made = relay->ctl({"token", "create", RelayFixture::account, "--json"});
    token = Poco::JSON::Parser().parse(made.out).extract<Poco::JSON::Object::Ptr>()->getValue<std::string>("token");
  }
  static void TearDownTestSuite() {
    delete relay;
    relay = nullptr;
  }

  static std::string head(const std::string& fields, const std::string& type = "application/json") {
    return "POST /v1/messages HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer " + token + "\r\nContent-Type: " + type +
           "\r\n" + fields + "\r\n";
  }
  static std::string length(std::size_t octets) { return "Content-Length: " + std::to_string(octets) + "\r\n"; }
  /// All that the relay says to these octets, which are all that it gets.
  static std::string say(const std::string& octets) {
    RawClient client(static_cast<std::uint16_t>(relay->port("http")));
    client.send(octets);
    client.half_close();
    return client.read_to_end();
  }
  static void expect_nothing_queued() { EXPECT_EQ(relay->deliveries("bob@example.net"), 0U); }

  static RelayFixture* relay;
  static std::string token;
};
RelayFixture* SubmitRefusals::relay = nullptr;
std::string SubmitRefusals::token;

TEST_F(SubmitRefusals, ATruncatedBodyIsNone) {
  say(head(length(small.size() + 1)) + small);
  say(head(length(small.size())) + small.substr(0, small.size() - 1));
  say(head(length(200'000'000)) + small);
  expect_nothing_queued();
}

struct SubmitRefusalsCase {
  const char* name;
  int status;
  std::string fields;
  std::string body;
};
void PrintTo(const SubmitRefusalsCase& c, std::ostream* out) { *out << c.name; }
class SubmitRefusal : public SubmitRefusals, public testing::WithParamInterface<SubmitRefusalsCase> {};
TEST_P(SubmitRefusal, IsAProblem) {
  const std::string answer = say(head(GetParam().fields) + GetParam().body);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::to_string(GetParam().status) + " ")) << answer;
  EXPECT_THAT(answer, testing::HasSubstr("\r\nContent-Type: application/problem+json\r\n"));
  const auto problem = Poco::JSON::Parser().parse(body_of(answer)).extract<Poco::JSON::Object::Ptr>();
  EXPECT_EQ(problem->getValue<int>("status"), GetParam().status);
  for (const char* member : {"type", "title", "detail"}) EXPECT_TRUE(problem->has(member)) << member;
  expect_nothing_queued();
}
INSTANTIATE_TEST_SUITE_P(
    All, SubmitRefusal,
    testing::Values(
        SubmitRefusalsCase{"Chunked", 411, "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"},
        SubmitRefusalsCase{"ChunkedWithBadFraming", 411, "Transfer-Encoding: chunked\r\n", "zz\r\nhello"},
        SubmitRefusalsCase{"ChunkedAndALength", 411,
                           "Transfer-Encoding: chunked\r\n" + std::string("Content-Length: 5\r\n"), "hello"},
        SubmitRefusalsCase{"TwoLengths", 400, "Content-Length: 5\r\nContent-Length: 6\r\n", small},
        SubmitRefusalsCase{"NegativeLength", 400, "Content-Length: -5\r\n", small},
        SubmitRefusalsCase{"LengthInHex", 400, "Content-Length: 0x10\r\n", small},
        SubmitRefusalsCase{"ControlCharacterInAField", 400, "Idempotency-Key: a\x01\r\nContent-Length: 5\r\n", "hello"},
        SubmitRefusalsCase{"BareLineFeedInTheHead", 400, "X: y\nContent-Length: 5\r\n", "hello"},
        SubmitRefusalsCase{"Oversized", 413, "Content-Length: 100000000\r\n", ""},
        SubmitRefusalsCase{"KeyOfTwoWords", 400, "Idempotency-Key: a b\r\nContent-Length: 5\r\n", "hello"},
        SubmitRefusalsCase{"NotJson", 400, "Content-Length: 5\r\n", "hello"},
        SubmitRefusalsCase{"TooDeep", 400, "Content-Length: 4000\r\n", std::string(4000, '[')},
        SubmitRefusalsCase{"NotUtf8", 400, "Content-Length: 3\r\n", "\"\xff\""}),
    [](const auto& info) { return info.param.name; });

TEST_F(SubmitRefusals, AnotherAccountsMessageDoesNotExist) {
  ASSERT_EQ(relay->ctl({"account", "add", "other", "--send-as", "@other.example", "--password-stdin"}, "pw\n").status,
            0);
  const auto answer =
      relay->http("POST", "/v1/messages", R"({"from":"x@other.example","to":["carol@example.net"]})",
                  {{"Authorization", "Basic " + to_base64("other:pw")}, {"Content-Type", "application/json"}});
  ASSERT_EQ(answer.status, 202) << answer.body;
  const std::string path = answer.fields.at("location");
  const auto get = [&](const std::string& authorization) {
    return relay->http("GET", path, {}, {{"Authorization", authorization}}).status;
  };
  EXPECT_EQ(get("Basic " + to_base64("other:pw")), 200);
  EXPECT_EQ(get("Bearer " + token), 404);
  EXPECT_EQ(relay->http("GET", "/v1/messages", {}, {{"Authorization", "Bearer " + token}}).body,
            R"({"messages":[],"cursor":null})");
}

/// Last: logins are held back after wrong ones.
TEST_F(SubmitRefusals, CredentialsThatAreNoneOrNoLonger) {
  const auto post = [&](const std::string& authorization) {
    return relay
        ->http("POST", "/v1/messages", small, {{"Authorization", authorization}, {"Content-Type", "application/json"}})
        .status;
  };
  EXPECT_EQ(post("Bearer wrong"), 401);
  EXPECT_EQ(post("Basic " + to_base64("nobody:x")), 401);
  const auto made = relay->ctl({"token", "create", RelayFixture::account, "--scope", "keys", "--json"});
  const auto keys = Poco::JSON::Parser().parse(made.out).extract<Poco::JSON::Object::Ptr>();
  const std::string bearer = "Bearer " + keys->getValue<std::string>("token");
  EXPECT_EQ(post(bearer), 403) << "another scope";
  ASSERT_EQ(relay->ctl({"token", "revoke", keys->getValue<std::string>("id")}).status, 0);
  EXPECT_EQ(post(bearer), 401) << "revoked";
  expect_nothing_queued();
}

}  // namespace
}  // namespace sealpost::test
