// SPDX-License-Identifier: Apache-2.0
// An operator's calls and commands on a relay that runs: what is refused changes nothing, two who act at once do each
// thing once, rerouted mail arrives elsewhere, and what is explained fits what happens.
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gmock/gmock.h>

#include <array>
#include <thread>

#include "base/encoding.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/eventually.h"
#include "tests/support/mail_sink.h"

namespace sealpost::test {
namespace {

using Poco::JSON::Object;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Object::Ptr object_in(const std::string& text) { return Poco::JSON::Parser().parse(text).extract<Object::Ptr>(); }

/// A relay whose next hop refuses every connection, with mail for two recipients and their notifications.
class OperatorApi : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(relay
                  .ctl({"account", "add", "olga", "--admin", "--send-as", "olga@example.com", "--password-stdin"},
                       "olgas-password\n")
                  .status,
              0);
    auto sender = Submitter::logged_in(relay);
    for (const char* to : {"bob@example.net", "dora@example.org"}) {
      ASSERT_TRUE(sender.submit("alice@example.com", {to}, message("x", "y")).starts_with("250"));
    }
    ASSERT_TRUE(eventually([&] { return waiting("deferred") == 4; }));
  }

  HttpAnswer ask(const std::string& method, const std::string& path, const std::string& body = {},
                 const std::string& credentials = "Basic " + to_base64("olga:olgas-password")) const {
    return relay.http(method, path, body, {{"Content-Type", "application/json"}, {"Authorization", credentials}});
  }
  std::size_t waiting(const std::string& state) const {
    return object_in(ask("GET", "/v1/queue/deliveries?limit=1000&state=" + state).body)->getArray("deliveries")->size();
  }
  /// All that an action could change: states, attempts and histories.
  std::string snapshot() const {
    std::string all;
    const auto page = object_in(ask("GET", "/v1/queue/deliveries?limit=1000").body);
    for (const auto& row : *page->getArray("deliveries")) {
      all += ask("GET", "/v1/queue/deliveries/" + row.extract<Object::Ptr>()->getValue<std::string>("id")).body + "\n";
    }
    return all;
  }
  std::string id_to(const std::string& recipient) const {
    const auto page = object_in(ask("GET", "/v1/queue/deliveries?account=app&recipient=" + recipient).body);
    return page->getArray("deliveries")->getObject(0)->getValue<std::string>("id");
  }

  RelayFixture relay{RelayFixture::Settings{{"delivery.route", "smtp://127.0.0.1:" + std::to_string(free_port())},
                                            {"delivery.retry", "1h"}}};
};

TEST_F(OperatorApi, WhatIsRefusedIsToldAndChangesNothing) {
  const std::string before = snapshot();
  const std::string token =
      object_in(relay.ctl({"token", "create", "app", "--scope", "keys", "--json"}).out)->getValue<std::string>("token");
  const std::string id = id_to("bob@example.net");
  // A cursor of another search, and one in which a digit was changed.
  const std::string foreign =
      object_in(ask("GET", "/v1/queue/deliveries?limit=1&state=deferred").body)->getValue<std::string>("cursor");
  std::string forged = foreign;
  forged[forged.size() / 2] = forged[forged.size() / 2] == 'A' ? 'B' : 'A';
  struct Case {
    int status;
    std::string method, path, body, words;
    std::string credentials = "Basic " + to_base64("olga:olgas-password");
  };
  const std::string actions = "/v1/queue/actions";
  const std::string drop = R"({"action":"drop","filter":{"state":"waiting"})";
  const std::string list = "/v1/queue/deliveries?";
  for (const auto& [status, method, path, body, words, credentials] : {
           Case{422, "GET", list + "state=lost", {}, "state"},
           Case{422, "GET", list + "older_than=soon", {}, "older_than"},
           Case{422, "GET", list + "colour=red", {}, "colour"},
           Case{422, "GET", list + "limit=2&cursor=" + foreign, {}, "cursor"},
           Case{422, "GET", list + "limit=1&state=deferred&cursor=" + forged, {}, "cursor"},
           Case{404, "GET", "/v1/queue/deliveries/01JAAAAAAAAAAAAAAAAAAAAAAA-1", {}, "there is no delivery"},
           Case{422, "POST", actions, R"({"action":"drop","filter":{}})", "filter is empty"},
           Case{422, "POST", actions, R"({"action":"drop","filter":{"state":"lost"}})", "state"},
           Case{422, "POST", actions, R"({"action":"drop","ids":["no-id"]})", "not a delivery's id"},
           Case{422, "POST", actions, drop + R"(,"cursor":")" + foreign + "\"}", "cursor"},
           Case{422, "POST", actions, R"({"action":"reroute","filter":{"state":"waiting"}})", "route"},
           Case{422, "POST", actions,
                R"({"action":"reroute","route":"smtp://a.example\r:25","filter":{"state":"waiting"}})", "route"},
           Case{422, "POST", actions, R"({"action":"drop","filter":{"domain":"no domain!"}})", "not a domain"},
           Case{422, "POST", actions, R"({"action":"retry","filter":{"state":"delivered"}})", "has ended"},
           Case{422, "POST", actions, R"({"action":"drop","filter":{"recipient":"figures"}})", "not an address"},
           Case{422, "POST", actions, R"({"action":"drop","filter":{"sender":"figures"}})", "not an address"},
           Case{422, "POST", actions, R"({"action":"drop","filter":{"error":")" + std::string(321, 'x') + "\"}}",
                "octets"},
           Case{422, "POST", actions, R"({"action":"drop","ids":[")" + id + R"("],"cursor":"x"})", "cursor"},
           Case{403, "POST", actions, drop + "}", "scope", "Bearer " + token},
           Case{403, "POST", actions, drop + "}", "", "Basic " + to_base64("app:correct-horse")},
           Case{401, "POST", actions, drop + "}", "", "Bearer nonsense"},
       }) {
    const auto answer = ask(method, path, body, credentials);
    EXPECT_EQ(answer.status, status) << path << body << answer.body;
    EXPECT_EQ(answer.fields.at("content-type"), "application/problem+json");
    EXPECT_THAT(answer.body, HasSubstr(words)) << path << body;
  }
  EXPECT_EQ(snapshot(), before);

  // An id that nobody has and one whose state does not fit are counted, and nothing else happens.
  const auto unknown = ask("POST", actions, R"({"action":"drop","ids":["01JAAAAAAAAAAAAAAAAAAAAAAA-1"]})");
  EXPECT_EQ(object_in(unknown.body)->getValue<int>("matched"), 0) << unknown.body;
  EXPECT_THAT(unknown.body, HasSubstr(R"({"id":"01JAAAAAAAAAAAAAAAAAAAAAAA-1","why":"there is no such delivery"})"));
  const auto release = ask("POST", actions, R"({"action":"release","ids":[")" + id + R"(",")" + id + "\"]}");
  EXPECT_EQ(object_in(release.body)->getValue<int>("matched"), 1) << release.body;
  EXPECT_EQ(object_in(release.body)->getValue<int>("changed"), 0) << release.body;
  EXPECT_EQ(snapshot(), before);
  const auto none = relay.ctl({"queue", "drop", id, "01JAAAAAAAAAAAAAAAAAAAAAAA-1"});
  EXPECT_EQ(none.status, 65);
  EXPECT_THAT(none.err, HasSubstr("there is no delivery 01JAAAAAAAAAAAAAAAAAAAAAAA-1"));
  EXPECT_EQ(snapshot(), before) << "not half of them";
  const auto dry = ask("POST", actions, drop + R"(,"dry_run":true})");
  EXPECT_EQ(object_in(dry.body)->getValue<int>("changed"), 4) << dry.body;
  EXPECT_EQ(snapshot(), before);
}

TEST_F(OperatorApi, AStreamEndsWithItsToken) {
  const auto made = object_in(relay.ctl({"token", "create", "olga", "--scope", "operator", "--json"}).out);
  const std::string url = "http://127.0.0.1:" + std::to_string(relay.port("http")) + "/v1/queue/stream";
  Process listener(
      {"curl", "-sSN", "--max-time", "60", "-H", "Authorization: Bearer " + made->getValue<std::string>("token"), url});
  ASSERT_NE(listener.wait_for("event: sample"), "");
  ASSERT_EQ(relay.ctl({"token", "revoke", made->getValue<std::string>("id")}).status, 0);
  EXPECT_EQ(listener.wait(std::chrono::seconds(30)), 0) << "ended by the relay";
}

TEST_F(OperatorApi, TwoAtOnceDoEachThingOnce) {
  std::array<int, 4> changed{};
  {
    std::vector<std::jthread> operators;
    for (auto& count : changed) {
      operators.emplace_back([&] {
        const auto done = ask("POST", "/v1/queue/actions", R"({"action":"drop","filter":{"state":"waiting"}})");
        count = done.status == 200 ? object_in(done.body)->getValue<int>("changed") : -1;
      });
    }
  }
  int all = 0;
  for (const int count : changed) {
    EXPECT_GE(count, 0);
    all += count;
  }
  EXPECT_EQ(all, 4);
  EXPECT_EQ(waiting("dropped"), 4U);
  const std::string late = id_to("bob@example.net");
  EXPECT_EQ(relay.ctl({"queue", "hold", late}).out, "1 matched, 0 changed\n") << "it was dropped meanwhile";
}

TEST_F(OperatorApi, ReroutedMailArrivesElsewhere) {
  const MailSink sink({"smtp"});
  const std::string id = id_to("bob@example.net");
  EXPECT_THAT(relay.ctl({"queue", "why", id}).out,
              AllOf(HasSubstr(id), HasSubstr("refused"), HasSubstr("sealpostctl queue retry " + id)));
  const std::string to = "smtp://127.0.0.1:" + std::to_string(sink.port());
  EXPECT_EQ(relay.ctl({"queue", "reroute", "--recipient", "bob@example.net", "--to", to, "--dry-run"}).out,
            "2 matched, 1 would change\n")
      << "the notification is not sealed, and waits for the way that the settings name";
  EXPECT_EQ(relay.ctl({"queue", "reroute", "--recipient", "bob@example.net", "--to", to}).out,
            "2 matched, 1 changed\n");
  relay.read_mail_from(sink.folder());
  const auto sealed = relay.sealed_mail("bob@example.net", 1);
  ASSERT_EQ(sealed.size(), 1U);
  EXPECT_THAT(read_file(sealed.at(0)), HasSubstr("smime.p7m"));
  ASSERT_TRUE(eventually([&] { return waiting("delivered") == 1; }));
  EXPECT_EQ(object_in(ask("GET", "/v1/queue/deliveries?state=deferred&recipient=dora@example.org").body)
                ->getArray("deliveries")
                ->size(),
            2U)
      << "dora's waits where it waited";
  EXPECT_THAT(ask("GET", "/v1/queue/deliveries/" + id).body, HasSubstr("operator: reroute to smtp://127.0.0.1:"))
      << "its history says it";
  EXPECT_THAT(relay.ctl({"audit", "list"}).out, HasSubstr("queue.reroute"));
}

TEST_F(OperatorApi, AnExplanationFitsTheNextMessage) {
  const std::string known = relay.ctl({"explain", "Bob@Example.net"}).out;
  EXPECT_THAT(known, AllOf(HasSubstr("The next message is sealed"), HasSubstr("interim"),
                           HasSubstr("nobody has picked it up yet")));
  EXPECT_THAT(relay.ctl({"explain", "new@example.net"}).out, HasSubstr("new@example.net has no key."));
  const std::string fingerprint = object_in(relay.ctl({"explain", "bob@example.net", "--json"}).out)
                                      ->getObject("key")
                                      ->getValue<std::string>("fingerprint");
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("x", "y")).starts_with("250"));
  const auto newest = object_in(ask("GET", "/v1/queue/deliveries?account=app&order=newest&limit=1").body);
  EXPECT_EQ(newest->getArray("deliveries")->getObject(0)->getObject("key")->getValue<std::string>("fingerprint"),
            fingerprint);
  ASSERT_EQ(relay.ctl({"key", "revoke", "bob@example.net", "--reason", "keyCompromise"}).status, 0);
  EXPECT_THAT(relay.ctl({"explain", "bob@example.net"}).out,
              AllOf(HasSubstr("revoked"), Not(HasSubstr("The next message is sealed"))));
}

}  // namespace
}  // namespace sealpost::test
