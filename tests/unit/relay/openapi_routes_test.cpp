// SPDX-License-Identifier: Apache-2.0
// The document of the API against the tables of routes, and its page: nothing of it runs, and nothing asks another
// host. What the routes really answer is the end-to-end test's matter.
#include "relay/openapi/openapi_routes.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gmock/gmock.h>

#include <array>
#include <cstddef>
#include <regex>
#include <set>

#include "base/encoding.h"
#include "base/openssl.h"
#include "crypto/key_routes.h"
#include "notify/pickup_routes.h"
#include "queue/pulse_routes.h"
#include "queue/queue_routes.h"
#include "queue/suppression_routes.h"
#include "relay/health_routes.h"
#include "relay/metrics_routes.h"
#include "relay/openapi/openapi_json.h"
#include "relay/openapi/openapi_page.h"
#include "relay/submit/status_routes.h"
#include "relay/submit/submit_routes.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {
namespace {

using namespace openapi;
using testing::HasSubstr;
using testing::Not;

constexpr const char* url = "https://relay.example.org/mail";
constexpr std::array<const char*, 5> methods = {"get", "put", "post", "delete", "patch"};

/// Parts that no test calls: a table of routes keeps their address only.
template <class Part>
Part& unused() {
  alignas(Part) static std::array<std::byte, sizeof(Part)> storage{};
  return reinterpret_cast<Part&>(storage);
}

/// Those of OperatorSide but the dashboard, which is no API: pages with a session of their own, for people alone.
std::vector<http::Route> operator_routes() {
  auto all = queue_routes(unused<QueueRoutesContext>());
  for (auto& route : pulse_routes(unused<Pulse>(), unused<Authenticator>())) all.push_back(std::move(route));
  return all;
}

/// Every table that the daemon adds, by its name there.
std::map<std::string, std::vector<http::Route>> tables() {
  return {
      {"recipient_side_", recipient_routes(unused<PickupRoutesContext>())},
      {"key_routes", key_routes(unused<KeyRoutesContext>())},
      {"submit::submit_routes", submit::submit_routes(unused<submit::SubmitRoutesContext>())},
      {"submit::status_routes", submit::status_routes(unused<submit::StatusRoutesContext>())},
      {"operator_side_", operator_routes()},
      {"suppression_routes", suppression_routes(unused<Suppressions>(), unused<AuditTrail>(), unused<const Clock>())},
      {"health_routes", health_routes(unused<redis::Client>(), unused<StoreWatermark>(), unused<const Clock>(), {})},
      {"metrics_routes", metrics_routes(unused<MetricsRoutesContext>())},
      {"openapi_routes", openapi_routes(url)}};
}

http::Router router() {
  http::Router all;
  for (auto& [name, routes] : tables()) all.add(std::move(routes));
  return all;
}

Object document() { return object_of(Poco::JSON::Parser().parse(openapi_document(url))); }

std::map<std::string, Object> documented() {
  std::map<std::string, Object> calls;
  const Object paths = object_at(document(), "paths");
  for (const auto& path : paths->getNames()) {
    for (const char* method : methods) {
      const Object item = object_at(paths, path);
      if (item->has(method)) calls[ascii_upper(method) + " " + path] = object_at(item, method);
    }
  }
  return calls;
}

/// The scopes of which a Bearer token wants one.
std::set<std::string> scopes(const Object& operation) {
  std::set<std::string> names;
  const Array wanted = array_at(operation, "security");
  for (unsigned i = 0; i < wanted->size(); ++i) {
    const Array scopes = array_at(object_of(wanted->get(i)), "bearer");
    for (unsigned k = 0; k < scopes->size(); ++k) names.insert(scopes->getElement<std::string>(k));
  }
  return names;
}

std::set<std::string> scopes(http::Access access) {
  switch (access) {
    case http::Access::Submit:
      return {"submit"};
    case http::Access::Keys:
      return {"keys"};
    case http::Access::Operator:
    case http::Access::OperatorOrLoopback:
      return {"operator"};
    case http::Access::SubmitOrOperator:
      return {"submit", "operator"};
    case http::Access::Public:
    case http::Access::PublicSecure:
      break;
  }
  return {};
}

http::Response answer(const std::string& path) {
  const auto all = router();
  const auto match = all.match("GET", path);
  return match.route->handle({});
}

std::string field(const http::Response& response, const std::string& name) {
  for (const auto& [key, value] : response.fields) {
    if (key == name) return value;
  }
  return {};
}

TEST(OpenApiRoutes, DocumentAndRoutesNameTheSameCalls) {
  std::set<std::string> routed;
  const auto all = router();
  for (const auto& route : all.routes()) routed.insert(route.method + " " + route.pattern);
  std::set<std::string> told;
  for (const auto& [call, operation] : documented()) told.insert(call);
  EXPECT_EQ(routed, told);
}

/// A table that the daemon adds and this test does not know would go unseen.
TEST(OpenApiRoutes, TheseAreTheTablesOfTheDaemon) {
  const std::string source = read_file(SOURCE_DIR "/relay/daemon.cpp");
  const std::regex adds(R"(router_\.add\(([A-Za-z_:]*))");
  std::set<std::string> added;
  for (std::sregex_iterator at(source.begin(), source.end(), adds), end; at != end; ++at) added.insert((*at)[1]);
  std::set<std::string> known;
  for (const auto& [name, routes] : tables()) known.insert(name);
  EXPECT_EQ(added, known);
}

TEST(OpenApiRoutes, TheDocumentNamesTheScopes) {
  const auto calls = documented();
  const auto all = router();
  for (const auto& route : all.routes()) {
    const auto call = calls.find(route.method + " " + route.pattern);
    if (call == calls.end()) continue;
    EXPECT_EQ(scopes(call->second), scopes(route.access)) << call->first;
  }
}

TEST(OpenApiRoutes, TheDocumentIsThatOfThisRelay) {
  const auto shown = answer("/v1/openapi.json");
  EXPECT_EQ(field(shown, "Content-Type"), "application/json");
  const std::string text(view(shown.body));
  EXPECT_THAT(text, Not(HasSubstr("{{")));
  const Object root = object_of(Poco::JSON::Parser().parse(text));
  EXPECT_TRUE(text_at(root, "openapi").starts_with("3.1."));
  EXPECT_TRUE(std::regex_match(text_at(object_at(root, "info"), "version"), std::regex(R"(\d+\.\d+\.\d+)")));
  EXPECT_EQ(text_at(object_of(array_at(root, "servers")->get(0)), "url"), url);
}

TEST(OpenApiPage, ShowsEveryCallUnderItsName) {
  const auto shown = answer("/docs");
  ASSERT_EQ(shown.status, 200);
  const std::string page(view(shown.body));
  for (const auto& [call, operation] : documented()) {
    EXPECT_THAT(page, HasSubstr("<h3 id=\"" + text_at(operation, "operationId") + "\">")) << call;
  }
  const Object schemas = object_at(object_at(document(), "components"), "schemas");
  for (const auto& name : schemas->getNames()) EXPECT_THAT(page, HasSubstr("id=\"schema-" + name + "\""));
  for (const char* landmark : {"<main", "<nav", "<header", "<h1>", "lang=\"en\""}) {
    EXPECT_THAT(page, HasSubstr(landmark));
  }
}

TEST(OpenApiPage, RunsNothingAndAsksNobody) {
  const auto shown = answer("/docs");
  const std::string page(view(shown.body));
  for (const char* word : {"<script", "<link", "<img", "<iframe", "<form", "@import", "url("}) {
    EXPECT_THAT(page, Not(HasSubstr(word)));
  }
  EXPECT_FALSE(std::regex_search(page, std::regex(R"(<[^>]*\s(href="[a-z]+:|href="//|src=|style=|on[a-z]+=))")));
}

TEST(OpenApiPage, ThePolicyLetsInItsOwnStyleOnly) {
  const auto shown = answer("/docs");
  const std::string page(view(shown.body));
  const auto begin = page.find("<style>") + 7;
  const std::string style = page.substr(begin, page.find("</style>") - begin);
  std::string digest(32, '\0');
  EVP_Digest(style.data(), style.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha256(),
             nullptr);
  EXPECT_EQ(field(shown, "Content-Security-Policy"),
            "default-src 'none'; style-src 'sha256-" + to_base64(digest) +
                "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
}

/// Every text and name of a document is somebody's who would like to run a script.
TEST(OpenApiPage, EscapesWhateverTheDocumentSays) {
  const std::string bad = R"(\"><script>x</script>'&`)";
  std::string text = R"({"info":{"title":"@","version":"@","description":"@\n\n@"},"servers":[{"url":"@"}],
    "tags":[{"name":"@","description":"@"}],
    "paths":{"/@":{"get":{"operationId":"@","tags":["@"],"summary":"@","description":"@","security":[{"@":["@"]}],
      "parameters":[{"name":"@","in":"@","description":"@","schema":{"type":"@","format":"@","pattern":"@","default":"@"}}],
      "requestBody":{"description":"@","content":{"@":{"schema":{"$ref":"#/components/schemas/@"},"example":"@"}}},
      "responses":{"@":{"description":"@","headers":{"@":{"description":"@"}},
        "content":{"@":{"schema":{"enum":["@"]},"example":{"@":"@"}}}}}}}},
    "components":{"securitySchemes":{"@":{"scheme":"@","description":"@"},"@2":{"name":"@","description":"@"}},
      "responses":{"@":{"x-every-call":"@","description":"@"}},
      "schemas":{"@":{"description":"@","properties":{"@":{"const":"@","description":"@"}},"required":["@"]},
        "@2":{"oneOf":[{"$ref":"@"},{"type":["@","null"],"minimum":"@"}]}}}})";
  for (auto at = text.find('@'); at != std::string::npos; at = text.find('@', at + bad.size()))
    text.replace(at, 1, bad);
  const auto page = render_openapi(text);
  ASSERT_TRUE(page) << page.error().internal_detail;
  EXPECT_THAT(page->html, Not(HasSubstr("<script")));
  EXPECT_THAT(page->html, Not(HasSubstr("</script")));
  EXPECT_THAT(page->html, HasSubstr("&quot;&gt;&lt;script&gt;x"));
}

TEST(OpenApiPage, IsNoneOfWhatIsNoDocument) {
  for (const char* text : {"", "{", "7"}) EXPECT_FALSE(render_openapi(text)) << text;
}

}  // namespace
}  // namespace sealpost::test
