// SPDX-License-Identifier: Apache-2.0
// Forgetting a key reaches the mail that waits with it.
#include "notify/recipient_side.h"
#include "tests/unit/notify/routes_fixture.h"

namespace sealpost::test {
namespace {

class WithdrawnMailTest : public NotifyTest {
 protected:
  void SetUp() override {
    notify_settings.mode = NotifyMode::Attach;
    NotifyTest::SetUp();
    side = std::make_unique<RecipientSide>(
        RecipientSide::Parts{keys->redis, keys->master, keys->directory, keys->life, *queue, view(), clock, random,
                             log},
        notifier_options(), OwnCertificatePolicy{{}, true},
        RecipientSide::Hooks{[] {}, [](const std::string&, const KeyRecord&) { return Status(); }});
    router.add(side->routes());
  }
  QueueView& view() {
    if (!view_) view_ = std::make_unique<QueueView>(keys->redis, clock);
    return *view_;
  }
  Answer call(const SentNotice& notice, const std::string& what, const std::string& body, const std::string& session) {
    return http::ask(context, "POST", "/v1/pickup/" + notice.token + "/" + what, body,
                     {{"Authorization", "Bearer " + session}}, "127.0.0.1");
  }
  std::size_t notifications_waiting() {
    std::size_t waiting = 0;
    for (const auto& mail : sent()) waiting += mail.notification ? 1 : 0;
    return waiting;
  }

  http::Router router;
  http::KnownTokens tokens;
  MemoryBudget budget{1'000'000};
  http::ServerContext context{router, tokens, budget, log, {}};
  std::unique_ptr<RecipientSide> side;

 private:
  std::unique_ptr<QueueView> view_;
};

TEST_F(WithdrawnMailTest, MailThatWaitsWithAForgottenKeyDoesNotLeave) {
  const auto notice = notified("bob@example.net");
  const auto other = notified("eve@example.net");
  const std::string session = call(notice, "session", R"({"code":")" + notice.code + "\"}", {}).member("session");
  ASSERT_TRUE(notifier->send_new_code(address("bob@example.net")));
  ASSERT_TRUE(notifier->send_new_code(address("eve@example.net")));
  ASSERT_EQ(call(notice, "forget", "{}", session).status, 200);
  EXPECT_EQ(notifications_waiting(), 1U) << "eve's";
  EXPECT_TRUE(*store->failed("bob@example.net")) << "the next message brings another";
  EXPECT_FALSE(*store->failed("eve@example.net"));
}

}  // namespace
}  // namespace sealpost::test
