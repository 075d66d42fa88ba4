// SPDX-License-Identifier: Apache-2.0
// Connections over time: kept ones, pipelining, Expect, deadlines, bodies that fall short; and what every answer
// carries.
#include "base/net/server_loop.h"
#include "tests/unit/base/http_fixture.h"

namespace sealpost::http {
namespace {

using std::chrono::milliseconds;
using test::RawClient;

const std::string hello = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
std::string post(std::size_t announced, const std::string& more = {}) {
  return "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(announced) + "\r\n" + more + "\r\n";
}

TEST_F(HttpTest, AConnectionIsKept) {
  RawClient client(serve());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send(hello));
    EXPECT_EQ(status_of(read_response(client)), 200);
  }
  ASSERT_TRUE(client.send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  EXPECT_NE(client.read_to_end().find("Connection: close"), std::string::npos);
}

TEST_F(HttpTest, RequestsThatComeTogetherAreAnsweredInOrder) {
  RawClient client(serve());
  ASSERT_TRUE(client.send(post(3) + "one" + hello + "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" + post(3) + "two"));
  EXPECT_TRUE(read_response(client).ends_with("\r\n\r\none"));
  EXPECT_TRUE(read_response(client).ends_with("<p>hi</p>"));
  EXPECT_EQ(status_of(read_response(client)), 404);
  EXPECT_TRUE(read_response(client).ends_with("\r\n\r\ntwo"));
}

TEST_F(HttpTest, VeryManyRequestsInOnePacket) {
  RawClient client(serve());
  std::string many;
  constexpr int count = 3000;
  for (int i = 0; i < count; ++i) many += "GET /x HTTP/1.1\r\nHost:\r\n\r\n";
  ASSERT_TRUE(client.send(many));
  for (int i = 0; i < count; ++i) ASSERT_EQ(status_of(read_response(client)), 404) << i;
}

TEST_F(HttpTest, ARequestMayComeOctetByOctet) {
  Direct direct(context_, from("127.0.0.1"));
  std::string said;
  for (const char octet : post(5) + "12345" + hello) said += direct.say({&octet, 1});
  EXPECT_NE(said.find("\r\n\r\n12345HTTP/1.1 200 OK"), std::string::npos) << said;
  EXPECT_TRUE(said.ends_with("<p>hi</p>"));
}

TEST_F(HttpTest, FewerOctetsThanAnnouncedReachNoHandler) {
  const auto port = serve();
  {
    RawClient client(port);
    ASSERT_TRUE(client.send(post(10) + "12345"));
    client.half_close();
    EXPECT_EQ(status_of(client.read_to_end()), 0);
  }
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpTest, ExpectContinueIsAnsweredBeforeTheBody) {
  RawClient client(serve());
  ASSERT_TRUE(client.send(post(5, "Expect: 100-continue\r\n")));
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(client.send("12345"));
  EXPECT_TRUE(read_response(client).ends_with("\r\n\r\n12345"));
}

TEST_F(HttpTest, ExpectContinueWithTheBodyBehindItNeedsNoInterimAnswer) {
  RawClient client(serve());
  ASSERT_TRUE(client.send(post(5, "Expect: 100-continue\r\n") + "12345"));
  EXPECT_EQ(status_of(read_response(client)), 200);
}

TEST_F(HttpTest, ExpectContinueForTooMuchIsRefusedInstead) {
  RawClient client(serve());
  ASSERT_TRUE(client.send(post(100000, "Expect: 100-continue\r\n")));
  EXPECT_EQ(status_of(client.read_to_end()), 413);
}

TEST_F(HttpTest, ALargeBodyStillUnderWayDoesNotCostTheRefusal) {
  RawClient client(serve());
  ASSERT_TRUE(client.send(post(4UL << 20U) + std::string(4UL << 20U, 'b')));
  EXPECT_EQ(status_of(client.read_to_end()), 413);
}

struct Late {
  const char* name;
  std::string octets;
  int status;
};
class HttpDeadlineTest : public HttpTest, public testing::WithParamInterface<Late> {};

TEST_P(HttpDeadlineTest, IsAbsolute) {
  context_.options.header_deadline = milliseconds(200);
  context_.options.body_deadline = milliseconds(300);
  context_.options.idle_timeout = milliseconds(400);
  RawClient client(serve());
  ASSERT_TRUE(client.send(GetParam().octets));
  // One octet every 20 ms: a deadline that each octet renews would never come.
  int drips = 0;
  while (!client.closed_within(milliseconds(20)) && ++drips < 500) client.send(GetParam().octets.empty() ? "" : "a");
  EXPECT_LT(drips, 500);
  EXPECT_EQ(status_of(client.read_to_end()), GetParam().status);
  EXPECT_EQ(handled_, 0);
}
INSTANTIATE_TEST_SUITE_P(Cases, HttpDeadlineTest,
                         testing::Values(Late{"Header", "GET /hello HTTP/1.1\r\nAccept: ", 408},
                                         Late{"Body", post(900) + "1", 408}, Late{"SilenceEndsWithoutAWord", "", 0}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(HttpTest, HeadHasTheLengthButNoBody) {
  RawClient client(serve());
  ASSERT_TRUE(client.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n"));
  const std::string answer = client.read_until("\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 9\r\n"), std::string::npos) << answer;
  ASSERT_TRUE(client.send("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"));
  const std::string next = read_response(client);
  EXPECT_EQ(status_of(next), 404);
  EXPECT_NE(next.find("\"status\":404"), std::string::npos) << "the next request is not HEAD";
}

TEST_F(HttpTest, AWrongMethodIsToldWhichOnesThereAre) {
  RawClient client(serve());
  ASSERT_TRUE(client.send("DELETE /submit HTTP/1.1\r\nHost: x\r\n\r\n"));
  const std::string answer = read_response(client);
  EXPECT_EQ(status_of(answer), 405);
  EXPECT_NE(answer.find("\r\nAllow: GET, HEAD, POST\r\n"), std::string::npos) << answer;
}

TEST_F(HttpTest, NoContentHasNoLength) {
  Direct direct(context_, from("127.0.0.1"));
  const std::string answer = direct.say("GET /empty HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(status_of(answer), 204);
  EXPECT_EQ(answer.find("Content-Length"), std::string::npos) << answer;
}

TEST_F(HttpTest, EveryAnswerCarriesTheSecurityFields) {
  Direct direct(context_, from("127.0.0.1"));
  for (const std::string target : {"/hello", "/nothing"}) {
    const std::string answer = direct.say("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    for (const std::string field : {"\r\nContent-Security-Policy: default-src 'none'; style-src 'self'",
                                    "\r\nX-Content-Type-Options: nosniff\r\n", "\r\nReferrer-Policy: no-referrer\r\n",
                                    "\r\nCache-Control: no-store\r\n", "\r\nDate: "}) {
      EXPECT_NE(answer.find(field), std::string::npos) << answer;
    }
  }
}

TEST_F(HttpTest, AFieldWithALineEndNeverLeaves) {
  Direct direct(context_, from("127.0.0.1"));
  const std::string answer = direct.say("GET /split HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_EQ(answer.find("X-Injected"), std::string::npos);
}

TEST_F(HttpTest, AHandlerThatThrowsIsOurFaultAndIsLogged) {
  RawClient client(serve());
  ASSERT_TRUE(client.send("GET /throw HTTP/1.1\r\nHost: x\r\n\r\n" + hello));
  const std::string answer = read_response(client);
  EXPECT_EQ(status_of(answer), 500);
  EXPECT_NE(answer.find("application/problem+json"), std::string::npos);
  EXPECT_EQ(answer.find("handler"), std::string::npos) << "the detail is for the log";
  EXPECT_NE(logged().find("http.handler_failed route=/throw reason=\"internal error\" detail=handler"),
            std::string::npos)
      << logged();
  EXPECT_EQ(status_of(read_response(client)), 200);
}

TEST_F(HttpTest, TheLogHoldsThePatternAndNeverThePath) {
  Direct direct(context_, from("127.0.0.1"));
  direct.say("GET /items/verysecret HTTP/1.1\r\nHost: x\r\n\r\n");
  direct.say("GET /verysecret HTTP/1.1\r\nHost: x\r\n\r\n");
  direct.say("verysecret /verysecret\r\n\r\n");
  const std::string log = logged();
  EXPECT_NE(log.find("http.request method=GET route=/items/{id} status=200"), std::string::npos) << log;
  EXPECT_NE(log.find("http.request method=- route=- status=404"), std::string::npos) << log;
  EXPECT_NE(log.find("http.request method=- route=- status=400"), std::string::npos) << log;
  EXPECT_EQ(log.find("verysecret"), std::string::npos) << log;
}

TEST_F(HttpTest, BodiesAreHeldWithinTheBudget) {
  Direct first(context_, from("127.0.0.1"));
  Direct second(context_, from("127.0.0.1"));
  Direct third(context_, from("127.0.0.1"));
  EXPECT_EQ(first.say(post(1000)), "");
  EXPECT_EQ(second.say(post(1000)), "");
  EXPECT_EQ(budget_.used(), 2000U);
  const std::string refused = third.say(post(1));
  EXPECT_EQ(status_of(refused), 503);
  EXPECT_NE(refused.find("\r\nRetry-After: "), std::string::npos);
  EXPECT_TRUE(third.closed()) << "its body is still to come";
  EXPECT_EQ(status_of(first.say(std::string(1000, 'b'))), 200);
  EXPECT_EQ(budget_.used(), 1000U) << "given back with the answer";
}

TEST_F(HttpTest, ABodyThatIsNotAdmittedGetsNoMemory) {
  Direct stranger(context_, from("127.0.0.1"));
  const std::string refused = stranger.say("POST /visit HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\n");
  EXPECT_EQ(status_of(refused), 401);
  EXPECT_EQ(budget_.used(), 0U);
  EXPECT_TRUE(stranger.closed()) << "its body is still to come";
  EXPECT_EQ(handled_, 0);
  Direct visitor(context_, from("127.0.0.1"));
  EXPECT_EQ(visitor.say("POST /visit HTTP/1.1\r\nHost: h\r\nCookie: visit=1\r\nContent-Length: 900\r\n\r\n"), "");
  EXPECT_EQ(budget_.used(), 900U);
  EXPECT_EQ(status_of(visitor.say(std::string(900, 'b'))), 200);
  EXPECT_EQ(handled_, 1);
}

TEST_F(HttpTest, ARouteThatAdmitsTellsOfTooMuchInItsOwnWords) {
  RawClient client(serve());
  ASSERT_TRUE(client.send("POST /visit HTTP/1.1\r\nHost: h\r\nCookie: visit=1\r\nContent-Length: 4194304\r\n\r\n" +
                          std::string(4UL << 20U, 'b')));
  const std::string refused = client.read_to_end();
  EXPECT_EQ(status_of(refused), 413);
  EXPECT_TRUE(refused.ends_with("send less")) << refused;
  EXPECT_EQ(budget_.used(), 0U);
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpTest, TheBudgetIsGivenBackByAConnectionThatEnds) {
  {
    Direct direct(context_, from("127.0.0.1"));
    EXPECT_EQ(direct.say(post(900) + "begun"), "");
    EXPECT_EQ(budget_.used(), 900U);
  }
  EXPECT_EQ(budget_.used(), 0U);
}

}  // namespace
}  // namespace sealpost::http
