// SPDX-License-Identifier: Apache-2.0
// The dashboard's pages and forms without a browser: who gets in, what is shown, what bad input is told, and that
// nothing is half done.
#include <gmock/gmock.h>

#include <regex>

#include "base/audit_trail.h"
#include "base/memory_budget.h"
#include "queue/dashboard/routes.h"
#include "tests/support/http_direct.h"
#include "tests/unit/queue/operator_fixture.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost::test {
namespace {

using http::Answer;
using testing::HasSubstr;
using testing::Not;

constexpr const char* form_type = "application/x-www-form-urlencoded";

class Dashboard : public QueueTest {
 protected:
  Dashboard() { router.add(dashboard::routes(context)); }

  Answer get(const std::string& path, const std::string& cookie = {}, const std::string& peer = "127.0.0.1") {
    http::Fields fields;
    if (!cookie.empty()) fields["Cookie"] = cookie;
    return http::ask(server_context, "GET", path, {}, fields, peer);
  }
  Answer post(const std::string& path, const std::string& body, const std::string& cookie = {},
              http::Fields fields = {}) {
    fields["Content-Type"] = form_type;
    if (!cookie.empty()) fields["Cookie"] = cookie;
    return http::ask(server_context, "POST", path, body, fields);
  }
  /// Logs in; "sealpost_operator=…".
  std::string log_in(const std::string& name = "olga") {
    const Answer in = post("/operator/login", "name=" + name + "&password=right");
    EXPECT_EQ(in.status, 303) << in.body;
    const std::string field = in.field("Set-Cookie");
    return field.substr(0, field.find(';'));
  }
  std::string csrf(const std::string& cookie) {
    return first(get("/operator", cookie).body, R"rx(name="csrf" value="([0-9a-f]+)")rx");
  }
  static std::string first(const std::string& text, const std::string& pattern) {
    std::smatch found;
    return std::regex_search(text, found, std::regex(pattern)) ? found[1].str() : std::string();
  }
  /// A form of this session.
  Answer act(const std::string& cookie, const std::string& body) {
    return post("/operator/actions", "csrf=" + csrf(cookie) + "&" + body, cookie);
  }

  AuditTrail audit{redis, master, log};
  QueueActions actions{redis, view, audit, clock};
  People people;
  OperatorSessions sessions{
      redis, master, clock, random, log, people, [this](const std::string& name) { return people.stamp(name); }};
  Pulse pulse{redis, clock, [] { return std::optional<PoolStatus>(); }, log};
  dashboard::Context context{
      view,
      actions,
      pulse,
      sessions,
      clock,
      {"relay.example.org", "http://127.0.0.1:8080"},
      [this](std::size_t rows) { return view.summary(rows); },
      [](const DeliveryId& id) -> Result<Why> {
        return Why{id.text(), id.text() + " waits for its turn.", {}, {"sealpostctl queue retry <" + id.text()}};
      },
      [](const std::string& domain) -> Result<Why> {
        return Why{domain, "For " + domain + " mail waits.", {}, {"sealpostctl queue retry --domain " + domain}};
      }};
  http::Router router;
  http::KnownTokens tokens;
  MemoryBudget budget{1'000'000};
  http::ServerContext server_context{router, tokens, budget, log, {}};
};

TEST_F(Dashboard, AsksForALogin) {
  const Answer page = get("/operator");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("<h1>Log in</h1>"));
  EXPECT_EQ(page.field("Cache-Control"), "no-store");
  EXPECT_THAT(page.field("Content-Security-Policy"), HasSubstr("default-src 'none'; script-src 'self';"));
}

TEST_F(Dashboard, ASlashTooManyLeadsThere) { EXPECT_EQ(get("/operator/").field("Location"), "/operator"); }

struct Closed {
  const char* name;
  const char* method;
  const char* path;
};
class WithoutSession : public Dashboard, public testing::WithParamInterface<Closed> {};
TEST_P(WithoutSession, NothingIsShownOrDone) {
  const auto queue = process();
  const MessageId id = put(*queue, {"bob@example.net"});
  const std::string delivery = DeliveryId(id, 1).text();
  for (const std::string cookie : {"", "sealpost_operator=forged", "sealpost_operator="}) {
    const Answer answer =
        std::string(GetParam().method) == "GET"
            ? get(GetParam().path, cookie)
            : post(GetParam().path, "csrf=x&action=drop&what=ticked&confirm=yes&id=" + delivery, cookie);
    EXPECT_EQ(answer.status, 401) << answer.body;
    EXPECT_THAT(answer.body, Not(HasSubstr("bob@example.net")));
  }
  EXPECT_EQ(state(id), DeliveryState::Queued);
}
INSTANTIATE_TEST_SUITE_P(Routes, WithoutSession,
                         testing::Values(Closed{"List", "GET", "/operator/deliveries"},
                                         Closed{"One", "GET", "/operator/deliveries/x"},
                                         Closed{"Stream", "GET", "/operator/stream"},
                                         Closed{"Action", "POST", "/operator/actions"},
                                         Closed{"Logout", "POST", "/operator/logout"}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(Dashboard, TheCookieIsForThesePagesOnly) {
  const Answer in = post("/operator/login", "name=olga&password=right");
  EXPECT_EQ(in.field("Location"), "/operator");
  EXPECT_THAT(in.field("Set-Cookie"),
              testing::MatchesRegex(
                  "sealpost_operator=[A-Za-z0-9_-]+; Path=/operator; Max-Age=43200; HttpOnly; SameSite=Strict"));
  context.site = {"relay.example.org", "https://relay.example.org/mail"};
  EXPECT_THAT(post("/operator/login", "name=olga&password=right").field("Set-Cookie"),
              testing::EndsWith("; Path=/mail/operator; Max-Age=43200; HttpOnly; SameSite=Strict; Secure"));
  EXPECT_THAT(get("/operator").body, HasSubstr("action=\"/mail/operator/login\""));
}

TEST_F(Dashboard, TellsWhyALoginFailed) {
  EXPECT_EQ(post("/operator/login", "name=olga&password=wrong").status, 401);
  EXPECT_EQ(post("/operator/login", "").status, 401);
  EXPECT_EQ(post("/operator/login", "name=app&password=right").status, 403);
  const auto elsewhere = post("/operator/login", "name=olga&password=right", {}, {{"Origin", "https://evil.example"}});
  EXPECT_EQ(elsewhere.status, 403);
  EXPECT_EQ(elsewhere.field("Set-Cookie"), "");
  people.throttled = true;
  const auto wait = post("/operator/login", "name=olga&password=right");
  EXPECT_EQ(wait.status, 429);
  EXPECT_EQ(wait.field("Retry-After"), "7");
  people.throttled = false;
  people.away = true;
  EXPECT_EQ(post("/operator/login", "name=olga&password=right").status, 503);
  EXPECT_THAT(post("/operator/login", "name=%3Cb%3E&password=secret").body,
              testing::AllOf(HasSubstr("value=\"&lt;b&gt;\""), Not(HasSubstr("secret"))));
}

/// It is sealed to nobody and has no sender: it goes nowhere else, and nobody is told.
TEST_F(Dashboard, OffersOfANoticeWhatItTakes) {
  const auto queue = process();
  const Envelope own{queue->new_id(), {}, std::nullopt, {}, false, clock.now()};
  ASSERT_TRUE(queue->put(Notice(Notice::Kind::Notification, WipedBuffer(3, 'x')), own, addressee("bob@example.net")));
  const std::string notice = DeliveryId(own.id, 1).text();
  const std::string mail = DeliveryId(put(*queue, {"bob@example.net"}), 1).text();
  const std::string cookie = log_in();
  const std::string offers = "value=\"reroute\"";
  EXPECT_THAT(get("/operator/deliveries/" + mail, cookie).body,
              testing::AllOf(HasSubstr(offers), HasSubstr("value=\"bounce\"")));
  EXPECT_THAT(get("/operator/deliveries/" + notice, cookie).body,
              testing::AllOf(Not(HasSubstr(offers)), Not(HasSubstr("value=\"bounce\"")), HasSubstr("value=\"drop\"")));
  const Answer dry = act(cookie, "action=reroute&route=mx&what=ticked&id=" + notice);
  EXPECT_THAT(dry.body, testing::AllOf(HasSubstr("Not reached: " + notice + " (it is not sealed"),
                                       Not(HasSubstr("<button class=\"danger\""))));
  const Answer deed = act(cookie, "action=reroute&route=mx&what=ticked&confirm=yes&seen=queued&id=" + notice);
  EXPECT_EQ(deed.status, 409);
  EXPECT_THAT(deed.body, testing::AllOf(HasSubstr("This cannot be done"), HasSubstr("it is not sealed")));
}

TEST_F(Dashboard, TravelsByHttpsOnly) {
  EXPECT_EQ(get("/operator", {}, "203.0.113.9").status, 403);
  EXPECT_EQ(http::ask(server_context, "POST", "/operator/login", "name=olga&password=right", {}, "203.0.113.9").status,
            403);
}

TEST_F(Dashboard, ALoginLeadsToThePageThatWasAskedFor) {
  const Answer asked = get("/operator/deliveries?domain=example.net&state=held");
  EXPECT_EQ(first(asked.body, R"rx(name="next" value="([^"]*)")rx"),
            "/operator/deliveries?domain=example.net&amp;state=held");
  EXPECT_EQ(post("/operator/login", "name=olga&password=right&next=%2Foperator%2Fdeliveries%3Fstate%3Dheld")
                .field("Location"),
            "/operator/deliveries?state=held");
  for (const char* elsewhere : {"https%3A%2F%2Fevil.example", "%2F%2Fevil.example",
                                "%2Foperator%2Fdeliveries%0d%0aX: y", "%2Foperator%2F..%2Fv1"}) {
    EXPECT_EQ(post("/operator/login", std::string("name=olga&password=right&next=") + elsewhere).field("Location"),
              "/operator");
  }
}

TEST_F(Dashboard, LogsOut) {
  const std::string cookie = log_in();
  EXPECT_EQ(post("/operator/logout", "csrf=x", cookie).status, 403);
  EXPECT_EQ(get("/operator/deliveries", cookie).status, 200);
  const Answer out = post("/operator/logout", "csrf=" + csrf(cookie), cookie);
  EXPECT_EQ(out.status, 303);
  EXPECT_THAT(out.field("Set-Cookie"), HasSubstr("sealpost_operator=; Path=/operator; Max-Age=0;"));
  EXPECT_EQ(get("/operator/deliveries", cookie).status, 401);
}

TEST_F(Dashboard, ShowsTheQueue) {
  const auto queue = process();
  put(*queue, {"bob@example.net", "carol@example.net", "dave@example.org"});
  const std::string cookie = log_in();
  const Answer page = get("/operator", cookie);
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("<dd data-state=\"queued\">3</dd>"));
  EXPECT_THAT(page.body, HasSubstr("domain=example.net&amp;newer_than=5m\">2</a>"));
  EXPECT_THAT(page.body, HasSubstr("data-stream=\"/operator/stream\""));
  EXPECT_THAT(page.body, Not(HasSubstr(canary)));
}

TEST_F(Dashboard, TheStreamWantsTheSession) {
  const std::string cookie = log_in();
  const Answer stream = get("/operator/stream", cookie);
  EXPECT_EQ(stream.status, 200);
  EXPECT_EQ(stream.field("Content-Type"), "text/event-stream");
}

TEST_F(Dashboard, FindsDeliveries) {
  const auto queue = process();
  const MessageId bob = put(*queue, {"bob@example.net"});
  put(*queue, {"carol@example.org"});
  const std::string cookie = log_in();
  const Answer all = get("/operator/deliveries?state=&domain=&recipient=", cookie);
  EXPECT_EQ(all.status, 200);
  EXPECT_THAT(all.body, testing::AllOf(HasSubstr("bob@example.net"), HasSubstr("carol@example.org")));
  const Answer one = get("/operator/deliveries?domain=example.net&state=waiting", cookie);
  EXPECT_THAT(one.body, testing::AllOf(HasSubstr(DeliveryId(bob, 1).text()), Not(HasSubstr("carol@example.org"))));
  EXPECT_THAT(one.body, HasSubstr("<option value=\"waiting\" selected>"));
  EXPECT_THAT(one.body, Not(HasSubstr(canary)));
  EXPECT_THAT(get("/operator/deliveries?domain=example.com", cookie).body, HasSubstr("No delivery matches."));
}

TEST_F(Dashboard, GoesThroughPages) {
  const auto queue = process();
  for (int i = 0; i < 60; ++i) put(*queue, {"user" + std::to_string(i) + "@example.net"});
  const std::string cookie = log_in();
  const Answer page = get("/operator/deliveries?state=queued", cookie);
  std::string next = first(page.body, R"rx(href="([^"]*cursor=[^"]*)">Next page)rx");
  ASSERT_FALSE(next.empty());
  next = std::regex_replace(next, std::regex("&amp;"), "&");
  const Answer second = get(next, cookie);
  EXPECT_EQ(second.status, 200);
  const auto rows = [](const std::string& body) {
    const std::regex row("name=\"id\"");
    return std::distance(std::sregex_iterator(body.begin(), body.end(), row), std::sregex_iterator());
  };
  EXPECT_EQ(rows(page.body) + rows(second.body), 60);
  EXPECT_THAT(second.body, HasSubstr("First page"));
  // A cursor of another search, and one that is none.
  const std::string cursor = next.substr(next.find("cursor="));
  EXPECT_EQ(get("/operator/deliveries?state=held&" + cursor.substr(0, cursor.find('&')), cookie).status, 422);
  EXPECT_EQ(get("/operator/deliveries?cursor=forged", cookie).status, 422);
}

struct DashboardBad {
  const char* name;
  const char* query;
  const char* said;
};
class BadSearch : public Dashboard, public testing::WithParamInterface<DashboardBad> {};
TEST_P(BadSearch, IsToldAtItsField) {
  const Answer answer = get("/operator/deliveries?" + std::string(GetParam().query), log_in());
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(answer.body, HasSubstr("role=\"alert\""));
  EXPECT_THAT(answer.body, HasSubstr(GetParam().said));
  EXPECT_THAT(answer.body, Not(HasSubstr("<b>")));
}
INSTANTIATE_TEST_SUITE_P(
    Cases, BadSearch,
    testing::Values(DashboardBad{"State", "state=lost", "unknown state: lost"},
                    DashboardBad{"Age", "older_than=soon", "value=\"soon\" placeholder=\"30m, 4h, 2d\" "},
                    DashboardBad{"Message", "message=x", "message: "}, DashboardBad{"Order", "order=up", "order: "},
                    DashboardBad{"Unknown", "colour=red", "no filter with the name colour"},
                    DashboardBad{"Markup", "state=%3Cb%3E", "&lt;b&gt;"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(Dashboard, ASearchByDomainSaysWhyItsMailWaits) {
  const std::string cookie = log_in();
  const std::string page = get("/operator/deliveries?domain=Example.NET", cookie).body;
  EXPECT_THAT(page, HasSubstr("For example.net mail waits."));
  EXPECT_THAT(page, HasSubstr("<code>sealpostctl queue retry --domain example.net</code>"));
  EXPECT_THAT(get("/operator/deliveries?state=waiting", cookie).body, Not(HasSubstr("mail waits.</p>")));
}

TEST_F(Dashboard, ShowsOneDelivery) {
  const auto queue = process();
  const MessageId id = put(*queue, {"bob@example.net"});
  const std::string path = "/operator/deliveries/" + DeliveryId(id, 1).text();
  const Answer page = get(path, log_in());
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, testing::AllOf(HasSubstr("bob@example.net"), HasSubstr("sender@example.com"),
                                        HasSubstr("<ol class=\"timeline\">"), HasSubstr("value=\"hold\""),
                                        HasSubstr(DeliveryId(id, 1).text() + " waits for its turn."),
                                        HasSubstr("<code>sealpostctl queue retry &lt;" + DeliveryId(id, 1).text())));
  EXPECT_THAT(get(path + "?done=drop", log_in()).body, Not(HasSubstr("Drop: done."))) << "an address claims it alone";
  EXPECT_THAT(page.body, Not(HasSubstr("value=\"release\"")));
  EXPECT_THAT(page.body, Not(HasSubstr(canary)));
}

TEST_F(Dashboard, UnknownDeliveriesAreNotFound) {
  const std::string cookie = log_in();
  for (const auto& id : {std::string("x"), DeliveryId(MessageId::generate(clock, random), 1).text()}) {
    EXPECT_EQ(get("/operator/deliveries/" + id, cookie).status, 404) << id;
    const Answer acted = act(cookie, "action=hold&what=ticked&seen=queued&id=" + id);
    EXPECT_EQ(acted.status, id == "x" ? 422 : 404) << id;
  }
}

TEST_F(Dashboard, OneDeliveryIsActedOnAtOnceWhenThatCanBeTakenBack) {
  const auto queue = process();
  const MessageId id = put(*queue, {"bob@example.net"});
  const std::string one = DeliveryId(id, 1).text();
  const std::string cookie = log_in();
  const Answer held = act(cookie, "action=hold&what=ticked&seen=queued&id=" + one);
  EXPECT_EQ(held.status, 303) << held.body;
  EXPECT_EQ(held.field("Location"), "/operator/deliveries/" + one + "?done=hold");
  EXPECT_EQ(state(id), DeliveryState::Held);
  EXPECT_THAT(get(held.field("Location"), cookie).body, HasSubstr("Hold: done."));
  const Answer drop = act(cookie, "action=drop&what=ticked&seen=held&id=" + one);
  EXPECT_EQ(drop.status, 200);
  EXPECT_THAT(drop.body, HasSubstr("Drop 1 delivery"));
  EXPECT_EQ(state(id), DeliveryState::Held) << "not before it was confirmed";
  EXPECT_EQ(act(cookie, "action=drop&what=ticked&seen=held&confirm=yes&id=" + one).status, 303);
  EXPECT_EQ(state(id), DeliveryState::Dropped);
}

TEST_F(Dashboard, WhatHasJustChangedIsLeftAlone) {
  const auto queue = process();
  const MessageId id = put(*queue, {"bob@example.net"});
  const std::string one = DeliveryId(id, 1).text();
  const std::string olga = log_in();
  people.accounts["omar"] = {"right", true};
  const std::string omar = log_in("omar");
  // Both look at it while it is queued; Omar is quicker.
  ASSERT_EQ(act(omar, "action=hold&what=ticked&seen=queued&id=" + one).status, 303);
  const Answer late = act(olga, "action=drop&what=ticked&seen=queued&confirm=yes&id=" + one);
  EXPECT_EQ(late.status, 409);
  EXPECT_THAT(late.body, testing::AllOf(HasSubstr("is held now"), HasSubstr("Nothing was changed")));
  EXPECT_EQ(state(id), DeliveryState::Held);
  // What is being sent is its worker's.
  ASSERT_EQ(act(omar, "action=release&what=ticked&seen=held&id=" + one).status, 303);
  const auto claims = claim_all(*queue);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(act(olga, "action=hold&what=ticked&seen=queued&id=" + one).status, 409);
  EXPECT_EQ(act(olga, "action=hold&what=ticked&seen=sending&id=" + one).status, 409);
  EXPECT_EQ(state(id), DeliveryState::Sending);
}

TEST_F(Dashboard, ManyAreCountedFirst) {
  const auto queue = process();
  std::vector<MessageId> ids;
  for (const char* who : {"bob@example.net", "carol@example.net", "dave@example.org"})
    ids.push_back(put(*queue, {who}));
  const std::string cookie = log_in();
  const Answer dry = act(cookie, "action=hold&what=all&domain=example.net&state=");
  EXPECT_EQ(dry.status, 200);
  EXPECT_THAT(dry.body, testing::AllOf(HasSubstr("<dd id=\"matched\">2</dd>"), HasSubstr("<dd id=\"would\">2</dd>"),
                                       HasSubstr("Hold 2 deliveries"), HasSubstr("domain example.net")));
  for (const auto& id : ids) EXPECT_EQ(state(id), DeliveryState::Queued);
  const Answer done = act(cookie, "action=hold&what=all&domain=example.net&confirm=yes");
  EXPECT_EQ(done.status, 200);
  EXPECT_THAT(done.body, HasSubstr("<dd id=\"changed\">2</dd>"));
  EXPECT_EQ(state(ids[0]), DeliveryState::Held);
  EXPECT_EQ(state(ids[1]), DeliveryState::Held);
  EXPECT_EQ(state(ids[2]), DeliveryState::Queued);
  const Answer ticked = act(cookie, "action=release&what=ticked&confirm=yes&id=" + DeliveryId(ids[0], 1).text() +
                                        "&id=" + DeliveryId(ids[2], 1).text());
  EXPECT_THAT(ticked.body,
              testing::AllOf(HasSubstr("<dd id=\"matched\">2</dd>"), HasSubstr("<dd id=\"changed\">1</dd>")));
  EXPECT_EQ(state(ids[0]), DeliveryState::Queued);
  EXPECT_EQ(state(ids[1]), DeliveryState::Held);
}

class BadAction : public Dashboard, public testing::WithParamInterface<DashboardBad> {};
TEST_P(BadAction, ChangesNothing) {
  const auto queue = process();
  const MessageId id = put(*queue, {"bob@example.net"});
  const Answer answer = act(log_in(), "confirm=yes&" + std::string(GetParam().query));
  EXPECT_EQ(answer.status, 422) << answer.body;
  EXPECT_THAT(answer.body, testing::AllOf(HasSubstr(GetParam().said), HasSubstr("Nothing was changed")));
  EXPECT_EQ(state(id), DeliveryState::Queued);
}
INSTANTIATE_TEST_SUITE_P(
    Cases, BadAction,
    testing::Values(DashboardBad{"None", "what=all", "Choose an action."},
                    DashboardBad{"Unknown", "action=explode&what=all", "Choose an action."},
                    DashboardBad{"NoneTicked", "action=drop&what=ticked", "No delivery was ticked."},
                    DashboardBad{"NoChoice", "action=drop", "No delivery was ticked."},
                    DashboardBad{"WrongFilter", "action=drop&what=all&state=lost", "unknown state: lost"},
                    DashboardBad{"WrongId", "action=drop&what=ticked&id=x", "no delivery’s id"},
                    DashboardBad{"NoRoute", "action=reroute&what=all", "rerouted"},
                    DashboardBad{"AFolder", "action=reroute&what=all&route=maildir%3A%2Ftmp", "rerouted"},
                    DashboardBad{"ForgedCursor", "action=drop&what=all&cursor=forged", "cursor"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(Dashboard, FormsOfOthersChangeNothing) {
  const auto queue = process();
  const MessageId id = put(*queue, {"bob@example.net"});
  const std::string cookie = log_in();
  const std::string other = log_in();
  const std::string body = "&action=drop&what=all&confirm=yes";
  for (const auto& answer :
       {post("/operator/actions", "csrf=" + csrf(other) + body, cookie), post("/operator/actions", body, cookie),
        post("/operator/actions", "csrf=" + csrf(cookie) + body, cookie, {{"Origin", "https://evil.example"}}),
        post("/operator/actions", "csrf=" + csrf(cookie) + body, cookie, {{"Sec-Fetch-Site", "cross-site"}})}) {
    EXPECT_EQ(answer.status, 403);
    EXPECT_THAT(answer.body, HasSubstr("Nothing was changed"));
  }
  EXPECT_EQ(state(id), DeliveryState::Queued);
}

TEST_F(Dashboard, WhoDidItStandsInTheTrail) {
  const auto queue = process();
  put(*queue, {"bob@example.net"});
  ASSERT_EQ(act(log_in(), "action=hold&what=all&confirm=yes").status, 200);
  bool told = false;
  const auto entries = audit.latest(0, 10);
  ASSERT_TRUE(entries);
  for (const auto& entry : *entries) {
    told = told || (entry.event.actor == "account olga" && entry.event.action == "queue.hold");
  }
  EXPECT_TRUE(told);
}

TEST_F(Dashboard, ServesItsFilesForGood) {
  const std::string page = get("/operator", log_in()).body;
  const std::regex asset("(?:href|src)=\"(/operator/assets/[^\"]+)\"");
  std::size_t files = 0;
  for (std::sregex_iterator at(page.begin(), page.end(), asset), end; at != end; ++at, ++files) {
    const Answer file = get((*at)[1]);
    EXPECT_EQ(file.status, 200) << (*at)[1];
    EXPECT_THAT(file.field("Cache-Control"), HasSubstr("immutable"));
    EXPECT_GT(file.body.size(), 1000U);
  }
  EXPECT_EQ(files, 4U);
  EXPECT_EQ(get("/operator/assets/x").status, 404);
}

TEST_F(Dashboard, NamesNoOtherHost) {
  for (const auto& asset : context.site.assets()) {
    const std::string text(asset.content);
    const std::regex outside(R"((?:url\(|fetch\(|src=|href=|import )\s*['"]?(?:https?:)?//)");
    EXPECT_FALSE(std::regex_search(text, outside)) << asset.name;
  }
}

TEST_F(Dashboard, SaysThatTheStoreIsAway) {
  const std::string cookie = log_in();
  const std::string token = csrf(cookie);
  server.kill();
  for (const char* path : {"/operator", "/operator/deliveries", "/operator/stream"}) {
    EXPECT_EQ(get(path, cookie).status, 503) << path;
  }
  EXPECT_EQ(post("/operator/actions", "csrf=" + token + "&action=drop&what=all&confirm=yes", cookie).status, 503);
  server.start();
  EXPECT_EQ(get("/operator", cookie).status, 200) << "and the session goes on";
}

}  // namespace
}  // namespace sealpost::test
