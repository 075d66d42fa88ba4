// SPDX-License-Identifier: Apache-2.0
// Events as receivers get them: signed, to vetted addresses only, no redirect followed, bounded in time; and what each
// answer means.
#include "relay/delivery/webhook_hop.h"

#include <gmock/gmock.h>

#include <future>
#include <ostream>

#include "base/encoding.h"
#include "notify/webhook_events.h"
#include "tests/support/test_certificates.h"
#include "tests/support/webhook_sink.h"
#include "tests/unit/relay/delivery/delivery_fixture.h"
#include "tests/unit/relay/relay_parts.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;
using test::enhanced_of;
using test::kind_of;
using test::WebhookSink;
using testing::HasSubstr;

class WebhookHopTest : public testing::Test {
 protected:
  WebhookHopTest() { test::TestCertificates::get(); }

  Webhook add(const std::string& url, bool allow_private = true) {
    return webhooks.add("crm", Time(), WebhookUrl::parse(url).value(), {EventType::Delivered}, allow_private).value();
  }
  static std::string at(const WebhookSink& sink, const std::string& path,
                        const std::string& scheme = "http://127.0.0.1") {
    return scheme + ":" + std::to_string(sink.port()) + path;
  }
  Attempt attempt(const std::string& id, std::chrono::milliseconds limit = 15s, const std::string& json = "{\"a\":1}") {
    WebhookHop hop(webhooks, clock, stop, limit);
    DeliveryRecord record(DeliveryId(event, 1));
    record.destination = webhook_destination(id);
    test::PiecesBody body({"Content-Type: application/json\r\n\r\n", json});
    return hop.attempt(Claim{std::move(record), 1, {}, {}}, body);
  }
  Attempt attempt_to(const std::string& url) { return attempt(add(url).id); }

  SystemClock clock;
  test::RelayParts parts;
  Webhooks webhooks{parts.redis, parts.master, clock, parts.random, parts.log};
  PollableFlag stop;
  MessageId event = MessageId::generate(clock, parts.random);
};

TEST_F(WebhookHopTest, AnEventIsSignedAsTheConventionHasIt) {
  WebhookSink sink;
  const auto webhook = add(at(sink, "/hook?for=crm"));
  const Attempt done = attempt(webhook.id, 15s, "{\"name\":\"\xc3\xa4\"}");
  EXPECT_EQ(kind_of(done.outcome), "delivered");
  EXPECT_THAT(response_of(done.outcome), HasSubstr("204"));
  EXPECT_TRUE(done.reached);
  EXPECT_EQ(done.trace.host, "127.0.0.1");
  EXPECT_EQ(done.trace.address, "127.0.0.1:" + std::to_string(sink.port()));
  const auto sent = sink.requests(1);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].path, "/hook?for=crm");
  EXPECT_EQ(sent[0].body, "{\"name\":\"\xc3\xa4\"}");
  EXPECT_EQ(sent[0].field("content-type"), "application/json");
  EXPECT_EQ(sent[0].field("host"), "127.0.0.1:" + std::to_string(sink.port()));
  EXPECT_EQ(sent[0].field("webhook-id"), event.text());
  EXPECT_TRUE(sent[0].verifies(std::string(to_shown_key(webhook).reveal())));
  EXPECT_FALSE(sent[0].verifies(std::string(to_shown_key(add(at(sink, "/"))).reveal()))) << "another webhook's key";
}

TEST(WebhookSignature, IsThatOfTheSpecificationsVector) {
  // From the Standard Webhooks' reference libraries' tests.
  const auto key = Secret::copy_of(from_base64("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value());
  EXPECT_EQ(webhook_signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_F(WebhookHopTest, TlsIsVerified) {
  const auto& certificates = test::TestCertificates::get();
  WebhookSink good(certificates.good());
  const Attempt done = attempt_to(at(good, "/", "https://localhost"));
  EXPECT_EQ(kind_of(done.outcome), "delivered") << response_of(done.outcome);
  EXPECT_THAT(done.trace.tls, HasSubstr("TLS"));
  for (const auto& bad : {certificates.expired(), certificates.foreign(), certificates.self_signed()}) {
    WebhookSink sink(bad);
    const Attempt refused = attempt_to(at(sink, "/", "https://localhost"));
    EXPECT_EQ(kind_of(refused.outcome), "deferred") << bad;
    EXPECT_EQ(enhanced_of(refused.outcome), "4.7.5");
    EXPECT_TRUE(sink.requests().empty());
  }
}

/// What an answer means.
struct Meaning {
  const char* name;
  const char* path;
  const char* outcome;
  const char* response;
};
void PrintTo(const Meaning& meaning, std::ostream* out) { *out << meaning.name; }
class WebhookAnswer : public WebhookHopTest, public testing::WithParamInterface<Meaning> {};
TEST_P(WebhookAnswer, IsUnderstood) {
  WebhookSink sink;
  const Attempt done = attempt_to(at(sink, GetParam().path));
  EXPECT_EQ(kind_of(done.outcome), GetParam().outcome);
  EXPECT_THAT(response_of(done.outcome), HasSubstr(GetParam().response));
  EXPECT_TRUE(done.reached);
  EXPECT_EQ(sink.requests(1).size(), 1U) << "and no second request, whatever the answer says";
}
INSTANTIATE_TEST_SUITE_P(All, WebhookAnswer,
                         testing::Values(Meaning{"Ok", "/status/200", "delivered", "200"},
                                         Meaning{"Accepted", "/status/202", "delivered", "202"},
                                         Meaning{"BehindInterimAnswers", "/early", "delivered", "200"},
                                         Meaning{"Gone", "/status/410", "failed", "410"},
                                         Meaning{"NotFound", "/status/404", "deferred", "404"},
                                         Meaning{"TooMany", "/status/429", "deferred", "429"},
                                         Meaning{"Broken", "/status/500", "deferred", "500"},
                                         Meaning{"Redirect", "/redirect", "deferred", "redirects are not followed"},
                                         Meaning{"NoHttp", "/nonsense", "deferred", "no HTTP"}),
                         [](const auto& info) { return info.param.name; });

/// Where no event goes, unless the operator allows it.
class PrivateUrl : public WebhookHopTest, public testing::WithParamInterface<const char*> {};
TEST_P(PrivateUrl, IsNotCalled) {
  WebhookSink sink(test::TestCertificates::get().good());
  const std::string url = std::string("https://") + GetParam() + ":" + std::to_string(sink.port()) + "/";
  const Attempt done = attempt(add(url, false).id);
  EXPECT_EQ(kind_of(done.outcome), "deferred");
  EXPECT_EQ(enhanced_of(done.outcome), "4.4.4") << response_of(done.outcome);
  EXPECT_THAT(response_of(done.outcome), HasSubstr("--allow-private"));
  EXPECT_EQ(done.trace.address, "") << "not even connected to";
}
INSTANTIATE_TEST_SUITE_P(All, PrivateUrl,
                         testing::Values("localhost", "127.0.0.1", "127.1", "10.0.0.1", "192.168.1.1",
                                         "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1]", "[fd00::1]",
                                         "0.0.0.0"),
                         [](const auto& info) { return "Case" + std::to_string(info.index); });

TEST_F(WebhookHopTest, SilenceAndDripsAreBounded) {
  WebhookSink sink;
  for (const char* path : {"/silent", "/drip"}) {
    const auto id = add(at(sink, path)).id;
    const auto begun = std::chrono::steady_clock::now();
    const Attempt done = attempt(id, 700ms);
    EXPECT_EQ(kind_of(done.outcome), "deferred") << path;
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
  }
}

TEST_F(WebhookHopTest, AStopEndsAnAttemptUncounted) {
  WebhookSink sink;
  const auto id = add(at(sink, "/silent")).id;
  auto running = std::async(std::launch::async, [&] { return attempt(id, 60s); });
  ASSERT_EQ(sink.requests(1).size(), 1U);
  stop.raise();
  EXPECT_EQ(kind_of(running.get().outcome), "abandoned");
}

TEST_F(WebhookHopTest, NobodyListeningIsNoAnswer) {
  std::uint16_t port = 0;
  { port = WebhookSink().port(); }
  const Attempt done = attempt_to("http://127.0.0.1:" + std::to_string(port) + "/");
  EXPECT_EQ(kind_of(done.outcome), "deferred");
  EXPECT_FALSE(done.reached);
}

TEST_F(WebhookHopTest, ARemovedWebhookGetsNoMore) {
  WebhookSink sink;
  const auto webhook = add(at(sink, "/"));
  ASSERT_TRUE(webhooks.remove(webhook.id));
  EXPECT_EQ(kind_of(attempt(webhook.id).outcome), "failed");
  EXPECT_TRUE(sink.requests().empty());
}

}  // namespace
}  // namespace sealpost
