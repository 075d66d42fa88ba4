// SPDX-License-Identifier: Apache-2.0
// Router, and the helpers of Request and Response.
#include <gtest/gtest.h>

#include "base/http/router.h"

namespace sealpost::http {
namespace {

Response nothing(const Request&) { return {}; }

Router table() {
  Router router;
  router.add({{"GET", "/", Access::Public, 0, nothing},
              {"GET", "/v1/keys/{address}", Access::Keys, 0, nothing},
              {"PUT", "/v1/keys/{address}", Access::Keys, 0, nothing}});
  router.add({{"POST", "/v1/pickup/resend", Access::Public, 0, nothing},
              {"POST", "/v1/pickup/{token}/session", Access::PublicSecure, 0, nothing}});
  router.add({{"GET", "/pickup/{token}", Access::PublicSecure, 0, nothing},
              {"POST", "/pickup/resend", Access::Public, 0, nothing},
              {"GET", "/pickup/style.css", Access::Public, 0, nothing}});
  return router;
}

struct MatchCase {
  const char* name;
  const char* method;
  const char* path;
  const char* pattern;  ///< empty: no route
  const char* allowed;
};
class RouterMatch : public testing::TestWithParam<MatchCase> {};

TEST_P(RouterMatch, FindsTheRoute) {
  const Router router = table();
  const auto match = router.match(GetParam().method, GetParam().path);
  EXPECT_EQ(match.route == nullptr ? "" : match.route->pattern, GetParam().pattern);
  std::string allowed;
  for (const auto& method : match.allowed) allowed += method + " ";
  EXPECT_EQ(match.route == nullptr ? allowed : "", GetParam().allowed);
}
INSTANTIATE_TEST_SUITE_P(
    Cases, RouterMatch,
    testing::Values(MatchCase{"Root", "GET", "/", "/", ""},
                    MatchCase{"Parameter", "GET", "/v1/keys/a@example.com", "/v1/keys/{address}", ""},
                    MatchCase{"HeadIsGet", "HEAD", "/v1/keys/a", "/v1/keys/{address}", ""},
                    MatchCase{"OtherMethod", "PUT", "/v1/keys/a", "/v1/keys/{address}", ""},
                    MatchCase{"WrongMethod", "DELETE", "/v1/keys/a", "", "GET HEAD PUT "},
                    MatchCase{"HeadOfAPost", "HEAD", "/v1/pickup/resend", "", "POST "},
                    MatchCase{"MethodsAreCaseSensitive", "get", "/", "", "GET HEAD "},
                    MatchCase{"EmptyParameter", "GET", "/v1/keys/", "", ""},
                    MatchCase{"TrailingSlash", "GET", "/v1/keys/a/", "", ""},
                    MatchCase{"TooShort", "GET", "/v1/keys", "", ""}, MatchCase{"DoubleSlash", "GET", "//", "", ""},
                    MatchCase{"PathsAreCaseSensitive", "GET", "/V1/keys/a", "", ""},
                    MatchCase{"SpelledOutBehindAParameter", "GET", "/pickup/style.css", "/pickup/style.css", ""},
                    MatchCase{"SpelledOutInEscapes", "POST", "/pickup/%72esend", "/pickup/resend", ""},
                    MatchCase{"SpelledOutWithAnotherMethod", "GET", "/pickup/resend", "", "POST "},
                    MatchCase{"BesideWhatIsSpelledOut", "GET", "/pickup/resend2", "/pickup/{token}", ""},
                    MatchCase{"Between", "POST", "/v1/pickup/t/session", "/v1/pickup/{token}/session", ""}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Router, DecodesAParameterOnce) {
  const auto match = table().match("GET", "/v1/keys/a%2540b%2Fc");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.parameters.at("address"), "a%40b/c");
}

struct CookieCase {
  const char* name;
  const char* field;
  const char* value;
};
class RequestCookie : public testing::TestWithParam<CookieCase> {};

TEST_P(RequestCookie, IsFoundByItsWholeName) {
  Request request;
  request.fields["cookie"] = GetParam().field;
  EXPECT_EQ(request.cookie("session"), GetParam().value);
}
INSTANTIATE_TEST_SUITE_P(Cases, RequestCookie,
                         testing::Values(CookieCase{"Alone", "session=abc", "abc"},
                                         CookieCase{"Second", "a=b; session=abc", "abc"},
                                         CookieCase{"NoSpace", "a=b;session=abc;c=d", "abc"},
                                         CookieCase{"EqualsInTheValue", "session=ab=c", "ab=c"},
                                         CookieCase{"LongerName", "xsession=abc", ""},
                                         CookieCase{"PrefixOfAName", "session2=abc", ""},
                                         CookieCase{"NoValue", "session", ""}, CookieCase{"Empty", "", ""}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(ParseForm, DecodesNamesAndValues) {
  const auto form = parse_form("a=1&a=2&b+c=d%26e&empty=&bare&&=x");
  EXPECT_EQ(form.count("a"), 2U);
  EXPECT_EQ(form.find("b c")->second, "d&e");
  EXPECT_EQ(form.find("empty")->second, "");
  EXPECT_EQ(form.find("bare")->second, "");
}

TEST(Request, FormTakesTheFirstOfANameThatCameTwice) {
  Request request;
  append(request.body, "code=1&code=2");
  EXPECT_EQ(request.form().at("code"), "1");
}

struct ErrorCase {
  const char* name;
  Error error;
  int status;
};
class ResponseFromError : public testing::TestWithParam<ErrorCase> {};

TEST_P(ResponseFromError, ShowsThePublicTextOnly) {
  const Response response = Response::from(GetParam().error);
  EXPECT_EQ(response.status, GetParam().status);
  EXPECT_EQ(response.fields.at(0).second, "application/problem+json");
  const std::string body(view(response.body));
  EXPECT_EQ(body.find("hidden"), std::string::npos) << body;
  EXPECT_NE(body.find("\"status\":" + std::to_string(GetParam().status)), std::string::npos) << body;
  if (GetParam().status != 500) {
    EXPECT_NE(body.find("\"detail\":\"shown\""), std::string::npos) << body;
  }
}
INSTANTIATE_TEST_SUITE_P(Kinds, ResponseFromError,
                         testing::Values(ErrorCase{"Invalid", Error::invalid("shown", "hidden"), 400},
                                         ErrorCase{"NotFound", Error::not_found("shown", "hidden"), 404},
                                         ErrorCase{"Permanent", Error::permanent("shown", "hidden"), 422},
                                         ErrorCase{"Temporary", Error::temporary("shown", "hidden"), 503},
                                         ErrorCase{"Internal", Error::internal("hidden"), 500}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Response, FailureIsTheServersFaultAndKeptForItsLog) {
  const std::string altered = "the record was altered";
  EXPECT_EQ(Response::failure(Error::permanent(altered)).status, 500);
  EXPECT_EQ(Response::failure(Error::internal("x")).status, 500);
  EXPECT_EQ(Response::failure(Error::temporary("later")).status, 503);
  EXPECT_EQ(Response::failure(Error::permanent(altered)).fault->public_text, altered);
  EXPECT_EQ(Response::from(Error::internal("hidden")).fault->internal_detail, "hidden");
  EXPECT_FALSE(Response::from(Error::invalid("the caller's")).fault);
}

TEST(Response, AProblemEscapesWhatItQuotes) {
  const std::string body(view(Response::problem(400, "Bad", "a \"b\"\n\x01").body));
  EXPECT_NE(body.find(R"("detail":"a \"b\"\n\u0001")"), std::string::npos) << body;
}

}  // namespace
}  // namespace sealpost::http
