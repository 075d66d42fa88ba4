// SPDX-License-Identifier: Apache-2.0
// Webhooks of a running relay: an application is told what became of its mail, signed; a dead receiver is called again
// later and delays no mail; a removed webhook hears no more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/webhook_sink.h"

namespace sealpost::test {
namespace {

using testing::HasSubstr;
using Settings = RelayFixture::Settings;

class WebhookRelay : public testing::Test {
 protected:
  struct Added {
    std::string id;
    std::string key;
  };
  Added add(const std::string& path, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {
        "webhook",         "add",   RelayFixture::account, "http://127.0.0.1:" + std::to_string(sink.port()) + path,
        "--allow-private", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto done = relay.ctl(arguments);
    EXPECT_EQ(done.status, 0) << done.err;
    const auto object = Poco::JSON::Parser().parse(done.out).extract<Poco::JSON::Object::Ptr>();
    return {object->getValue<std::string>("id"), object->getValue<std::string>("key")};
  }
  std::string submit(const std::string& recipient) {
    const auto answer =
        relay.http("POST", "/v1/messages", R"({"from":"alice@example.com","to":[")" + recipient + R"("],"text":"x"})",
                   {{"Authorization", "Basic YXBwOmNvcnJlY3QtaG9yc2U="}, {"Content-Type", "application/json"}});
    EXPECT_EQ(answer.status, 202) << answer.body;
    return Poco::JSON::Parser().parse(answer.body).extract<Poco::JSON::Object::Ptr>()->getValue<std::string>("id");
  }

  WebhookSink sink;
  RelayFixture relay{Settings{{"crypto.key_type", "p256"}}};
};

TEST_F(WebhookRelay, TellsOfDeliveryAndPickup) {
  const auto webhook = add("/hook");
  const std::string id = submit("bob@example.net");
  auto requests = sink.requests(1);
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_TRUE(requests[0].verifies(webhook.key));
  auto event = requests[0].json();
  EXPECT_EQ(event->getValue<std::string>("type"), "delivered");
  EXPECT_EQ(event->getObject("data")->getValue<std::string>("message"), id);
  EXPECT_EQ(event->getObject("data")->getValue<std::string>("recipient"), "bob@example.net");

  relay.pick_up(relay.notifications("bob@example.net", 1).at(0));
  requests = sink.requests(2);
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_TRUE(requests[1].verifies(webhook.key));
  event = requests[1].json();
  EXPECT_EQ(event->getValue<std::string>("type"), "picked_up");
  EXPECT_EQ(event->getObject("data")->getArray("messages")->getElement<std::string>(0), id);
  EXPECT_NE(requests[1].field("webhook-id"), requests[0].field("webhook-id"));
}

TEST_F(WebhookRelay, AReceiverThatFailsIsCalledAgainWithTheSameEvent) {
  const auto webhook = add("/flaky");
  submit("bob@example.net");
  auto requests = sink.requests(1);
  ASSERT_EQ(requests.size(), 1U);
  // The second attempt comes after five seconds, the third after thirty: retried at once here, as an operator would.
  ASSERT_EQ(sink.requests(2).size(), 2U);
  ASSERT_TRUE(eventually([&] {
    const auto done = relay.ctl({"queue", "retry", "--domain", "webhook.invalid"});
    return done.status == 0 && sink.requests().size() >= 3;
  }));
  requests = sink.requests();
  for (const auto& request : requests) {
    EXPECT_EQ(request.field("webhook-id"), requests[0].field("webhook-id"));
    EXPECT_EQ(request.body, requests[0].body);
    EXPECT_TRUE(request.verifies(webhook.key));
  }
  EXPECT_TRUE(eventually([&] { return relay.deliveries(webhook.id + "@webhook.invalid", "delivered") == 1; }));
}

TEST_F(WebhookRelay, ASilentReceiverDelaysNoMail) {
  add("/silent");
  for (int i = 0; i < 60; ++i) submit("bob@example.net");
  EXPECT_EQ(relay.sealed_mail("bob@example.net", 60).size(), 60U);
  EXPECT_LT(sink.requests().size(), 60U) << "its events wait, and the mail has arrived";
}

TEST_F(WebhookRelay, HearsNoMoreOnceRemoved) {
  const auto webhook = add("/hook");
  submit("bob@example.net");
  ASSERT_EQ(sink.requests(1).size(), 1U);
  const auto listed = relay.ctl({"webhook", "list"});
  EXPECT_THAT(listed.out, HasSubstr(webhook.id));
  EXPECT_THAT(listed.out, HasSubstr("delivered bounced picked_up"));
  EXPECT_THAT(listed.out, testing::Not(HasSubstr(webhook.key)));
  ASSERT_EQ(relay.ctl({"webhook", "remove", webhook.id}).status, 0);
  EXPECT_EQ(relay.ctl({"webhook", "remove", webhook.id}).status, 65);
  // Looked up anew once a second: what falls into that second is refused when it is sent.
  submit("carol@example.net");
  EXPECT_EQ(relay.sealed_mail("carol@example.net", 1).size(), 1U);
  EXPECT_TRUE(eventually([&] {
    submit("carol@example.net");
    return relay.deliveries(webhook.id + "@webhook.invalid", "queued") == 0;
  }));
  EXPECT_EQ(sink.requests().size(), 1U);
}

TEST_F(WebhookRelay, GoesWithItsAccount) {
  add("/hook");
  ASSERT_EQ(relay.ctl({"account", "remove", RelayFixture::account}).status, 0);
  EXPECT_THAT(relay.ctl({"webhook", "list", "--json"}).out, testing::Not(HasSubstr("hook")));
}

TEST_F(WebhookRelay, IsAddedForWhatCanBeCalledOnly) {
  const auto status = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {"webhook", "add"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return relay.ctl(all).status;
  };
  EXPECT_EQ(status({"nobody", "https://hooks.example.com/"}), 65);
  EXPECT_EQ(status({"app", "http://hooks.example.com/"}), 64);
  EXPECT_EQ(status({"app", "nonsense"}), 64);
  EXPECT_EQ(status({"app", "https://hooks.example.com/", "--event", "lost"}), 64);
  EXPECT_EQ(status({"app"}), 64);
}

}  // namespace
}  // namespace sealpost::test
