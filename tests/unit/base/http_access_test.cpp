// SPDX-License-Identifier: Apache-2.0
// Who may call what, from where, and whose word about that is believed.
#include "tests/unit/base/http_fixture.h"

namespace sealpost::http {
namespace {

constexpr const char* afar = "192.0.2.7";
constexpr const char* proxy = "10.0.0.1";

std::string get_of(const std::string& target, const std::string& fields = {}) {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
}
std::string bearer(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }

struct AccessCase {
  const char* name;
  const char* target;
  const char* peer;
  std::string fields;
  int status;
};
class HttpAccessTest : public HttpTest, public testing::WithParamInterface<AccessCase> {
 protected:
  HttpAccessTest() { context_.options.trusted_proxies = {proxy, "::1"}; }
};

TEST_P(HttpAccessTest, IsCheckedBeforeTheHandler) {
  Direct direct(context_, from(GetParam().peer));
  const std::string answer = direct.say(get_of(GetParam().target, GetParam().fields));
  EXPECT_EQ(status_of(answer), GetParam().status) << answer;
  EXPECT_EQ(handled_, GetParam().status == 200 ? 1 : 0);
  const bool challenged = answer.find("\r\nWWW-Authenticate: Bearer, Basic realm=") != std::string::npos;
  EXPECT_EQ(challenged, GetParam().status == 401) << answer;
}

constexpr const char* here = "127.0.0.1";

TEST_F(HttpAccessTest, TooManyGuessesAreToldWhenToComeAgain) {
  Direct direct(context_, from(here));
  EXPECT_NE(direct.say(get_of("/submit", bearer("throttled"))).find("\r\nRetry-After: 7\r\n"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Scope, HttpAccessTest,
    testing::Values(
        AccessCase{"PublicFromAfar", "/public", afar, "", 200}, AccessCase{"SubmitWithout", "/submit", here, "", 401},
        AccessCase{"SubmitWithAWrongToken", "/submit", here, bearer("wrong"), 401},
        AccessCase{"SubmitWithAnotherScope", "/submit", here, bearer("keys"), 403},
        AccessCase{"Submit", "/submit", here, bearer("submit"), 200}, AccessCase{"KeysWithout", "/keys", here, "", 401},
        AccessCase{"KeysWithAnotherScope", "/keys", here, bearer("submit"), 403},
        AccessCase{"Keys", "/keys", here, bearer("keys"), 200},
        AccessCase{"OperatorWithout", "/operator", here, "", 401},
        AccessCase{"OperatorWithAnotherScope", "/operator", here, bearer("submit"), 403},
        AccessCase{"Operator", "/operator", here, bearer("operator"), 200},
        AccessCase{"MetricsFromLoopback", "/metrics", here, "", 200},
        AccessCase{"MetricsFromAfar", "/metrics", afar, "", 401},
        AccessCase{"MetricsThroughALocalProxy", "/metrics", here, "X-Forwarded-For: 192.0.2.7\r\n", 401},
        AccessCase{"MetricsThroughAProxyOfAnotherKind", "/metrics", here, "Forwarded: for=192.0.2.7\r\n", 401},
        AccessCase{"MetricsThroughATrustedProxyOnLoopback", "/metrics", "::1",
                   "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n", 401},
        AccessCase{"MetricsFromLoopbackBesideATrustedProxy", "/metrics", "::1", "", 200},
        AccessCase{"MetricsFromLoopbackThroughATrustedProxy", "/metrics", "::1",
                   "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n", 401},
        AccessCase{"MetricsWithATokenFromAfarInClear", "/metrics", afar, bearer("operator"), 403},
        AccessCase{"MetricsWithAnotherScope", "/metrics", proxy,
                   "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n" + bearer("submit"), 403},
        AccessCase{"MetricsForAnOperatorThroughAProxy", "/metrics", proxy,
                   "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n" + bearer("operator"), 200},
        AccessCase{"StoreAway", "/submit", here, bearer("away"), 503},
        AccessCase{"TooManyGuesses", "/submit", here, bearer("throttled"), 429},
        AccessCase{"AuthenticatorThrows", "/submit", here, bearer("throw"), 500}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Transport, HttpAccessTest,
    testing::Values(AccessCase{"CredentialFromAfar", "/submit", afar, bearer("submit"), 403},
                    AccessCase{"CredentialFromAfarForAPublicRoute", "/public", afar, bearer("submit"), 403},
                    AccessCase{"CodeFromAfar", "/secure", afar, "", 403},
                    AccessCase{"CodeFromLoopback", "/secure", here, "", 200},
                    AccessCase{"CodeFromAfarThatClaimsHttps", "/secure", afar, "X-Forwarded-Proto: https\r\n", 403},
                    AccessCase{"CodeThroughALocalProxyThatIsNotTrusted", "/secure", here,
                               "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n", 403},
                    AccessCase{"CredentialThroughALocalProxyThatIsNotTrusted", "/submit", here,
                               "Forwarded: for=192.0.2.7;proto=https\r\n" + bearer("submit"), 403},
                    AccessCase{"ThroughATrustedProxyOverHttps", "/secure", proxy,
                               "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n", 200},
                    AccessCase{"ThroughATrustedProxyOverHttp", "/secure", proxy,
                               "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n", 403},
                    AccessCase{"ThroughATrustedProxyThatSaysNothing", "/secure", proxy,
                               "X-Forwarded-For: 192.0.2.7\r\n", 403},
                    AccessCase{"ThroughATrustedProxyThatSaysBoth", "/secure", proxy,
                               "X-Forwarded-Proto: http\r\nX-Forwarded-Proto: https\r\n", 403},
                    AccessCase{"ThroughALocalTrustedProxyOverHttp", "/secure", "::1",
                               "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n", 403},
                    AccessCase{"LoopbackItselfWhereAProxyIsTrusted", "/secure", "::1", "", 200}),
    [](const auto& info) { return std::string(info.param.name); });

struct OriginCase {
  const char* name;
  const char* peer;
  const char* forwarded;
  const char* client;  ///< and its network
};
class HttpOriginTest : public HttpTest, public testing::WithParamInterface<OriginCase> {};

TEST_P(HttpOriginTest, IsWhatATrustedProxySaw) {
  context_.options.trusted_proxies = {proxy, "10.0.0.2"};
  Direct direct(context_, from(GetParam().peer));
  const std::string answer =
      direct.say(get_of("/who", std::string("X-Forwarded-For: ") + GetParam().forwarded + "\r\n"));
  EXPECT_EQ(answer.substr(answer.find("\r\n\r\n") + 4), GetParam().client);
}
INSTANTIATE_TEST_SUITE_P(Cases, HttpOriginTest,
                         testing::Values(OriginCase{"NotTrusted", afar, "198.51.100.1", "192.0.2.7 192.0.2.7"},
                                         OriginCase{"Trusted", proxy, "198.51.100.1", "198.51.100.1 198.51.100.1"},
                                         OriginCase{"WhatTheClientWroteItselfIsNotBelieved", proxy,
                                                    "203.0.113.9, 198.51.100.1", "198.51.100.1 198.51.100.1"},
                                         OriginCase{"TwoTrustedProxies", proxy, "203.0.113.9, 198.51.100.1, 10.0.0.2",
                                                    "198.51.100.1 198.51.100.1"},
                                         OriginCase{"Version6CountsByItsNetwork", proxy, "2001:db8:1:2:3::4",
                                                    "2001:db8:1:2:3::4 2001:db8:1:2::"},
                                         OriginCase{"NotAnAddress", proxy, "unknown", "10.0.0.1 10.0.0.1"},
                                         OriginCase{"Nothing", proxy, "", "10.0.0.1 10.0.0.1"}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(HttpTest, RefusalOfAProxyNamesTheSettingThatTrustsIt) {
  Direct direct(context_, from(here));
  EXPECT_NE(direct.say(get_of("/secure", "X-Forwarded-For: 192.0.2.7\r\n")).find("http.trusted_proxies"),
            std::string::npos);
}

TEST_F(HttpTest, AStoreThatIsAwayIsLoggedWithTheRoute) {
  Direct direct(context_, from(here));
  EXPECT_EQ(status_of(direct.say(get_of("/submit", bearer("away")))), 503);
  EXPECT_NE(logged().find(" warning http.handler_failed route=/submit reason="), std::string::npos) << logged();
}

TEST_F(HttpTest, AStrangersBodyIsRefusedBeforeItIsRead) {
  Direct direct(context_, from("127.0.0.1"));
  const std::string answer =
      direct.say("POST /submit HTTP/1.1\r\nHost: x\r\nContent-Length: 1500\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(status_of(answer), 401) << answer;
  EXPECT_TRUE(direct.closed());
  EXPECT_EQ(budget_.used(), 0U);
}

TEST_F(HttpTest, AKnownCallersBodyIsAskedForOnce) {
  Direct direct(context_, from("127.0.0.1"));
  EXPECT_EQ(direct.say("POST /submit HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n" +
                       bearer("submit") + "\r\n"),
            "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_TRUE(direct.say("body").ends_with("application"));
  EXPECT_EQ(tokens_.asked, 1);
}

TEST_F(HttpTest, WrongGuessesCountByTheClientsNetwork) {
  context_.options.trusted_proxies = {proxy};
  Direct direct(context_, from(proxy));
  direct.say(get_of("/submit", "X-Forwarded-For: 2001:db8::1\r\nX-Forwarded-Proto: https\r\n" + bearer("wrong")));
  EXPECT_EQ(tokens_.last_network, "2001:db8::");
}

}  // namespace
}  // namespace sealpost::http
