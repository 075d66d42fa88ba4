// SPDX-License-Identifier: Apache-2.0
// The operator's calls for the queue: what they find and do, what they refuse and where they put the blame, and who may
// not.
#include "queue/queue_routes.h"

#include <gtest/gtest.h>

#include "base/memory_budget.h"
#include "tests/support/http_direct.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost::test {
namespace {

class QueueRoutes : public QueueTest {
 protected:
  QueueRoutes() { router.add(queue_routes(routes)); }

  http::Answer call(const std::string& method, const std::string& target, const std::string& body = {},
                    const std::string& token = "operator") {
    http::Fields fields;
    if (!token.empty()) fields["Authorization"] = "Bearer " + token;
    return http::ask(context, method, target, body, fields, "127.0.0.1");
  }
  http::Answer act(const std::string& body) { return call("POST", "/v1/queue/actions", body); }

  std::unique_ptr<MailQueue> queue = process();
  QueueWhy reasons{redis, view, clock, {std::chrono::hours(120), 20}};
  QueueRoutesContext routes{view, actions, reasons, clock, [this](std::size_t rows) { return view.summary(rows); }};
  http::Router router;
  http::KnownTokens tokens;
  MemoryBudget budget{10'000'000};
  http::ServerContext context{router, tokens, budget, log, {}};
};

TEST_F(QueueRoutes, FindAndShow) {
  const MessageId id = put(*queue, {"a@d.example", "b@e.example"});
  const auto page = call("GET", "/v1/queue/deliveries?domain=D.example&state=waiting");
  ASSERT_EQ(page.status, 200) << page.body;
  EXPECT_EQ(page.field("Cache-Control"), "no-store");
  ASSERT_EQ(page.json()->getArray("deliveries")->size(), 1U);
  EXPECT_EQ(page.json()->getArray("deliveries")->getObject(0)->getValue<std::string>("id"), id.text() + "-1");
  const auto first = call("GET", "/v1/queue/deliveries?limit=1");
  const auto cursor = first.json()->getValue<std::string>("cursor");
  EXPECT_EQ(call("GET", "/v1/queue/deliveries?limit=1&cursor=" + cursor).json()->getArray("deliveries")->size(), 1U);
  const auto one = call("GET", "/v1/queue/deliveries/" + id.text() + "-2");
  ASSERT_EQ(one.status, 200);
  EXPECT_EQ(one.json()->getArray("history")->size(), 1U);
  EXPECT_EQ(one.body.find(canary), std::string::npos);
  const auto summary = call("GET", "/v1/queue/summary?rows=1");
  ASSERT_EQ(summary.status, 200);
  EXPECT_EQ(summary.json()->getArray("destinations")->size(), 1U);
  EXPECT_EQ(summary.json()->getValue<int>("more_destinations"), 1);
}

TEST_F(QueueRoutes, ActByIdsAndByFilter) {
  const MessageId id = put(*queue, {"a@d.example", "b@d.example", "c@e.example"});
  const auto dry = act(R"({"action":"hold","filter":{"domain":"d.example"},"dry_run":true})");
  EXPECT_EQ(dry.body, R"({"matched":2,"changed":2,"cursor":null})");
  EXPECT_EQ(view.summary()->states[DeliveryState::Held], 0U);
  EXPECT_EQ(act(R"({"action":"hold","filter":{"domain":"d.example"}})").body,
            R"({"matched":2,"changed":2,"cursor":null})");
  EXPECT_EQ(
      act(R"({"action":"hold","ids":[")" + id.text() + R"(-1",")" + id.text() + R"(-3"]})").body,
      R"({"matched":2,"changed":1,"cursor":null,"unreached":[{"id":")" + id.text() + R"(-1","why":"it is held"}]})")
      << "the first is held already";
  EXPECT_EQ(act(R"({"action":"reroute","route":"smtp://b.example","ids":[")" + id.text() + R"(-3"]})").body,
            R"({"matched":1,"changed":1,"cursor":null})");
  EXPECT_EQ(view.show(DeliveryId(id, 3))->destination, "smtp://b.example:25");
  EXPECT_EQ(audit.latest(0, 1)->at(0).event.actor, "account admin");
}

struct Refusal {
  const char* name;
  const char* method;
  const char* target;
  const char* body;
  int status;
  const char* pointer;  ///< of the first error; nullptr: none
};
void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

class QueueRefusals : public QueueRoutes, public ::testing::WithParamInterface<Refusal> {};

TEST_P(QueueRefusals, SayWhatIsWrongAndChangeNothing) {
  const MessageId id = put(*queue, {"a@d.example"});
  const auto refused = call(GetParam().method, GetParam().target, GetParam().body);
  EXPECT_EQ(refused.status, GetParam().status) << refused.body;
  if (GetParam().pointer != nullptr) {
    ASSERT_TRUE(refused.json()->isArray("errors")) << refused.body;
    EXPECT_EQ(refused.json()->getArray("errors")->getObject(0)->getValue<std::string>("pointer"), GetParam().pointer);
  }
  EXPECT_EQ(state(id), DeliveryState::Queued);
  EXPECT_EQ(view.show(DeliveryId(id, 1))->history.size(), 1U);
}

constexpr const char* doing = "/v1/queue/actions";
INSTANTIATE_TEST_SUITE_P(
    All, QueueRefusals,
    ::testing::Values(
        Refusal{"UnknownState", "GET", "/v1/queue/deliveries?state=lost", "", 422, "state"},
        Refusal{"EmptyValue", "GET", "/v1/queue/deliveries?domain=", "", 422, "domain"},
        Refusal{"UnknownFilter", "GET", "/v1/queue/deliveries?colour=red", "", 422, "colour"},
        Refusal{"GivenTwice", "GET", "/v1/queue/deliveries?state=held&state=queued", "", 422, "state"},
        Refusal{"NoAge", "GET", "/v1/queue/deliveries?older_than=long", "", 422, "older_than"},
        Refusal{"NoMessage", "GET", "/v1/queue/deliveries?message=x", "", 422, "message"},
        Refusal{"NoOrder", "GET", "/v1/queue/deliveries?order=random", "", 422, "order"},
        Refusal{"ForgedCursor", "GET", "/v1/queue/deliveries?cursor=AAAA", "", 422, "cursor"},
        Refusal{"TooMany", "GET", "/v1/queue/deliveries?limit=1001", "", 422, "limit"},
        Refusal{"NoId", "GET", "/v1/queue/deliveries/x", "", 404, nullptr},
        Refusal{"UnknownId", "GET", "/v1/queue/deliveries/01JAAAAAAAAAAAAAAAAAAAAAAA-1", "", 404, nullptr},
        Refusal{"NoRows", "GET", "/v1/queue/summary?rows=0", "", 422, "rows"},
        Refusal{"WhyWhat", "GET", "/v1/queue/why", "", 422, ""},
        Refusal{"WhyTwo", "GET", "/v1/queue/why?id=x&domain=d.example", "", 422, ""},
        Refusal{"WhyNoDomain", "GET", "/v1/queue/why?domain=a..b", "", 422, "domain"},
        Refusal{"WhyNoDelivery", "GET", "/v1/queue/why?id=01JAAAAAAAAAAAAAAAAAAAAAAA-1", "", 404, nullptr},
        Refusal{"NoJson", "POST", doing, "{", 400, nullptr}, Refusal{"NoObject", "POST", doing, "[]", 422, ""},
        Refusal{"NoAction", "POST", doing, R"({"filter":{"state":"waiting"}})", 422, "/action"},
        Refusal{"UnknownAction", "POST", doing, R"({"action":"burn","filter":{"state":"waiting"}})", 422, "/action"},
        Refusal{"OnNothing", "POST", doing, R"({"action":"hold"})", 422, ""},
        Refusal{"OnBoth", "POST", doing, R"({"action":"hold","ids":["x"],"filter":{"state":"held"}})", 422, ""},
        Refusal{"EmptyFilter", "POST", doing, R"({"action":"hold","filter":{}})", 422, "/filter"},
        Refusal{"OrderAloneNamesNothing", "POST", doing, R"({"action":"hold","filter":{"order":"newest"}})", 422,
                "/filter"},
        Refusal{"BadFilter", "POST", doing, R"({"action":"hold","filter":{"state":"lost"}})", 422, "/filter/state"},
        Refusal{"FilterOfNumbers", "POST", doing, R"({"action":"hold","filter":{"domain":7}})", 422, "/filter/domain"},
        Refusal{"NoIds", "POST", doing, R"({"action":"hold","ids":[]})", 422, "/ids"},
        Refusal{"OneBadId", "POST", doing, R"({"action":"hold","ids":["01JAAAAAAAAAAAAAAAAAAAAAAA-1","x"]})", 422,
                "/ids/1"},
        Refusal{"RerouteToNowhere", "POST", doing, R"({"action":"reroute","filter":{"state":"waiting"}})", 422,
                "/route"},
        Refusal{"RerouteToAFolder", "POST", doing,
                R"({"action":"reroute","route":"maildir:/tmp","filter":{"state":"waiting"}})", 422, "/route"},
        Refusal{"RouteForAnother", "POST", doing, R"({"action":"hold","route":"mx","filter":{"state":"waiting"}})", 422,
                "/route"},
        Refusal{"DryRunOfText", "POST", doing, R"({"action":"hold","filter":{"state":"waiting"},"dry_run":"no"})", 422,
                "/dry_run"},
        Refusal{"NoLimit", "POST", doing, R"({"action":"hold","filter":{"state":"waiting"},"limit":0})", 422, "/limit"},
        Refusal{"StrangeMember", "POST", doing, R"({"action":"hold","filter":{"state":"waiting"},"force":true})", 422,
                "/force"},
        Refusal{"ForgedStep", "POST", doing, R"({"action":"hold","filter":{"state":"waiting"},"cursor":"AAAA"})", 422,
                "/cursor"}),
    [](const auto& info) { return info.param.name; });

TEST_F(QueueRoutes, AreForOperatorsAlone) {
  for (const auto& route : router.routes()) {
    std::string target = route.pattern;
    if (const auto at = target.find("{id}"); at != std::string::npos) target.replace(at, 4, "x");
    for (const auto& [token, status] : {std::pair{"submit", 403}, {"keys", 403}, {"wrong", 401}, {"", 401}}) {
      EXPECT_EQ(call(route.method, target, route.method == "POST" ? "{}" : "", token).status, status)
          << route.method << " " << target << " " << token;
    }
  }
}

}  // namespace
}  // namespace sealpost::test
