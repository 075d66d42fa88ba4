// SPDX-License-Identifier: Apache-2.0
// The routes of pickup and key server over real parts, spoken to through the HTTP conversation without sockets.
#pragma once

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <map>
#include <memory>
#include <string>

#include "base/memory_budget.h"
#include "crypto/key_routes.h"
#include "notify/pickup_routes.h"
#include "tests/support/http_direct.h"
#include "tests/unit/notify/notify_fixture.h"

namespace sealpost::test {

struct Answer {
  int status = 0;
  std::string head;
  std::string body;

  /// Value of a header field, empty when absent.
  [[nodiscard]] std::string field(const std::string& name) const { return after(head, "\r\n" + name + ": "); }
  [[nodiscard]] Poco::JSON::Object::Ptr json() const {
    return Poco::JSON::Parser().parse(body).extract<Poco::JSON::Object::Ptr>();
  }
  /// A member of a JSON object; empty when it is absent or null.
  [[nodiscard]] std::string member(const std::string& name) const {
    const auto value = json()->get(name);
    return value.isEmpty() ? std::string() : value.convert<std::string>();
  }
};

class RoutesTest : public NotifyTest {
 protected:
  using Fields = std::map<std::string, std::string>;

  void SetUp() override {
    NotifyTest::SetUp();
    page_context = std::make_unique<PickupRoutesContext>(
        PickupRoutesContext{*pickup, *notifier, keys->master, Pages("relay.example.org", public_url), public_url});
    key_context = std::make_unique<KeyRoutesContext>(KeyRoutesContext{
        keys->directory, keys->authority.pem().value(),
        [this](const std::string&, const EmailAddress&) { return Result<bool>(may_assign); }, [this] { ++assigned; }});
    router.add(pickup_page_routes(*page_context));
    router.add(pickup_api_routes(*page_context));
    router.add(key_routes(*key_context));
    context.options.trusted_proxies = {"192.0.2.9"};
  }

  /// A request from `peer` ("127.0.0.1" counts as secure), answered on a connection of its own.
  Answer call(const std::string& method, const std::string& path, const std::string& body = {}, Fields fields = {},
              const std::string& peer = "127.0.0.1") {
    std::string request = method + " " + path + " HTTP/1.1\r\n";
    fields.emplace("Host", "relay.example.org");
    if (!body.empty() || method == "POST") fields.emplace("Content-Length", std::to_string(body.size()));
    for (const auto& [name, value] : fields) request += name + ": " + value + "\r\n";
    http::Direct connection(context, {peer, peer, peer == "127.0.0.1", false});
    const std::string said = connection.say(request + "\r\n" + body);
    const auto end = said.find("\r\n\r\n");
    return {http::status_of(said), said.substr(0, end + 2), end == std::string::npos ? "" : said.substr(end + 4)};
  }
  static Fields bearer(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }
  static std::string session_path(const SentNotice& notice) { return "/v1/pickup/" + notice.token + "/session"; }
  static std::string pkcs12_path(const SentNotice& notice) { return "/v1/pickup/" + notice.token + "/pkcs12"; }
  static std::string code_body(const std::string& code) { return R"({"code":")" + code + "\"}"; }
  /// As after damage: what the directory holds of the address is no record of ours.
  void damage_record(const std::string& address_key) {
    const auto names = keys->redis.command({"KEYS", "keys:*:address:" + address_key}).value();
    ASSERT_EQ(names.size(), 1U);
    ASSERT_TRUE(keys->redis.command({"HSET", std::string(names[0].text()), "current", std::string(100, 'x')}));
  }
  Fields session(const SentNotice& notice) {
    const auto opened = call("POST", session_path(notice), code_body(notice.code));
    EXPECT_EQ(opened.status, 200) << opened.body;
    return bearer(opened.member("session"));
  }

  http::Router router;
  http::KnownTokens tokens;
  MemoryBudget budget{1'000'000};
  http::ServerContext context{router, tokens, budget, log, {}};
  std::unique_ptr<PickupRoutesContext> page_context;
  std::unique_ptr<KeyRoutesContext> key_context;
  bool may_assign = true;
  int assigned = 0;
};

}  // namespace sealpost::test
