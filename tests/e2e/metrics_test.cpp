// SPDX-License-Identifier: Apache-2.0
// /metrics of a relay that runs: the numbers of what was driven through it, beside what `queue summary` says; and all
// that the dashboard and the alerts ask for is there.
#include <gmock/gmock.h>

#include <set>

#include "base/encoding.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/eventually.h"
#include "tests/support/mail_sink.h"
#include "tests/support/metrics_files.h"
#include "tests/support/metrics_text.h"
#include "tests/support/raw_client.h"
#include "tests/support/redis_server.h"
#include "tests/support/test_certificates.h"

namespace sealpost::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string scrape(const RelayFixture& relay) {
  const auto answer = relay.http("GET", "/metrics");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.fields.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  return answer.body;
}

/// The states of `queue summary`.
std::map<std::string, double> summary(const RelayFixture& relay) {
  const auto shown = relay.ctl({"queue", "summary", "--json"});
  EXPECT_EQ(shown.status, 0) << shown.err;
  const auto states = Poco::JSON::Parser().parse(shown.out).extract<Poco::JSON::Object::Ptr>()->getObject("states");
  std::map<std::string, double> all;
  for (const auto& name : states->getNames()) all[name] = states->getValue<double>(name);
  return all;
}

double outcome(const std::string& text, const std::string& name) {
  return sample(text, "sealpost_delivery_outcomes_total{outcome=\"" + name + "\"}").value();
}

/// A relay before a server that takes, refuses and puts off, by the recipient's name, over TLS.
class Metrics : public testing::Test {
 protected:
  std::string post(const std::string& body, const std::string& password = RelayFixture::password) {
    const auto answer = relay.http("POST", "/v1/messages", body,
                                   {{"Content-Type", "application/json"},
                                    {"Authorization", "Basic " + to_base64(RelayFixture::account + (":" + password))}});
    return std::to_string(answer.status);
  }
  static std::string to(const std::string& recipient, const std::string& from = "alice@example.com") {
    return R"({"from":")" + from + R"(","to":[")" + recipient + R"("],"text":"SECRET-TEXT"})";
  }

  const std::string certificate = TestCertificates::get().good();  // before the relay, which inherits the trust in it
  MailSink sink{{"smtp", certificate, "relay", "s3cret-password"}};
  TempDir secrets;
  RelayFixture relay{{{"delivery.route", "smtp://localhost:" + std::to_string(sink.port())},
                      {"delivery.tls", "verify"},
                      {"delivery.username", "relay"},
                      {"delivery.password_file", secrets.write("password", "s3cret-password\n")},
                      {"delivery.retry", "1h"}}};
};

TEST_F(Metrics, AreTheNumbersOfWhatWasDriven) {
  auto sender = Submitter::logged_in(relay);
  for (const char* recipient : {"bob@example.net", "refused@example.net", "never@example.net"}) {
    ASSERT_TRUE(sender.submit("alice@example.com", {recipient}, message("SECRET-SUBJECT", "x")).starts_with("250"));
  }
  ASSERT_TRUE(sender.submit("eve@example.org", {"bob@example.net"}, message("x", "y")).starts_with("553"));
  ASSERT_EQ(post(to("bob@example.net")), "202");
  ASSERT_EQ(post(to("nobody")), "422");
  ASSERT_EQ(post(to("bob@example.net"), "WRONG-PASSWORD"), "401");
  {
    Submitter guesser(relay, "smtps");
    guesser.reply();
    guesser.say("EHLO guesser");
    ASSERT_TRUE(guesser.log_in(RelayFixture::account, "WRONG-PASSWORD").starts_with("535"));
    RawClient older(static_cast<std::uint16_t>(relay.port("smtps")));
    ASSERT_TRUE(older.start_tls(nullptr, TLS1_2_VERSION));
    ASSERT_TRUE(older.read_line().starts_with("220"));
  }
  // Each new recipient is owed a notification, too, which fares as the mail does; alice hears of what was refused.
  std::string text;
  ASSERT_TRUE(eventually([&] {
    text = scrape(relay);
    return outcome(text, "delivered") == 4 && outcome(text, "bounced") == 2 && outcome(text, "deferred") == 2;
  })) << text;
  const auto states = summary(relay);
  EXPECT_EQ(states.size(), 7U);
  for (const auto& [state, count] : states) {
    EXPECT_EQ(sample(text, "sealpost_deliveries{state=\"" + state + "\"}"), count) << state;
  }
  EXPECT_EQ(states.at("delivered"), 4);
  EXPECT_EQ(states.at("bounced"), 2);
  EXPECT_EQ(states.at("deferred"), 2);
  const std::map<std::string, double> wanted = {
      {"sealpost_messages_accepted_total{protocol=\"smtp\"}", 3},
      {"sealpost_messages_accepted_total{protocol=\"rest\"}", 1},
      {"sealpost_accept_seconds_count{protocol=\"smtp\"}", 3},
      {"sealpost_accept_seconds_count{protocol=\"rest\"}", 1},
      {"sealpost_seal_seconds_count", 4},
      {"sealpost_messages_refused_total{code=\"553\",protocol=\"smtp\"}", 1},
      {"sealpost_messages_refused_total{code=\"422\",protocol=\"rest\"}", 1},
      {"sealpost_messages_refused_total{code=\"other\",protocol=\"smtp\"}", 0},
      {"sealpost_delivery_outcomes_total{outcome=\"held\"}", 0},
      {"sealpost_delivery_attempt_seconds_count", 8},
      {"sealpost_delivery_seconds_count", 4},
      {"sealpost_auth_failures_total{protocol=\"smtp\"}", 1},
      {"sealpost_auth_failures_total{protocol=\"http\"}", 1},
      {"sealpost_tls_sessions_total{side=\"in\",version=\"TLSv1.3\"}", 2},
      {"sealpost_tls_sessions_total{side=\"in\",version=\"TLSv1.2\"}", 1},
      {"sealpost_tls_sessions_total{side=\"out\",version=\"TLSv1.2\"}", 0},
      {"sealpost_key_pool_wanted", 2},
      {"sealpost_notifications_waiting", 0},
      {"sealpost_redis_up", 1},
      {"sealpost_redis_durable", 1},
      {"sealpost_redis_memory_limit_bytes", 512.0 * 1024 * 1024},
      {"sealpost_memory_budget_bytes", 0},
  };
  for (const auto& [series, value] : wanted) EXPECT_EQ(sample(text, series), value) << series;
  EXPECT_GE(sample(text, "sealpost_tls_sessions_total{side=\"out\",version=\"TLSv1.3\"}"), 1);
  EXPECT_GE(sample(text, "sealpost_key_generation_seconds_count{type=\"p256\"}"), 3);
  EXPECT_EQ(sample(text, "sealpost_key_generation_seconds_count{type=\"rsa4096\"}"), 0);
  EXPECT_GT(sample(text, "sealpost_oldest_waiting_seconds"), 0);
  EXPECT_LT(sample(text, "sealpost_oldest_waiting_seconds"), 300);
  EXPECT_GT(sample(text, "sealpost_redis_command_seconds_count"), 50);
  EXPECT_GE(sample(text, "sealpost_open_connections{service=\"smtp\"}"), 1);
  EXPECT_GE(sample(text, "sealpost_open_connections{service=\"http\"}"), 1);
  EXPECT_GT(sample(text, "sealpost_certificate_expiry_timestamp_seconds{certificate=\"tls\"}"), 1.9e9);
  EXPECT_GT(sample(text, "sealpost_certificate_expiry_timestamp_seconds{certificate=\"issuing_ca\"}"), 1.9e9);
  for (const char* word : {"example", "alice", "bob", "SECRET", "WRONG", RelayFixture::password, RelayFixture::account,
                           "localhost", "127.0.0.1"}) {
    EXPECT_THAT(text, Not(HasSubstr(word)));
  }
  const auto checked = run({"promtool", "check", "metrics"}, text);
  EXPECT_EQ(checked.status, 0) << checked.out << checked.err;
  EXPECT_EQ(checked.out + checked.err, "");
}

/// Of a selector {name="value"} or {name=~"one|another"}: each value, as a label of a series is written.
std::vector<std::string> labels(const std::string& selector) {
  std::vector<std::string> all;
  const std::regex matcher(R"re((\w+)=~?"([^"]*)")re");
  for (std::sregex_iterator at(selector.begin(), selector.end(), matcher), end; at != end; ++at) {
    const std::string name = (*at)[1];
    if (name == "job" || name == "instance") continue;  // Prometheus' own
    std::istringstream values((*at)[2]);
    for (std::string value; std::getline(values, value, '|');) all.push_back(name + "=\"" + value + "\"");
  }
  return all;
}

TEST(MetricsNames, OfDashboardAndAlertsAreThereInAScrape) {
  const RelayFixture relay;
  const std::string text = scrape(relay);
  auto expressions = dashboard_expressions();
  for (const auto& rule : alert_rules()) expressions.push_back(rule.expression);
  const std::regex series(R"re(\b((?:sealpost|process)_\w+)(\{[^}]*\})?)re");
  std::set<std::string> asked;
  for (const auto& expression : expressions) {
    std::size_t found = 0;
    for (std::sregex_iterator at(expression.begin(), expression.end(), series), end; at != end; ++at, ++found) {
      const std::string name = (*at)[1];
      asked.insert(name);
      EXPECT_THAT(text, testing::ContainsRegex("(^|\n)" + name + "[ {]")) << expression;
      for (const auto& label : labels((*at)[2])) {
        EXPECT_THAT(text, testing::ContainsRegex("\n" + name + "\\{[^}]*" + label)) << expression;
      }
    }
    EXPECT_TRUE(found > 0 || expression.starts_with("up{")) << expression;
  }
  // And the other way round: what the relay tells, somebody looks at.
  const std::regex type(R"(\n# TYPE (\S+) (\S+))");
  for (std::sregex_iterator at(text.begin(), text.end(), type), end; at != end; ++at) {
    const std::string name = (*at)[1];
    EXPECT_TRUE(asked.contains(name) || asked.contains(name + "_bucket")) << name << " stands on no panel";
  }
}

TEST(MetricsAccess, IsForOperatorsAndForLoopbackItself) {
  const RelayFixture relay(RelayFixture::Settings{{"http.trusted_proxies", "127.0.0.1"}});
  const std::map<std::string, std::string> outside = {{"X-Forwarded-For", "192.0.2.7"}, {"X-Forwarded-Proto", "https"}};
  const auto with_token = [&](const std::string& scope) {
    const auto made = relay.ctl({"token", "create", RelayFixture::account, "--scope", scope, "--json"});
    const auto token =
        Poco::JSON::Parser().parse(made.out).extract<Poco::JSON::Object::Ptr>()->getValue<std::string>("token");
    auto fields = outside;
    fields["Authorization"] = "Bearer " + token;
    return relay.http("GET", "/metrics", {}, fields).status;
  };
  EXPECT_EQ(relay.http("GET", "/metrics").status, 200);
  EXPECT_EQ(relay.http("GET", "/metrics", {}, outside).status, 401);
  EXPECT_EQ(with_token("submit"), 403);
  EXPECT_EQ(with_token("keys"), 403);
  EXPECT_EQ(with_token("operator"), 200);
}

TEST(MetricsWithoutRedis, TellThatItIsAway) {
  RedisServer redis;
  const RelayFixture relay(RelayFixture::Settings{{"redis.url", redis.url()}, {"relay.drain_timeout", "1s"}});
  EXPECT_EQ(sample(scrape(relay), "sealpost_redis_up"), 1);
  redis.kill();
  const std::string text = scrape(relay);
  EXPECT_EQ(sample(text, "sealpost_redis_up"), 0);
  EXPECT_GT(sample(text, "sealpost_redis_command_seconds_count"), 0);
  EXPECT_FALSE(sample(text, "sealpost_deliveries{state=\"queued\"}"));
  redis.start();
  EXPECT_TRUE(eventually([&] { return sample(scrape(relay), "sealpost_redis_up") == 1; }));
}

}  // namespace
}  // namespace sealpost::test
