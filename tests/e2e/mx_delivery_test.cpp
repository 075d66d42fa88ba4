// SPDX-License-Identifier: Apache-2.0
// delivery.route = mx with a real zone: domains of every kind, hosts that are friendly, broken, slow or hostile, each
// at an address of its own; every delivery ends as its domain deserves, and the sender is told.
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <sstream>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/eventually.h"
#include "tests/support/nsd.h"
#include "tests/support/smtp_server.h"
#include "tests/support/test_certificates.h"

namespace sealpost::test {
namespace {

using Tls = SmtpServerOptions::Tls;
using Answers = std::map<std::string, std::deque<Answer>>;

struct Domain {
  std::string name;      ///< below example.com
  std::string records;   ///< of the zone; HOST is the name of the row's own server
  Answers answers = {};  ///< of that server
  std::string state = "delivered";
  std::string response = "250";  ///< part of last_response
  Tls tls = Tls::None;
  std::string local_part = "bob";
  std::string address = {};  ///< of the row's server; empty: one of its own in 127.0.1.0/24
};

const std::string own_host = "@ MX 10 HOST\n";

/// What the message's own delivery came to; the notification's is another.
struct Fate {
  std::string state;
  std::string response;
  std::string id = {};
};

class MxDelivery : public ::testing::Test {
 protected:
  explicit MxDelivery(std::vector<Domain> rows) : domains(std::move(rows)) {
    TestCertificates::get();
    std::string zone = "@ MX 10 home.host\nhome.host A 127.0.0.1\n";
    int number = 1;
    for (const auto& domain : domains) {
      const std::string address = domain.address.empty() ? "127.0.1." + std::to_string(number) : domain.address;
      const std::string host = "h" + std::to_string(number++) + ".host";
      zone += host + (address.find(':') == std::string::npos ? " A " : " AAAA ") + address + "\n";
      SmtpServerOptions options;
      options.address = address;
      options.port = home.port();
      options.tls = domain.tls;
      servers[domain.name] = std::make_unique<SmtpServer>(options);
      for (const auto& [stage, answers] : domain.answers) servers[domain.name]->answer(stage, answers);
      zone += records_of(domain, host);
    }
    dns = std::make_unique<Nsd>("example.com", zone);
    relay = std::make_unique<RelayFixture>(
        RelayFixture::Settings{{"delivery.route", "mx"},
                               {"delivery.port", std::to_string(home.port())},
                               {"delivery.allow_private", "yes"},
                               {"delivery.retry", "1s,1h"},
                               {"delivery.workers", "64"},
                               {"delivery.domain.tls-required.example.com.tls", "required"},
                               {"delivery.domain.tls-broken-required.example.com.tls", "required"},
                               {"dns.server", dns->place()},
                               {"relay.hostname", "relay.host.example.com"},
                               {"relay.drain_timeout", "1s"},
                               {"crypto.key_type", "p256"}});
  }

  static std::string records_of(const Domain& domain, const std::string& host) {
    std::string records;
    std::istringstream lines(domain.records);
    for (std::string line; std::getline(lines, line);) {
      if (const auto at = line.find("HOST"); at != std::string::npos) line.replace(at, 4, host);
      if (line.starts_with("@ ")) line.replace(0, 1, domain.name);
      records += line + "\n";
    }
    return records;
  }
  static std::string address_of(const Domain& domain) {
    const bool absolute = domain.name.find('.') != std::string::npos;
    return domain.local_part + "@" + domain.name + (absolute ? "" : ".example.com");
  }
  void submit(const Domain& domain) const {
    auto sender = Submitter::logged_in(*relay);
    const bool utf8 = domain.local_part != "bob";
    const std::string answer = sender.submit("alice@example.com", {address_of(domain)},
                                             message("To " + domain.name, "text"), utf8 ? " SMTPUTF8" : "");
    EXPECT_TRUE(answer.starts_with("250 ")) << domain.name << ": " << answer;
  }
  [[nodiscard]] Fate fate(const Domain& domain) const {
    const auto listed = relay->ctl({"queue", "list", "--recipient", address_of(domain), "--json"});
    const auto all = Poco::JSON::Parser().parse(listed.out).extract<Poco::JSON::Object::Ptr>()->getArray("deliveries");
    for (const auto& each : *all) {
      const auto delivery = each.extract<Poco::JSON::Object::Ptr>();
      if (delivery->optValue<std::string>("from", "") != "alice@example.com") continue;
      return {delivery->getValue<std::string>("state"), delivery->optValue<std::string>("last_response", ""),
              delivery->getValue<std::string>("id")};
    }
    return {};
  }

  std::vector<Domain> domains;
  SmtpServer home;  ///< the sender's own mail server, where the reports go
  std::map<std::string, std::unique_ptr<SmtpServer>> servers;
  std::unique_ptr<Nsd> dns;
  std::unique_ptr<RelayFixture> relay;
};

/// A server that says the same at one stage for ever.
Domain at_stage(const std::string& name, const std::string& stage, const std::string& reply, const std::string& state,
                const std::string& response) {
  Answers answers = {{stage, {Answer(reply)}}};
  if (stage == "EHLO") answers["HELO"] = {Answer(reply)};
  return {name, own_host, answers, state, response};
}

bool has_ipv6() {
  try {
    SmtpServerOptions options;
    options.address = "::1";
    const SmtpServer server(options);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

std::vector<Domain> all_kinds() {
  std::string endless;
  for (int line = 0; line < 10'000; ++line) endless += "250-line " + std::to_string(line) + "\n";
  std::vector<Domain> rows = {
      {"equal", "@ MX 10 HOST\n@ MX 10 h2.host\n"},
      {"unequal", "@ MX 10 HOST\n@ MX 20 dead.host\ndead.host A 127.0.2.1\n"},
      {"first-dead", "@ MX 10 dead.host\n@ MX 20 HOST\n"},
      {"null-mx", "@ MX 0 .\n", {}, "bounced", "takes no mail"},
      {"no-mx", "@ A 127.0.1.5\n"},
      {"servfail.example.net", "", {}, "deferred", "DNS gives no answer now"},
      {"nxdomain", "", {}, "bounced", "does not exist"},
      {"self", "@ MX 10 relay.host\nrelay.host A 127.0.2.2\n", {}, "bounced", "this relay itself"},
      {"tls-required", own_host, {}, "delivered", "TLSv1.3", Tls::StartTls},
      {"tls-broken", own_host, {{"TLS", {Answer::close()}}}, "delivered", "250", Tls::StartTls},
      {"tls-broken-required",
       own_host,
       {{"TLS", {Answer::close()}}},
       "deferred",
       "TLS handshake failed",
       Tls::StartTls},
      {"greylist", own_host, {{"RCPT", {"450 4.7.1 come back later", "450 4.7.1 come back later", "250 ok"}}}},
      {"mailbox-full", own_host, {{"RCPT", {"552 5.2.2 mailbox full"}}}, "deferred", "mailbox full"},
      {"reply-lost", own_host, {{".", {Answer::close()}}}, "deferred", "outcome unknown"},
      {"endless", own_host, {{"EHLO", {Answer(endless + "250 end")}}}, "deferred", "cannot be understood"},
      {"long-line", own_host, {{"CONNECT", {Answer("220 " + std::string(1024 * 1024, 'x'))}}}, "deferred", "too long"},
      {"binary", own_host, {{"CONNECT", {Answer(std::string("\x00\xff\x01 220", 8))}}}, "deferred", "understood"},
      {"injects", own_host, {{"STARTTLS", {"220 go\n250 injected"}}}, "deferred", "behind STARTTLS", Tls::StartTls},
      {"tls-full", own_host, {{"RCPT", {"452 4.2.2 full"}}}, "deferred", "4.2.2 full", Tls::StartTls},
      {"utf8", own_host, {}, "bounced", "beyond ASCII", Tls::None, "jörg"}};
  if (has_ipv6()) rows.push_back({"six", own_host, {}, "delivered", "[[::1]:", Tls::None, "bob", "::1"});
  for (const std::string stage : {"CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."}) {
    const std::string name = stage == "." ? "dot" : stage;
    const bool about_us = stage == "CONNECT" || stage == "EHLO";
    rows.push_back(at_stage("five-" + name, stage, "554 5.7.1 no", about_us ? "deferred" : "bounced", "554 5.7.1 no"));
    rows.push_back(at_stage("busy-" + name, stage, "421 4.3.2 closing", "deferred", "421 4.3.2 closing"));
  }
  return rows;
}

class MxDomains : public MxDelivery {
 protected:
  MxDomains() : MxDelivery(all_kinds()) {}

  /// `queue show` names time, host, address, TLS and reply of every attempt.
  void expect_attempts_told() {
    const auto row = std::find_if(domains.begin(), domains.end(), [](auto& each) { return each.name == "tls-full"; });
    const auto shown = relay->ctl({"queue", "show", fate(*row).id});
    const std::regex attempt(
        "20[0-9-]+T[0-9:.]+Z +deferred: h[0-9]+\\.host\\.example\\.com \\[127\\.0\\.1\\.[0-9]+:[0-9]+\\] TLSv1\\.3 "
        "TLS_[A-Z0-9_]+: 452 4\\.2\\.2 full");
    EXPECT_EQ(std::distance(std::sregex_iterator(shown.out.begin(), shown.out.end(), attempt), {}), 2) << shown.out;
  }
};

TEST_F(MxDomains, EveryDeliveryEndsAsItsDomainDeserves) {
  for (const auto& domain : domains) ASSERT_NO_FATAL_FAILURE(submit(domain));
  std::size_t bounced = 0;
  for (const auto& domain : domains) {
    const auto as_expected = [&] {
      const Fate now = fate(domain);
      return now.state == domain.state && now.response.find(domain.response) != std::string::npos;
    };
    EXPECT_TRUE(eventually(as_expected, std::chrono::seconds(30)))
        << domain.name << " is " << fate(domain).state << ": " << fate(domain).response;
    if (domain.state == "bounced") ++bounced;
  }
  EXPECT_TRUE(home.wait_for(".", bounced)) << "the sender is told of each";
  EXPECT_EQ(home.messages().size(), bounced);
  expect_attempts_told();
  EXPECT_EQ(servers.at("injects")->messages().size(), 0U);
}

std::vector<Domain> silent_at_each_stage() {
  std::vector<Domain> rows;
  for (const std::string stage : {"CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."}) {
    rows.push_back(
        {"silent-" + (stage == "." ? "dot" : stage), own_host, {{stage, {Answer::silence()}}}, "sending", ""});
  }
  rows.push_back({"drip", own_host, {{"CONNECT", {Answer::drip()}}}, "sending", ""});
  rows.push_back({"healthy", own_host});
  return rows;
}

class MxSilence : public MxDelivery {
 protected:
  MxSilence() : MxDelivery(silent_at_each_stage()) {}
};

TEST_F(MxSilence, WhoStopsAnsweringHoldsNobodyUpAndIsLeftAtTheStop) {
  for (const auto& domain : domains) ASSERT_NO_FATAL_FAILURE(submit(domain));
  ASSERT_TRUE(servers.at("healthy")->wait_for(".", 2)) << relay->log();
  for (const auto& domain : domains) {
    EXPECT_TRUE(eventually([&] { return fate(domain).state == domain.state; })) << domain.name;
  }
  EXPECT_EQ(relay->stop(), 0);
}

}  // namespace
}  // namespace sealpost::test
