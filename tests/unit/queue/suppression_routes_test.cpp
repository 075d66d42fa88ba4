// SPDX-License-Identifier: Apache-2.0
// The operator's calls for suppressed addresses: pages, one address, clearing, and who may not.
#include "queue/suppression_routes.h"

#include <gtest/gtest.h>

#include <ostream>

#include "base/memory_budget.h"
#include "tests/support/http_direct.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost::test {
namespace {

class SuppressionRoutes : public QueueTest {
 protected:
  SuppressionRoutes() { router.add(suppression_routes(suppressions, audit, clock)); }

  http::Answer call(const std::string& method, const std::string& target, const std::string& token = "operator",
                    const std::string& peer = "127.0.0.1") {
    http::Fields fields;
    if (!token.empty()) fields["Authorization"] = "Bearer " + token;
    return http::ask(context, method, target, {}, fields, peer);
  }
  void suppress(const std::string& mailbox) {
    const DeliveryId id(MessageId::generate(clock, random), 1);
    ASSERT_TRUE(suppressions.count(address(mailbox), id, "550 5.1.1 no such user"));
  }

  Suppressions suppressions{redis, clock, {1, std::chrono::hours(24)}};
  http::Router router;
  http::KnownTokens tokens;
  MemoryBudget budget{1'000'000};
  http::ServerContext context{router, tokens, budget, log, {}};
};

TEST_F(SuppressionRoutes, ListInPages) {
  for (const char* mailbox : {"carol@example.net", "Bob@example.net", "dave@example.net"}) suppress(mailbox);
  const auto first = call("GET", "/v1/suppressions?limit=2");
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_NE(first.head.find("Cache-Control: no-store"), std::string::npos);
  EXPECT_TRUE(first.body.starts_with(
      R"({"suppressions":[{"address":"bob@example.net","bounces":1,"last_bounce":"2026-09-21T14:13:20.000Z",)"
      R"("last_response":"550 5.1.1 no such user","until":"2026-09-22T14:13:20.000Z"},)"))
      << first.body;
  EXPECT_EQ(first.json()->getArray("suppressions")->size(), 2U);
  const auto cursor = first.json()->getValue<std::string>("cursor");
  const auto second = call("GET", "/v1/suppressions?limit=2&cursor=" + cursor);
  ASSERT_EQ(second.json()->getArray("suppressions")->size(), 1U) << second.body;
  EXPECT_NE(second.body.find("dave@example.net"), std::string::npos);
  EXPECT_TRUE(second.json()->isNull("cursor"));
}

TEST_F(SuppressionRoutes, ShowOneAddress) {
  suppress("bob@example.net");
  suppress("carol@example.net");
  const auto bob = call("GET", "/v1/suppressions?recipient=BOB%40example.net");
  ASSERT_EQ(bob.status, 200) << bob.body;
  EXPECT_EQ(bob.json()->getArray("suppressions")->size(), 1U);
  EXPECT_NE(bob.body.find("bob@example.net"), std::string::npos);
  EXPECT_EQ(call("GET", "/v1/suppressions?recipient=x@example.net").json()->getArray("suppressions")->size(), 0U);
}

TEST_F(SuppressionRoutes, ClearAnAddress) {
  suppress("bob@example.net");
  const auto cleared = call("DELETE", "/v1/suppressions/Bob%40example.net");
  EXPECT_EQ(cleared.status, 200);
  EXPECT_EQ(cleared.body, R"({"address":"bob@example.net","cleared":true})");
  EXPECT_EQ(call("DELETE", "/v1/suppressions/bob@example.net").status, 404);
  EXPECT_EQ(call("GET", "/v1/suppressions").body, R"({"suppressions":[],"cursor":null})");
}

struct SuppressionRoutesBad {
  const char* name;
  const char* method;
  const char* target;
};
void PrintTo(const SuppressionRoutesBad& bad, std::ostream* out) { *out << bad.name; }
class BadRequest : public SuppressionRoutes, public testing::WithParamInterface<SuppressionRoutesBad> {};
TEST_P(BadRequest, Is400) { EXPECT_EQ(call(GetParam().method, GetParam().target).status, 400); }
INSTANTIATE_TEST_SUITE_P(SuppressionRoutes, BadRequest,
                         testing::Values(SuppressionRoutesBad{"LimitZero", "GET", "/v1/suppressions?limit=0"},
                                         SuppressionRoutesBad{"LimitTooLarge", "GET", "/v1/suppressions?limit=1001"},
                                         SuppressionRoutesBad{"LimitNoNumber", "GET", "/v1/suppressions?limit=x"},
                                         SuppressionRoutesBad{"CursorOfNobody", "GET", "/v1/suppressions?cursor=%21"},
                                         SuppressionRoutesBad{"RecipientNoAddress", "GET",
                                                              "/v1/suppressions?recipient=bob"},
                                         SuppressionRoutesBad{"ClearNoAddress", "DELETE", "/v1/suppressions/bob"}),
                         [](const auto& test) { return test.param.name; });

struct Scoped {
  const char* name;
  const char* method;
  const char* target;
};
void PrintTo(const Scoped& scoped, std::ostream* out) { *out << scoped.name; }
class ScopedRoute : public SuppressionRoutes, public testing::WithParamInterface<Scoped> {};

TEST_P(ScopedRoute, NeedsTheScopeOperator) {
  suppress("bob@example.net");
  const auto& [name, method, target] = GetParam();
  EXPECT_EQ(call(method, target, "").status, 401);
  EXPECT_EQ(call(method, target, "wrong").status, 401);
  EXPECT_EQ(call(method, target, "submit").status, 403);
  EXPECT_EQ(call(method, target, "keys").status, 403);
  EXPECT_EQ(call(method, target, "away").status, 503);
  EXPECT_EQ(call(method, target, "operator", "198.51.100.7").status, 403) << "no credential over plain HTTP";
  EXPECT_EQ(suppressions.list(10, {}).value().suppressions.size(), 1U) << "nothing was cleared";
  EXPECT_EQ(call(method, target).status, 200);
}

INSTANTIATE_TEST_SUITE_P(SuppressionRoutes, ScopedRoute,
                         testing::Values(Scoped{"List", "GET", "/v1/suppressions"},
                                         Scoped{"Head", "HEAD", "/v1/suppressions"},
                                         Scoped{"Clear", "DELETE", "/v1/suppressions/bob@example.net"}),
                         [](const auto& test) { return test.param.name; });

TEST_F(SuppressionRoutes, RedisAwayIs503) {
  server.kill();
  EXPECT_EQ(call("GET", "/v1/suppressions").status, 503);
  EXPECT_EQ(call("DELETE", "/v1/suppressions/bob@example.net").status, 503);
}

}  // namespace
}  // namespace sealpost::test
