// SPDX-License-Identifier: Apache-2.0
// The routes of pickup and key server over real parts, spoken to through the HTTP conversation without sockets.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/memory_budget.h"
#include "crypto/key_routes.h"
#include "notify/pickup_routes.h"
#include "tests/support/http_direct.h"
#include "tests/unit/notify/notify_fixture.h"

namespace sealpost::test {

using http::Answer;

class RoutesTest : public NotifyTest {
 protected:
  using Fields = std::map<std::string, std::string>;

  void SetUp() override {
    NotifyTest::SetUp();
    page_context = std::make_unique<PickupRoutesContext>(
        PickupRoutesContext{*pickup, *choices, *notifier, keys->master,
                            PageSite(templates, "relay.example.org", public_url), public_url, "en"});
    crl = std::make_unique<CrlPublisher>(keys->redis, keys->master, keys->authority, clock, log);
    key_context = std::make_unique<KeyRoutesContext>(KeyRoutesContext{
        keys->directory, *crl, clock, keys->authority.pem().value(),
        [this](const std::string&, const EmailAddress&) { return Result<bool>(may_assign); }, [this] { ++assigned; }});
    router.add(pickup_page_routes(*page_context));
    router.add(key_page_routes(*page_context));
    router.add(pickup_api_routes(*page_context));
    router.add(key_routes(*key_context));
    context.options.trusted_proxies = {"192.0.2.9"};
  }

  Answer call(const std::string& method, const std::string& path, const std::string& body = {}, Fields fields = {},
              const std::string& peer = "127.0.0.1") {
    return http::ask(context, method, path, body, std::move(fields), peer);
  }
  /// The same, waiting as long as the answer says after wrong codes.
  Answer patient_call(const std::string& method, const std::string& path, const std::string& body,
                      const Fields& fields = {}) {
    auto answer = call(method, path, body, fields);
    while (answer.status == 429) {
      clock.advance(std::chrono::seconds(std::stoi(answer.field("Retry-After"))));
      answer = call(method, path, body, fields);
    }
    return answer;
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
  std::unique_ptr<CrlPublisher> crl;
  std::unique_ptr<KeyRoutesContext> key_context;
  bool may_assign = true;
  int assigned = 0;
};

}  // namespace sealpost::test
