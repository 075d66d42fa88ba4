// SPDX-License-Identifier: Apache-2.0
// What the operator does with sealpostctl takes effect at once on the running relay: accounts, tokens, and the queue
// that its deliverer works on.
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <regex>
#include <sstream>

#include "base/redis/client.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/build.h"
#include "tests/support/eventually.h"

namespace sealpost::test {
namespace {

using Object = Poco::JSON::Object;
using Array = Poco::JSON::Array;

std::string log_in(const RelayFixture& relay, const std::string& name, const std::string& password) {
  Submitter client(relay, "smtps");
  client.reply();
  client.say("EHLO c");
  return client.log_in(name, password).substr(0, 9);
}

Object::Ptr json(const RelayFixture& relay, std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  const auto ran = relay.ctl(arguments);
  EXPECT_EQ(ran.status, 0) << ran.err;
  return Poco::JSON::Parser().parse(ran.out).extract<Object::Ptr>();
}

std::vector<Object::Ptr> list(const RelayFixture& relay, std::vector<std::string> filters = {}) {
  filters.insert(filters.begin(), {"queue", "list"});
  std::vector<Object::Ptr> deliveries;
  const auto page = json(relay, filters);
  const auto rows = page->getArray("deliveries");
  for (const auto& row : *rows) deliveries.push_back(row.extract<Object::Ptr>());
  return deliveries;
}

/// Asks until the delivery is as wanted; what it was last when that does not come.
Object::Ptr wait_for(const RelayFixture& relay, const std::string& id,
                     const std::function<bool(const Object&)>& wanted) {
  Object::Ptr delivery;
  static_cast<void>(eventually([&] { return wanted(*(delivery = json(relay, {"queue", "show", id}))); }));
  return delivery;
}

std::string state_of(const Object::Ptr& delivery) { return delivery->getValue<std::string>("state"); }
int attempts_of(const Object& delivery) { return delivery.getValue<int>("attempts"); }
bool waits(const Object& delivery) { return delivery.getValue<std::string>("state") == "deferred"; }

TEST(Operator, AccountsAndTokensChangeAtOnce) {
  RelayFixture relay;
  const auto add = relay.ctl({"account", "add", "crm", "--send-as", "@example.com", "--password-stdin"}, "first-pw\n");
  ASSERT_EQ(add.status, 0) << add.err;
  EXPECT_EQ(log_in(relay, "crm", "first-pw"), "235 2.7.0");
  EXPECT_EQ(log_in(relay, "crm", "first-pw"), "235 2.7.0") << "from the memory of verified passwords";
  ASSERT_EQ(relay.ctl({"account", "password", "crm", "--password-stdin"}, "second-pw\n").status, 0);
  EXPECT_EQ(log_in(relay, "crm", "first-pw"), "535 5.7.8");
  EXPECT_EQ(log_in(relay, "crm", "second-pw"), "235 2.7.0");

  const auto made = json(relay, {"token", "create", "crm", "--scope", "keys"});
  const std::map<std::string, std::string> bearer = {
      {"Authorization", "Bearer " + made->getValue<std::string>("token")}};
  EXPECT_EQ(relay.http("GET", "/v1/keys/bob@example.net", {}, bearer).status, 404);
  ASSERT_EQ(relay.ctl({"token", "revoke", made->getValue<std::string>("id")}).status, 0);
  EXPECT_EQ(relay.http("GET", "/v1/keys/bob@example.net", {}, bearer).status, 401);

  const auto other = json(relay, {"token", "create", "crm", "--scope", "keys"});
  ASSERT_EQ(relay.ctl({"account", "remove", "crm"}).status, 0);
  EXPECT_EQ(log_in(relay, "crm", "second-pw"), "535 5.7.8");
  EXPECT_EQ(relay
                .http("GET", "/v1/keys/bob@example.net", {},
                      {{"Authorization", "Bearer " + other->getValue<std::string>("token")}})
                .status,
            401)
      << "a token ends with its account";
  EXPECT_EQ(log_in(relay, RelayFixture::account, RelayFixture::password), "235 2.7.0") << "the others stay";
}

/// The first column of docs/redis.md's tables as patterns: words in capitals and letters in braces stand for anything.
std::vector<std::regex> documented_keys() {
  std::vector<std::regex> patterns;
  std::istringstream lines(read_file(SOURCE_DIR "/docs/redis.md"));
  for (std::string line; std::getline(lines, line);) {
    std::smatch cell;
    if (!std::regex_search(line, cell, std::regex("^\\| `([^`]+)` \\| (string|hash|list|set|sorted set) \\|")))
      continue;
    std::string key = cell[1];
    if (!std::regex_search(key, std::regex("^(account|audit|keys|pickup|queue):(\\{|[a-z])"))) key = "queue:{S}:" + key;
    key = std::regex_replace(key, std::regex("\\{[Sn0]\\}"), "\\{[0-9a-f]+\\}");
    key = std::regex_replace(key, std::regex("\\{[A-Z]{2,}\\}"), "\\{.+\\}");
    patterns.emplace_back(std::regex_replace(key, std::regex("[A-Z]+"), ".+"));
  }
  return patterns;
}

TEST(Operator, EveryKeyInRedisIsDocumented) {
  RelayFixture relay;
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("x", "y")).starts_with("250"));
  relay.pick_up(relay.notifications("bob@example.net", 1).at(0));
  ASSERT_EQ(relay.ctl({"token", "create", RelayFixture::account}).status, 0);
  EXPECT_EQ(relay.http("POST", "/v1/pickup/resend", R"({"address":"bob@example.net"})").status, 202);
  relay.sealed_mail("bob@example.net", 1);
  redis::Client redis(relay.redis_endpoint(), std::chrono::seconds(10));
  const auto keys = redis.command({"KEYS", "*"});
  ASSERT_TRUE(keys);
  EXPECT_GT(keys->size(), 20U);
  const auto patterns = documented_keys();
  EXPECT_GT(patterns.size(), 30U);
  for (std::size_t i = 0; i < keys->size(); ++i) {
    const std::string key((*keys)[i].text());
    const bool known = std::any_of(patterns.begin(), patterns.end(),
                                   [&](const std::regex& pattern) { return std::regex_match(key, pattern); });
    EXPECT_TRUE(known) << key << " does not stand in docs/redis.md";
  }
}

TEST(Operator, APasswordIsNotAskedForWithoutATerminal) {
  const auto ran = run({program("sealpostctl"), "account", "add", "crm", "--send-as", "@example.com", "--help"});
  EXPECT_EQ(ran.status, 0);
  RelayFixture relay;
  const auto refused = relay.ctl({"account", "add", "crm", "--send-as", "@example.com"}, "password\n");
  EXPECT_EQ(refused.status, 64);
  EXPECT_NE(refused.err.find("use --password-stdin"), std::string::npos) << refused.err;
}

/// A relay whose next hop refuses every connection: all that is sent is deferred for an hour.
class OperatorQueue : public testing::Test {
 protected:
  void SetUp() override {
    auto sender = Submitter::logged_in(relay);
    for (const auto& [from, to] : {std::pair{"alice@example.com", "bob@example.net"},
                                   {"carol@example.com", "bob@example.net"},
                                   {"alice@example.com", "dora@example.org"}}) {
      ASSERT_TRUE(sender.submit(from, {to}, message("x", "y", from)).starts_with("250"));
    }
    for (const auto& delivery : list(relay)) {
      const auto id = delivery->getValue<std::string>("id");
      ASSERT_EQ(state_of(wait_for(relay, id, waits)), "deferred");
    }
  }
  std::string id_to_dora() {
    return list(relay, {"--recipient", "dora@example.org", "--sender", "alice@example.com"})
        .at(0)
        ->getValue<std::string>("id");
  }

  RelayFixture relay{RelayFixture::Settings{{"delivery.route", "smtp://127.0.0.1:" + std::to_string(free_port())},
                                            {"delivery.retry", "1h"}}};
};

TEST_F(OperatorQueue, IsListedByEveryFilter) {
  struct Case {
    std::vector<std::string> filters;
    std::size_t count;
  };
  // Of the three messages to two new recipients; a notification for each stands beside them, from <>.
  for (const auto& [filters, count] : {Case{{"--sender", "carol@example.com"}, 1},
                                       {{"--sender", "alice@example.com"}, 2},
                                       {{"--recipient", "bob@example.net", "--sender", "alice@example.com"}, 1},
                                       {{"--domain", "example.org", "--sender", "alice@example.com"}, 1},
                                       {{"--domain", "example.com"}, 0},
                                       {{"--error", "refused", "--sender", "alice@example.com"}, 2},
                                       {{"--error", "no such words"}, 0},
                                       {{"--state", "deferred", "--sender", "carol@example.com"}, 1},
                                       {{"--state", "held"}, 0},
                                       {{"--older-than", "1h"}, 0},
                                       {{"--limit", "1"}, 1}}) {
    std::string said;
    for (const auto& word : filters) said += word + " ";
    EXPECT_EQ(list(relay, filters).size(), count) << said;
  }
  const auto names = list(relay, {"--sender", "carol@example.com"}).at(0)->getNames();
  EXPECT_EQ(names,
            (std::vector<std::string>{"account", "attempts", "created", "domain", "from", "id", "key", "last_response",
                                      "message", "next_attempt", "recipient", "size", "state"}));
  const auto page = json(relay, {"queue", "list", "--limit", "2"});
  const auto rest = json(relay, {"queue", "list", "--limit", "100", "--cursor", page->getValue<std::string>("cursor")});
  EXPECT_EQ(page->getArray("deliveries")->size() + rest->getArray("deliveries")->size(), list(relay).size());
  EXPECT_TRUE(rest->isNull("cursor"));
  EXPECT_TRUE(json(relay, {"queue", "show", id_to_dora()})->isArray("history"));
}

TEST_F(OperatorQueue, ActionsAreSeenByTheDeliverer) {
  const std::string id = id_to_dora();
  const int before = attempts_of(*json(relay, {"queue", "show", id}));
  EXPECT_EQ(relay.ctl({"queue", "retry", id, "--dry-run"}).out, "1 matched, 1 would change\n");
  EXPECT_EQ(attempts_of(*json(relay, {"queue", "show", id})), before);
  EXPECT_EQ(relay.ctl({"queue", "retry", id}).out, "1 matched, 1 changed\n");
  const auto retried =
      wait_for(relay, id, [&](const Object& now) { return waits(now) && attempts_of(now) == before + 1; });
  EXPECT_EQ(attempts_of(*retried), before + 1) << "attempted once, at once";

  EXPECT_EQ(relay.ctl({"queue", "hold", "--recipient", "dora@example.org", "--sender", "alice@example.com"}).out,
            "1 matched, 1 changed\n");
  EXPECT_EQ(state_of(json(relay, {"queue", "show", id})), "held");
  EXPECT_EQ(relay.ctl({"queue", "release", id}).out, "1 matched, 1 changed\n");
  const auto released =
      wait_for(relay, id, [&](const Object& now) { return waits(now) && attempts_of(now) == before + 2; });
  EXPECT_EQ(attempts_of(*released), before + 2) << "a released delivery goes on at once";

  EXPECT_EQ(relay.ctl({"queue", "drop", id}).out, "1 matched, 1 changed\n");
  EXPECT_EQ(state_of(json(relay, {"queue", "show", id})), "dropped");
  EXPECT_EQ(relay.ctl({"queue", "retry", id}).out, "1 matched, 0 changed\n") << "it is over";
  EXPECT_EQ(list(relay, {"--sender", "carol@example.com"}).size(), 1U) << "the others are left alone";
}

}  // namespace
}  // namespace sealpost::test
