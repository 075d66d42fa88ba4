// SPDX-License-Identifier: Apache-2.0
// GET /v1/messages and /v1/messages/{id}: what an account is told of its own messages, and that others' do not exist
// for it.
#include "relay/submit/status_routes.h"

#include <Poco/JSON/Array.h>
#include <gmock/gmock.h>

#include <ostream>

#include "base/encoding.h"
#include "base/memory_budget.h"
#include "tests/support/http_direct.h"
#include "tests/unit/relay/intake_fixture.h"

namespace sealpost::test {
namespace {

using namespace std::chrono_literals;
using http::Answer;

class StatusRoutesTest : public IntakeTest {
 protected:
  StatusRoutesTest() {
    account.name = "application";  // the caller with these tokens
    router.add(submit::status_routes(routes));
  }
  Accepted submit(const std::vector<std::string>& recipients = {"bob@example.net"}, const std::string& by = {}) {
    auto made = submission(recipients);
    if (!by.empty()) made.account.name = by;
    return intake.accept(std::move(made)).value();
  }
  Answer get(const std::string& target, const std::string& token = "submit") {
    return http::ask(context, "GET", target, {}, {{"Authorization", "Bearer " + token}});
  }
  Answer get(const Accepted& accepted, const std::string& token = "submit") {
    return get("/v1/messages/" + accepted.id.text(), token);
  }
  /// "type recipient detail" of each event.
  static std::vector<std::string> events(const Answer& answer) {
    std::vector<std::string> found;
    const auto rows = answer.json()->getArray("events");
    for (unsigned i = 0; i < rows->size(); ++i) {
      const auto row = rows->getObject(i);
      std::string text = row->getValue<std::string>("type");
      for (const char* name : {"recipient", "detail"}) {
        if (!row->isNull(name)) text += " " + row->getValue<std::string>(name);
      }
      found.push_back(text);
    }
    return found;
  }
  /// Claims what is due, and ends each attempt so.
  void attempt(const std::function<Status(const Claim&)>& end) {
    const auto claims = queue.claim(100, 100).value();
    for (const auto& claim : claims) ASSERT_TRUE(end(claim));
  }

  PickupStore pickups{parts.redis, parts.master};
  submit::StatusRoutesContext routes{view, directory, pickups, parts.master};
  http::Router router;
  http::KnownTokens tokens;
  MemoryBudget budget{1'000'000};
  http::ServerContext context{router, tokens, budget, parts.log, {}};
};

TEST_F(StatusRoutesTest, AMessagesWholeTimeline) {
  const auto accepted = submit();
  const std::string key = accepted.recipients[0].fingerprint;
  parts.clock.advance(1s);
  ASSERT_TRUE(pickups.mark_sent("bob@example.net", key, parts.clock.now()));
  parts.clock.advance(1s);
  attempt([&](const Claim& claim) { return queue.deferred(claim, "450 4.2.0 greylisted", parts.clock.now() + 1min); });
  const auto waiting = get(accepted).json()->getArray("recipients")->getObject(0);
  EXPECT_EQ(waiting->getValue<std::string>("status"), "deferred");
  EXPECT_EQ(waiting->getValue<std::string>("next_attempt"), to_rfc3339(parts.clock.now() + 1min));
  EXPECT_EQ(waiting->getValue<int>("attempts"), 1);
  parts.clock.advance(1min);
  attempt([&](const Claim& claim) { return queue.delivered(claim, "250 2.0.0 ok"); });
  parts.clock.advance(1h);
  ASSERT_TRUE(life.mark_picked_up("bob@example.net", key));

  const auto answer = get(accepted);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.field("Cache-Control"), "no-store");
  EXPECT_EQ(answer.member("id"), accepted.id.text());
  EXPECT_EQ(answer.member("from"), "alice@example.com");
  const auto bob = answer.json()->getArray("recipients")->getObject(0);
  EXPECT_EQ(bob->getValue<std::string>("address"), "bob@example.net");
  EXPECT_EQ(bob->getValue<std::string>("delivery"), accepted.id.text() + "-1");
  EXPECT_EQ(bob->getValue<std::string>("status"), "delivered");
  EXPECT_EQ(bob->getValue<std::string>("last_response"), "250 2.0.0 ok");
  EXPECT_TRUE(bob->isNull("next_attempt"));
  EXPECT_EQ(bob->getObject("key")->getValue<std::string>("fingerprint"), key);
  EXPECT_EQ(events(answer),
            (std::vector<std::string>{"accepted", "sealed bob@example.net to the interim key " + key,
                                      "notified bob@example.net", "deferred bob@example.net 450 4.2.0 greylisted",
                                      "delivered bob@example.net 250 2.0.0 ok", "picked_up bob@example.net"}));
}

TEST_F(StatusRoutesTest, WhatOperatorsDidIsTold) {
  const auto accepted = submit({"bob@example.net", "carol@example.net"});
  const auto act = [&](QueueAction action, std::size_t recipient) {
    ASSERT_EQ(view.act(action, std::vector{accepted.recipients[recipient].delivery}, false)->changed, 1U);
    parts.clock.advance(1s);
  };
  act(QueueAction::Hold, 0);
  act(QueueAction::Release, 0);
  act(QueueAction::Retry, 0);
  act(QueueAction::Drop, 1);
  const auto told = events(get(accepted));
  EXPECT_EQ(std::vector<std::string>(told.begin() + 3, told.end()),
            (std::vector<std::string>{
                "held bob@example.net by the operator", "released bob@example.net by the operator",
                "retried bob@example.net by the operator", "dropped carol@example.net by the operator"}));
}

TEST_F(StatusRoutesTest, ANewPairOfTheAddressIsNotTheOldMessages) {
  const auto accepted = submit();
  ASSERT_TRUE(life.mark_picked_up("bob@example.net", accepted.recipients[0].fingerprint));
  parts.clock.advance(25h);  // the interim pair's lifetime here
  const auto later = submit();
  ASSERT_NE(later.recipients[0].fingerprint, accepted.recipients[0].fingerprint);
  ASSERT_TRUE(pickups.mark_sent("bob@example.net", later.recipients[0].fingerprint, parts.clock.now()));
  EXPECT_THAT(events(get(accepted)), testing::Contains("picked_up bob@example.net"));
  EXPECT_THAT(events(get(accepted)), testing::Not(testing::Contains("notified bob@example.net")));
  EXPECT_THAT(events(get(later)), testing::Contains("notified bob@example.net"));
  EXPECT_THAT(events(get(later)), testing::Not(testing::Contains("picked_up bob@example.net")));
}

TEST_F(StatusRoutesTest, OthersMessagesDoNotExist) {
  const auto own = submit();
  const auto foreign = submit({"bob@example.net"}, "other");
  EXPECT_EQ(get(own).status, 200);
  const auto answer = get(foreign);
  EXPECT_EQ(answer.status, 404) << answer.body;
  EXPECT_EQ(answer.body, get("/v1/messages/01ARZ3NDEKTSV4RRFFQ69G5FAV").body) << "as one that never was";
  EXPECT_EQ(answer.body, get("/v1/messages/nonsense").body);
  EXPECT_EQ(get(foreign, "operator").status, 200) << "but for an operator";
  EXPECT_EQ(get(own, "keys").status, 403);
}

TEST_F(StatusRoutesTest, AnAccountMadeAnewSeesNothingOfTheOneBefore) {
  const auto before = submit();
  parts.clock.advance(1s);
  tokens.created = parts.clock.now();
  EXPECT_EQ(get(before).status, 404);
  EXPECT_EQ(get("/v1/messages").json()->getArray("messages")->size(), 0U);
  const auto own = submit();
  EXPECT_EQ(get(own).status, 200);
  EXPECT_EQ(get("/v1/messages?since=2026-01-01T00:00:00Z").json()->getArray("messages")->size(), 1U);
}

TEST_F(StatusRoutesTest, ACursorTellsNothingAndBelongsToItsAccount) {
  submit();
  submit();
  const auto cursor = get("/v1/messages?limit=1").member("cursor");
  EXPECT_EQ(from_base64url(cursor)->find("01"), std::string::npos) << "no id of a message";
  EXPECT_EQ(get("/v1/messages?limit=1&cursor=" + cursor).status, 200);
  tokens.name = "other";
  EXPECT_EQ(get("/v1/messages?limit=1&cursor=" + cursor).status, 422);
}

TEST_F(StatusRoutesTest, TheListIsTheAccountsOwnTheNewestFirst) {
  const auto first = submit();
  parts.clock.advance(1s);
  const auto second = submit({"carol@example.net", "dave@example.net"});
  submit({"bob@example.net"}, "other");
  const auto answer = get("/v1/messages");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto messages = answer.json()->getArray("messages");
  ASSERT_EQ(messages->size(), 2U);
  EXPECT_EQ(messages->getObject(0)->getValue<std::string>("id"), second.id.text());
  EXPECT_EQ(messages->getObject(0)->getArray("recipients")->size(), 2U);
  EXPECT_EQ(messages->getObject(1)->getValue<std::string>("id"), first.id.text());
  EXPECT_TRUE(answer.json()->isNull("cursor"));
  EXPECT_FALSE(messages->getObject(0)->has("events")) << "those stand in the message's own answer";
}

TEST_F(StatusRoutesTest, TheListIsFilteredAndPaged) {
  const auto first = submit();
  parts.clock.advance(1s);
  const auto second = submit({"carol@example.net"});
  const auto only = [&](const std::string& query) {
    const auto answer = get("/v1/messages?" + query);
    EXPECT_EQ(answer.status, 200) << answer.body;
    std::string ids;
    const auto messages = answer.json()->getArray("messages");
    for (unsigned i = 0; i < messages->size(); ++i) ids += messages->getObject(i)->getValue<std::string>("id");
    return ids;
  };
  EXPECT_EQ(only("to=CAROL@example.net"), second.id.text());
  EXPECT_EQ(only("status=queued&limit=10"), second.id.text() + first.id.text());
  EXPECT_EQ(only("status=bounced"), "");
  EXPECT_EQ(only("since=" + to_rfc3339(parts.clock.now())), second.id.text());
  EXPECT_EQ(only("since=2026-09-21T16:13:20%2B02:00"), second.id.text() + first.id.text());
  const auto page = get("/v1/messages?limit=1");
  EXPECT_EQ(only("limit=1&cursor=" + page.member("cursor")), first.id.text());
}

/// Parameters that are none.
class BadListing : public StatusRoutesTest, public testing::WithParamInterface<const char*> {};
TEST_P(BadListing, IsAProblemThatNamesTheParameter) {
  const std::string query = GetParam();
  const auto answer = get("/v1/messages?" + query);
  EXPECT_EQ(answer.status, 422) << answer.body;
  EXPECT_EQ(answer.json()->getArray("errors")->getObject(0)->getValue<std::string>("pointer"),
            query.substr(0, query.find('=')));
}
INSTANTIATE_TEST_SUITE_P(All, BadListing,
                         testing::Values("status=lost", "status=", "to=bob", "since=yesterday", "since=1790000000",
                                         "since=2026-13-01T00:00:00Z", "since=2026-02-30T00:00:00Z",
                                         "since=2026-01-31T09:30:00", "limit=0", "limit=501", "limit=x", "limit=",
                                         "limit=-1", "cursor=x", "state=queued", "to=a@d.example&to=b@d.example"),
                         [](const auto& info) { return "Case" + std::to_string(info.index); });

TEST_F(StatusRoutesTest, AStoreThatIsAwayIsTold) {
  const auto accepted = submit();
  parts.server.kill();
  EXPECT_EQ(get(accepted).status, 503);
  EXPECT_EQ(get("/v1/messages").status, 503);
  parts.server.start();
}

/// No route without its scope.
class ScopeOfStatus : public StatusRoutesTest, public testing::WithParamInterface<const char*> {};
TEST_P(ScopeOfStatus, IsSubmit) {
  EXPECT_EQ(http::ask(context, "GET", GetParam()).status, 401);
  EXPECT_EQ(get(GetParam(), "wrong").status, 401);
  EXPECT_EQ(get(GetParam(), "keys").status, 403);
  EXPECT_EQ(http::ask(context, "DELETE", GetParam(), {}, {{"Authorization", "Bearer submit"}}).status, 405);
}
INSTANTIATE_TEST_SUITE_P(All, ScopeOfStatus, testing::Values("/v1/messages", "/v1/messages/01ARZ3NDEKTSV4RRFFQ69G5FAV"),
                         [](const auto& info) { return info.index == 0 ? "List" : "One"; });

}  // namespace
}  // namespace sealpost::test
