// SPDX-License-Identifier: Apache-2.0
// Whatever an operator looks at says the same: command line, top, API, event stream, metrics and page are asked about
// mail that was driven through a relay, and every number that two of them have is compared.
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gmock/gmock.h>

#include <regex>
#include <sstream>

#include "base/encoding.h"
#include "tests/e2e/own_certificate.h"
#include "tests/e2e/recipient.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/eventually.h"
#include "tests/support/mail_sink.h"
#include "tests/support/metrics_text.h"

namespace sealpost::test {
namespace {

using Numbers = std::map<std::string, double>;
using Poco::JSON::Object;

const std::vector<std::string> states = {"queued", "sending", "deferred", "held", "delivered", "bounced", "dropped"};

Object::Ptr parsed(const std::string& text) { return Poco::JSON::Parser().parse(text).extract<Object::Ptr>(); }

double captured(const std::string& text, const std::string& pattern) {
  std::smatch found;
  return std::regex_search(text, found, std::regex(pattern)) ? std::stod(found[1]) : -1;
}

/// Of a JSON summary, and of a sample of the stream as far as it goes.
Numbers of_json(const Object::Ptr& summary) {
  Numbers all;
  for (const auto& state : states) {
    const auto counts = summary->getObject("states");
    if (counts->has(state)) all[state] = counts->getValue<double>(state);
  }
  all["ready"] = summary->getObject("pool")->getValue<double>("ready");
  all["wanted"] = summary->getObject("pool")->getValue<double>("wanted");
  if (!summary->has("pickups")) return all;
  all["not picked up"] = summary->getObject("pickups")->getValue<double>("waiting");
  all["ending"] = summary->getObject("certificates")->getValue<double>("ending");
  all["ended"] = summary->getObject("certificates")->getValue<double>("ended");
  return all;
}

Numbers part(const Numbers& all, const std::vector<std::string>& names) {
  Numbers some;
  for (const auto& name : names) some[name] = all.at(name);
  return some;
}

class EveryNumber : public testing::Test {
 protected:
  EveryNumber() {
    relay.read_mail_from(sink.folder());
    if (relay
            .ctl({"account", "add", "olga", "--admin", "--send-as", "olga@example.com", "--password-stdin"},
                 "olgas-password\n")
            .status != 0) {
      throw std::runtime_error("no operator");
    }
  }

  [[nodiscard]] HttpAnswer get(const std::string& path) const { return relay.http("GET", path, {}, olga); }
  std::string cli(std::vector<std::string> words) {
    const auto ran = relay.ctl(words);
    EXPECT_EQ(ran.status, 0) << ran.err;
    return ran.out;
  }

  Numbers of_text() {
    const std::string text = cli({"queue", "summary"});
    Numbers all;
    for (const auto& state : states) all[state] = captured(text, "(?:^|\n)" + state + ": (\\d+)\n");
    all["ready"] = captured(text, "\nkey pairs: (\\d+) ready");
    all["wanted"] = captured(text, "\nkey pairs: \\d+ ready, (\\d+) wanted\n");
    all["not picked up"] = captured(text, "\nkeys not picked up: (\\d+)");
    all["ending"] = captured(text, "\ncertificates: (\\d+) end ");
    all["ended"] = captured(text, "\ncertificates: \\d+ end within 30 days, (\\d+) have ended\n");
    return all;
  }
  Numbers of_top() {
    const std::string text = cli({"top"});
    Numbers all;
    for (const auto& state : states) all[state] = captured(text, "(?:^|\n|  )" + state + " (\\d+)");
    all["ready"] = captured(text, "key pairs: (\\d+) of");
    all["wanted"] = captured(text, "key pairs: \\d+ of (\\d+) ready");
    all["not picked up"] = captured(text, "not picked up (\\d+)");
    all["ending"] = captured(text, "certificates ending (\\d+)");
    all["ended"] = captured(text, "certificates ending \\d+, ended (\\d+)");
    return all;
  }
  Numbers of_metrics() {
    const std::string text = get("/metrics").body;
    Numbers all;
    const auto value = [&](const std::string& series) { return sample(text, series).value_or(-1); };
    for (const auto& state : states) all[state] = value("sealpost_deliveries{state=\"" + state + "\"}");
    all["ready"] = value("sealpost_key_pool_ready");
    all["wanted"] = value("sealpost_key_pool_wanted");
    all["not picked up"] = value("sealpost_keys_not_picked_up");
    all["ending"] = value("sealpost_recipient_certificates_ending");
    all["ended"] = value("sealpost_recipient_certificates_ended");
    return all;
  }
  Numbers of_page() {
    const std::string text = get_page("/operator");
    Numbers all;
    for (const auto& state : {"queued", "sending", "deferred", "held"}) {
      all[state] = captured(text, "data-state=\"" + std::string(state) + "\">(\\d+)<");
    }
    all["ready"] = captured(text, "data-pool=\"ready\">(\\d+)<");
    all["wanted"] = captured(text, "data-pool=\"wanted\">(\\d+)<");
    all["not picked up"] = captured(text, "data-keys=\"not_picked_up\">(\\d+)<");
    all["ending"] = captured(text, "data-keys=\"ending\">(\\d+)<");
    all["ended"] = captured(text, "data-keys=\"ended\">(\\d+)<");
    return all;
  }
  /// The last sample that comes within two seconds.
  Numbers of_stream() {
    const auto read = run({"curl", "-sN", "--max-time", "2", "-u", "olga:olgas-password",
                           "http://127.0.0.1:" + std::to_string(relay.port("http")) + "/v1/queue/stream"});
    const auto at = read.out.rfind("\nevent: sample\ndata: ");
    if (at == std::string::npos) return {};
    const auto begin = at + std::string("\nevent: sample\ndata: ").size();
    return of_json(parsed(read.out.substr(begin, read.out.find('\n', begin) - begin)));
  }
  /// What lists hold.
  Numbers of_lists() {
    Numbers all;
    for (const auto& state : states) {
      const auto by_api = parsed(get("/v1/queue/deliveries?limit=1000&state=" + state).body);
      const auto by_cli = parsed(cli({"queue", "list", "--limit", "1000", "--state", state, "--json"}));
      all[state] = static_cast<double>(by_api->getArray("deliveries")->size());
      EXPECT_EQ(by_cli->getArray("deliveries")->size(), by_api->getArray("deliveries")->size()) << state;
    }
    return all;
  }

  std::string get_page(const std::string& path) {
    if (cookie_.empty()) {
      const auto in =
          relay.http("POST", "/operator/login", "name=olga&password=olgas-password",
                     {{"Content-Type", "application/x-www-form-urlencoded"}, {"Sec-Fetch-Site", "same-origin"}});
      EXPECT_EQ(in.status, 303) << in.body;
      cookie_ = in.fields.at("set-cookie").substr(0, in.fields.at("set-cookie").find(';'));
    }
    return relay.http("GET", path, {}, {{"Cookie", cookie_}}).body;
  }

  /// Nothing is on its way any more.
  bool settles() {
    return eventually([&] {
      const auto counts = of_json(parsed(get("/v1/queue/summary").body));
      return counts.at("queued") + counts.at("sending") == 0;
    });
  }

  MailSink sink{{"smtp"}};
  RelayFixture relay{{{"delivery.route", "smtp://127.0.0.1:" + std::to_string(sink.port())}, {"delivery.retry", "1h"}}};
  const std::map<std::string, std::string> olga = {{"Authorization", "Basic " + to_base64("olga:olgas-password")}};

 private:
  std::string cookie_;
};

TEST_F(EveryNumber, IsTheSameWhereverAnOperatorLooks) {
  Recipient bob(relay, "bob@example.net");
  static_cast<void>(bob.pick_up());
  const OwnCertificate own({"bob@example.net"});
  ASSERT_EQ(bob.replace(own, own.pem()).status, 200);
  auto sender = Submitter::logged_in(relay);
  for (const char* to : {"carol@example.net", "refused@b.example", "never@a.example", "never.held@a.example",
                         "never.dropped@c.example"}) {
    ASSERT_TRUE(sender.submit("alice@example.com", {to}, message("x", "y")).starts_with("250")) << to;
  }
  ASSERT_TRUE(settles());
  cli({"queue", "hold", "--recipient", "never.held@a.example"});
  cli({"queue", "drop", "--recipient", "never.dropped@c.example"});

  const Numbers wanted = of_json(parsed(get("/v1/queue/summary").body));
  EXPECT_EQ(wanted.at("queued") + wanted.at("sending"), 0);
  EXPECT_EQ(wanted.at("held"), 2) << "mail and notification";
  EXPECT_EQ(wanted.at("dropped"), 2);
  EXPECT_EQ(wanted.at("deferred"), 2);
  EXPECT_GE(wanted.at("bounced"), 2);
  EXPECT_GE(wanted.at("delivered"), 5);
  EXPECT_EQ(wanted.at("not picked up"), 5) << "all but bob";
  EXPECT_EQ(wanted.at("ending"), 1) << "bob's own";
  EXPECT_EQ(wanted.at("ended"), 0);
  EXPECT_EQ(of_text(), wanted);
  EXPECT_EQ(of_top(), wanted);
  EXPECT_EQ(of_metrics(), wanted);
  EXPECT_EQ(of_page(), part(wanted, {"queued", "sending", "deferred", "held", "ready", "wanted", "not picked up",
                                     "ending", "ended"}));
  auto streamed = states;
  streamed.insert(streamed.end(), {"ready", "wanted"});
  EXPECT_EQ(of_stream(), part(wanted, streamed));
  EXPECT_EQ(of_lists(), part(wanted, states));

  // The machine-readable ones are one text, but for the seconds that pass between two looks.
  std::string api;
  std::string command;
  EXPECT_TRUE(eventually([&] {
    command = cli({"queue", "summary", "--json"});
    api = get("/v1/queue/summary").body;
    std::ostringstream one;
    std::ostringstream other;
    parsed(command)->stringify(one);
    parsed(api)->stringify(other);
    return one.str() == other.str();
  })) << command
      << api;
}

TEST_F(EveryNumber, OfRatesFitsTheCounters) {
  auto sender = Submitter::logged_in(relay);
  for (const char* to : {"carol@example.net", "refused@b.example", "never@a.example"}) {
    ASSERT_TRUE(sender.submit("alice@example.com", {to}, message("x", "y")).starts_with("250")) << to;
  }
  ASSERT_TRUE(settles());
  const auto summary = parsed(get("/v1/queue/summary").body);
  const std::string metrics = get("/metrics").body;
  const auto rates = summary->getObject("rates");
  for (const char* outcome : {"delivered", "deferred", "bounced"}) {
    const double counted =
        sample(metrics, "sealpost_delivery_outcomes_total{outcome=\"" + std::string(outcome) + "\"}").value_or(-1);
    EXPECT_GT(counted, 0) << outcome;
    EXPECT_NEAR(rates->getValue<double>(outcome) * 5, counted, 0.05) << outcome;
  }
  EXPECT_NEAR(static_cast<double>(summary->getValue<int>("oldest")),
              sample(metrics, "sealpost_oldest_waiting_seconds").value_or(-1), 3);
  const auto destination = summary->getArray("destinations")->getObject(0);
  EXPECT_EQ(destination->getValue<std::string>("domain"), "a.example");
  const auto page = get_page("/operator");
  EXPECT_THAT(page, testing::HasSubstr("a.example"));
  double by_age = 0;
  for (const auto& [name, count] : *destination->getObject("ages")) by_age += count.convert<double>();
  EXPECT_EQ(by_age, 2) << "mail and notification";
  EXPECT_EQ(destination->getValue<int>("deferred"), 2);
  for (const char* order : {"hold", "retry", "drop"}) {
    const auto dry =
        relay.http("POST", "/v1/queue/actions",
                   R"({"action":")" + std::string(order) + R"(","filter":{"domain":"a.example"},"dry_run":true})",
                   {{"Content-Type", "application/json"}, {"Authorization", olga.at("Authorization")}});
    EXPECT_EQ(parsed(dry.body)->getValue<int>("matched"), 2) << dry.body;
    EXPECT_EQ(relay.ctl({"queue", order, "--domain", "a.example", "--dry-run"}).out, "2 matched, 2 would change\n");
  }
}

}  // namespace
}  // namespace sealpost::test
