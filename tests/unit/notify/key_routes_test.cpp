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
}

TEST_F(KeyRoutesTest, PermanentKeysMayBeKeptByClients) {
  settings.policy = KeyPolicy::Permanent;
  restart();
  key_context = std::make_unique<KeyRoutesContext>(KeyRoutesContext{
      keys->directory, "", [](const std::string&, const EmailAddress&) { return Result<bool>(true); }, [] {}});
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
                                         Route{"Put", "PUT", "/v1/keys/bob@example.net"}),
                         [](const auto& test) { return test.param.name; });

TEST_F(KeyRoutesTest, WrongMethodsAreNotAllowed) {
  EXPECT_EQ(call("POST", "/v1/keys/bob@example.net", "{}", keys_scope).field("Allow"), "GET, HEAD, PUT");
  EXPECT_EQ(call("DELETE", "/v1/keys/bob@example.net", {}, keys_scope).status, 405);
  EXPECT_EQ(call("PUT", "/v1/ca").status, 405);
  EXPECT_EQ(call("PUT", "/v1/keys/bob@example.net", std::string(1025, ' '), keys_scope).status, 413);
}

}  // namespace
}  // namespace sealpost::test
