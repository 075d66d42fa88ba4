// SPDX-License-Identifier: Apache-2.0
// The key server's calls: look-up, assignment with its one notification, the CA, and who may do what.
#include "crypto/key_routes.h"

#include <ostream>

#include "tests/unit/notify/routes_fixture.h"

namespace sealpost::test {
namespace {

class KeyRoutesTest : public RoutesTest {
 protected:
  const Fields keys_scope = bearer("keys");
  std::size_t notifications() {
    EXPECT_TRUE(notifier->serve_outbox());
    return sent().size();
  }
};

TEST_F(KeyRoutesTest, PutAssignsOnceAndNotifiesOnce) {
  EXPECT_EQ(call("GET", "/v1/keys/bob@example.net", {}, keys_scope).status, 404);
  const auto made = call("PUT", "/v1/keys/Bob@example.net", {}, keys_scope);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(assigned, 1);
  EXPECT_EQ(made.member("address"), "bob@example.net");
  EXPECT_EQ(made.member("state"), "interim");
  EXPECT_EQ(notifications(), 1U);
  const auto again = call("PUT", "/v1/keys/bob@EXAMPLE.net", {}, keys_scope);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.member("fingerprint"), made.member("fingerprint"));
  EXPECT_EQ(assigned, 1);
  EXPECT_EQ(notifications(), 0U);
}

TEST_F(KeyRoutesTest, WhoCausesAnAssignmentIsToldTheCodeOnceWhenItIsForThem) {
  EXPECT_FALSE(call("PUT", "/v1/keys/carol@example.net", {}, keys_scope).json()->has("code"));
  std::string row;
  key_context->code_of = [&row](const std::string& row_id) {
    row = row_id;
    return std::optional(Secret::copy_of("7Q4M-0XKD-93VT"));
  };
  const auto made = call("PUT", "/v1/keys/bob@example.net", {}, keys_scope);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.member("code"), "7Q4M-0XKD-93VT");
  EXPECT_EQ(made.field("Cache-Control"), "no-store");
  const auto rows = keys->directory.claim_outbox(10).value();
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(), [&](const OutboxRow& due) { return due.row_id == row; }));
  EXPECT_FALSE(call("PUT", "/v1/keys/bob@example.net", {}, keys_scope).json()->has("code"));
  EXPECT_FALSE(call("GET", "/v1/keys/bob@example.net", {}, keys_scope).json()->has("code"));
}

TEST_F(KeyRoutesTest, GetTellsTheCertificateAndItsChain) {
  const auto key = assign("bob@example.net");
  const auto answer = call("GET", "/v1/keys/bob%40example.net", {}, keys_scope);
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("Cache-Control"), "no-store") << "interim";
  EXPECT_EQ(answer.member("fingerprint"), key.fingerprint);
  EXPECT_EQ(answer.member("expires"), to_rfc3339(*key.expires));
  const std::string chain = dir.write("chain.pem", answer.member("chain"));
  const auto verified = run({"openssl", "verify", "-CAfile", chain, "-no_check_time"}, answer.member("certificate"));
  EXPECT_EQ(verified.status, 0) << verified.err << verified.out;
  EXPECT_EQ(call("HEAD", "/v1/keys/bob@example.net", {}, keys_scope).status, 200);
}

TEST_F(KeyRoutesTest, GetGivesPemToWhoAsksForIt) {
  assign("bob@example.net");
  Fields fields = keys_scope;
  fields["Accept"] = "application/pem-certificate-chain";
  const auto answer = call("GET", "/v1/keys/bob@example.net", {}, fields);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("Content-Type"), "application/pem-certificate-chain");
  EXPECT_TRUE(answer.body.starts_with("-----BEGIN CERTIFICATE-----"));
  EXPECT_EQ(answer.field("Vary"), "Accept");
}

TEST_F(KeyRoutesTest, PermanentKeysMayBeKeptByClients) {
  settings.policy = KeyPolicy::Permanent;
  restart();
  key_context = std::make_unique<KeyRoutesContext>(
      KeyRoutesContext{keys->directory, *crl, clock, "",
                       [](const std::string&, const EmailAddress&) { return Result<bool>(true); }, [] {}});
  http::Router anew;
  anew.add(key_routes(*key_context));
  const auto match = anew.match("PUT", "/v1/keys/bob@example.net");
  http::Request request;
  request.method = "PUT";
  request.parameters = match.parameters;
  request.caller = Caller{"application", {Scope::Keys}};
  const auto response = match.route->handle(request);
  EXPECT_EQ(response.status, 201);
  EXPECT_NE(std::find(response.fields.begin(), response.fields.end(),
                      std::pair<std::string, std::string>("Cache-Control", "private, max-age=300")),
            response.fields.end());
}

TEST_F(KeyRoutesTest, DamagedRecordIsTheServersFaultAndLogged) {
  assign("bob@example.net");
  damage_record("bob@example.net");
  for (const char* method : {"GET", "PUT"}) {
    const auto answer = call(method, "/v1/keys/bob@example.net", {}, keys_scope);
    EXPECT_EQ(answer.status, 500) << answer.body;
  }
  EXPECT_NE(log_file.text().find(" http.handler_failed route=/v1/keys/{address} reason="), std::string::npos);
}

TEST_F(KeyRoutesTest, ExpiredInterimKeyIsNone) {
  assign("bob@example.net");
  clock.advance(day * 90);
  EXPECT_EQ(call("GET", "/v1/keys/bob@example.net", {}, keys_scope).status, 404);
  EXPECT_EQ(call("PUT", "/v1/keys/bob@example.net", {}, keys_scope).status, 201);
}

TEST_F(KeyRoutesTest, AccountsLimitOfNewAddressesHolds) {
  assign("known@example.net");
  may_assign = false;
  const auto answer = call("PUT", "/v1/keys/bob@example.net", {}, keys_scope);
  EXPECT_EQ(answer.status, 429);
  EXPECT_FALSE(answer.field("Retry-After").empty());
  EXPECT_EQ(call("GET", "/v1/keys/bob@example.net", {}, keys_scope).status, 404) << "nothing was assigned";
  EXPECT_EQ(call("PUT", "/v1/keys/known@example.net", {}, keys_scope).status, 200) << "a known one costs nothing";
}

struct Address {
  const char* name;
  const char* path;
  int get;
  int put;
};
void PrintTo(const Address& address, std::ostream* out) { *out << address.name; }

class KeyAddress : public KeyRoutesTest, public testing::WithParamInterface<Address> {};

TEST_P(KeyAddress, IsRefused) {
  const std::string path = std::string("/v1/keys/") + GetParam().path;
  const auto put = call("PUT", path, {}, keys_scope);
  EXPECT_EQ(put.status, GetParam().put) << put.body;
  EXPECT_EQ(call("GET", path, {}, keys_scope).status, GetParam().get);
  EXPECT_EQ(assigned, 0);
}

INSTANTIATE_TEST_SUITE_P(KeyRoutes, KeyAddress,
                         testing::Values(Address{"NoAt", "bob", 400, 400}, Address{"NoDomain", "bob@", 400, 400},
                                         Address{"Literal", "bob@%5B192.0.2.1%5D", 400, 400},
                                         Address{"Control", "b%0Aob@example.net", 400, 400},
                                         Address{"NotUtf8", "b%FFb@example.net", 400, 400},
                                         Address{"Nul", "bob%00@example.net", 400, 400},
                                         Address{"QuotedLocalPart", "%22bob%20b%22@example.net", 404, 422},
                                         Address{"Empty", "", 404, 404}),
                         [](const auto& test) { return test.param.name; });

/// The bulk call.
std::string bulk(const std::vector<std::string>& addresses, bool assign) {
  std::string list;
  for (const auto& address : addresses) list += (list.empty() ? "\"" : ",\"") + address + "\"";
  return "{\"addresses\":[" + list + "],\"assign\":" + (assign ? "true" : "false") + "}";
}

TEST_F(KeyRoutesTest, ManyAreLookedUpAtOnceEachWithAnAnswerOfItsOwn) {
  const auto key = assign("bob@example.net");
  Fields fields = keys_scope;
  fields["Accept"] = "application/pem-certificate-chain";  // for single look-ups only
  const auto answer =
      call("POST", "/v1/keys", bulk({"BOB@example.net", "carol@example.net", "nonsense"}, false), fields);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.field("Cache-Control"), "no-store");
  const auto results = answer.json()->getArray("results");
  ASSERT_EQ(results->size(), 3U);
  const auto bob = results->getObject(0);
  EXPECT_EQ(bob->getValue<int>("status"), 200);
  EXPECT_EQ(bob->getObject("key")->getValue<std::string>("fingerprint"), key.fingerprint);
  EXPECT_EQ(bob->getObject("key")->getValue<std::string>("address"), "bob@example.net");
  EXPECT_EQ(results->getObject(1)->getValue<int>("status"), 404);
  EXPECT_EQ(results->getObject(1)->getObject("problem")->getValue<int>("status"), 404);
  EXPECT_EQ(results->getObject(2)->getValue<int>("status"), 400);
  EXPECT_EQ(assigned, 0);
}

TEST_F(KeyRoutesTest, ManyAreAssignedAtOnceAndEachIsNotifiedOnce) {
  assign("bob@example.net");
  notifications();
  const auto answer = call(
      "POST", "/v1/keys",
      bulk({"bob@example.net", "carol@example.net", "dave@example.net", "Carol@example.net", "\\\"a b\\\"@example.net"},
           true),
      keys_scope);
  ASSERT_EQ(answer.status, 200) << answer.body;
  std::vector<int> statuses;
  const auto results = answer.json()->getArray("results");
  for (unsigned i = 0; i < results->size(); ++i) statuses.push_back(results->getObject(i)->getValue<int>("status"));
  EXPECT_EQ(statuses, (std::vector<int>{200, 201, 201, 200, 422}));
  EXPECT_EQ(assigned, 2);
  EXPECT_EQ(notifications(), 2U);
}

TEST_F(KeyRoutesTest, OneCallHasAsManyPairsGeneratedAsOneMessage) {
  std::vector<std::string> addresses;
  for (int i = 0; i < 10; ++i) addresses.push_back("new" + std::to_string(i) + "@example.net");
  const auto answer = call("POST", "/v1/keys", bulk(addresses, true), keys_scope);
  ASSERT_EQ(answer.status, 200) << answer.body;
  std::vector<int> statuses;
  const auto results = answer.json()->getArray("results");
  for (unsigned i = 0; i < results->size(); ++i) statuses.push_back(results->getObject(i)->getValue<int>("status"));
  EXPECT_EQ(statuses, (std::vector<int>{201, 201, 201, 201, 201, 201, 201, 201, 429, 429})) << "the pool is empty";
  EXPECT_EQ(assigned, 8);
}

TEST_F(KeyRoutesTest, ADamagedRecordStopsNoOther) {
  assign("bob@example.net");
  assign("carol@example.net");
  damage_record("bob@example.net");
  const auto results = call("POST", "/v1/keys", bulk({"bob@example.net", "carol@example.net"}, false), keys_scope)
                           .json()
                           ->getArray("results");
  EXPECT_EQ(results->getObject(0)->getValue<int>("status"), 500);
  EXPECT_EQ(results->getObject(1)->getValue<int>("status"), 200);
}

TEST_F(KeyRoutesTest, AHundredAndNotMore) {
  std::vector<std::string> addresses(100, "bob@example.net");
  EXPECT_EQ(call("POST", "/v1/keys", bulk(addresses, false), keys_scope).status, 200);
  addresses.emplace_back("bob@example.net");
  EXPECT_EQ(call("POST", "/v1/keys", bulk(addresses, false), keys_scope).status, 422);
}

/// Bodies of the bulk call that are none.
struct BadBulk {
  const char* name;
  int status;
  const char* body;
  const char* pointer;
};
void PrintTo(const BadBulk& bad, std::ostream* out) { *out << bad.name; }
class BadBulkCall : public KeyRoutesTest, public testing::WithParamInterface<BadBulk> {};
TEST_P(BadBulkCall, IsAProblem) {
  const auto answer = call("POST", "/v1/keys", GetParam().body, keys_scope);
  EXPECT_EQ(answer.status, GetParam().status) << answer.body;
  EXPECT_EQ(answer.field("Content-Type"), "application/problem+json");
  if (GetParam().status != 422) return;
  EXPECT_EQ(answer.json()->getArray("errors")->getObject(0)->getValue<std::string>("pointer"), GetParam().pointer);
}
INSTANTIATE_TEST_SUITE_P(
    KeyRoutes, BadBulkCall,
    testing::Values(BadBulk{"NotJson", 400, "hello", ""}, BadBulk{"Empty", 400, "", ""},
                    BadBulk{"Array", 422, "[]", ""}, BadBulk{"NoAddresses", 422, "{}", "/addresses"},
                    BadBulk{"EmptyList", 422, R"({"addresses":[]})", "/addresses"},
                    BadBulk{"NotAList", 422, R"({"addresses":"bob@example.net"})", "/addresses"},
                    BadBulk{"NotAString", 422, R"({"addresses":["bob@example.net",7]})", "/addresses/1"},
                    BadBulk{"NotABoolean", 422, R"({"addresses":["bob@example.net"],"assign":"yes"})", "/assign"},
                    BadBulk{"UnknownMember", 422, R"({"addresses":["bob@example.net"],"a/b":1})", "/a~1b"},
                    BadBulk{"TooDeep", 400, R"({"addresses":[[[["bob@example.net"]]]]})", ""}),
    [](const auto& test) { return test.param.name; });

TEST_F(KeyRoutesTest, CaIsPublic) {
  const auto answer = call("GET", "/v1/ca", {}, {}, "198.51.100.7");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("Content-Type"), "application/x-pem-file");
  const auto last = run({"openssl", "x509", "-noout", "-subject"}, answer.body.substr(answer.body.rfind("-----BEGIN")));
  EXPECT_EQ(last.status, 0) << last.err;
}

struct Route {
  const char* name;
  const char* method;
  const char* path;
};
void PrintTo(const Route& route, std::ostream* out) { *out << route.name; }

class ScopedRoute : public KeyRoutesTest, public testing::WithParamInterface<Route> {};

TEST_P(ScopedRoute, NeedsTheScopeKeys) {
  const auto& [name, method, path] = GetParam();
  const auto anonymous = call(method, path);
  EXPECT_EQ(anonymous.status, 401);
  EXPECT_NE(anonymous.field("WWW-Authenticate").find("Bearer"), std::string::npos);
  EXPECT_EQ(call(method, path, {}, bearer("wrong")).status, 401);
  EXPECT_EQ(call(method, path, {}, bearer("submit")).status, 403);
  EXPECT_EQ(call(method, path, {}, bearer("operator")).status, 403);
  EXPECT_EQ(call(method, path, {}, bearer("away")).status, 503);
  EXPECT_EQ(call(method, path, {}, keys_scope, "198.51.100.7").status, 403) << "no credential over plain HTTP";
  EXPECT_EQ(assigned, 0);
}

INSTANTIATE_TEST_SUITE_P(KeyRoutes, ScopedRoute,
                         testing::Values(Route{"Get", "GET", "/v1/keys/bob@example.net"},
                                         Route{"Head", "HEAD", "/v1/keys/bob@example.net"},
                                         Route{"Put", "PUT", "/v1/keys/bob@example.net"},
                                         Route{"Bulk", "POST", "/v1/keys"}),
                         [](const auto& test) { return test.param.name; });

TEST_F(KeyRoutesTest, WrongMethodsAreNotAllowed) {
  EXPECT_EQ(call("POST", "/v1/keys/bob@example.net", "{}", keys_scope).field("Allow"), "GET, HEAD, PUT");
  EXPECT_EQ(call("DELETE", "/v1/keys/bob@example.net", {}, keys_scope).status, 405);
  EXPECT_EQ(call("PUT", "/v1/ca").status, 405);
  EXPECT_EQ(call("PUT", "/v1/keys/bob@example.net", std::string(1025, ' '), keys_scope).status, 413);
}

}  // namespace
}  // namespace sealpost::test
