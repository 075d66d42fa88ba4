// SPDX-License-Identifier: Apache-2.0
// Short words for the tests of Pickup: open with a code, look for what Redis holds, have a new code sent.
#pragma once

#include <string>
#include <vector>

#include "tests/unit/notify/notify_fixture.h"

namespace sealpost::test {

class PickupTest : public NotifyTest {
 protected:
  PickupFault fault_of(const SentNotice& notice, const std::string& code) {
    auto opened = open(notice.token, code);
    EXPECT_FALSE(opened);
    return opened ? PickupFault::Failed : opened.error().fault;
  }
  unsigned attempts_left(const SentNotice& notice, const std::string& code) {
    auto opened = open(notice.token, code);
    EXPECT_FALSE(opened);
    return opened ? 0 : opened.error().attempts_left;
  }
  std::string session_of(const SentNotice& notice) {
    auto session = open(notice.token, notice.code);
    EXPECT_TRUE(session) << session.error().error.public_text;
    return session ? std::string(session->reveal()) : std::string();
  }
  std::string only(const std::string& pattern) {
    const auto names = keys->redis.command({"KEYS", pattern}).value();
    EXPECT_EQ(names.size(), 1U) << pattern;
    return names.size() == 1 ? std::string(names[0].text()) : std::string();
  }
  std::string only_link() { return only("pickup:*:link:*"); }
  SentNotice resent(const std::string& mailbox) {
    notifier->start();
    notifier->resend(address(mailbox), "192.0.2.7");
    std::vector<SentNotice> notices;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (notices.empty() && std::chrono::steady_clock::now() < deadline) notices = sent();
    notifier->stop();
    notifier = make_notifier(random, [] {});
    return notices.empty() ? SentNotice{} : notices.front();
  }
};

}  // namespace sealpost::test
