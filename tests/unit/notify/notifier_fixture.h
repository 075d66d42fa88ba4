// SPDX-License-Identifier: Apache-2.0
// Short words for the tests of Notifier: serve what is due, take over after a crash, ask for new codes.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "tests/unit/notify/notify_fixture.h"

namespace sealpost::test {

class NotifierTest : public NotifyTest {
 protected:
  static constexpr std::chrono::minutes claim_lifetime{1};
  static inline const std::string network = "192.0.2.7";

  std::vector<SentNotice> serve() {
    EXPECT_TRUE(notifier->serve_outbox());
    return sent();
  }
  /// After a crash: another process takes the claim over, and its links are the ones that open.
  void expect_exactly_one(const std::string& mailbox) {
    clock.advance(claim_lifetime);
    notifier = make_notifier(random, [] {});
    const auto notices = serve();
    ASSERT_EQ(notices.size(), 1U) << mailbox;
    EXPECT_EQ(notices[0].recipient, mailbox);
    EXPECT_TRUE(open(notices[0].token, notices[0].code));
    const auto latest = store->latest(mailbox).value();
    ASSERT_TRUE(latest);
    EXPECT_EQ(latest->id, store->find(notices[0].token)->id) << "what was sent is what reminders look at";
    clock.advance(day);
    EXPECT_TRUE(serve().empty()) << "and no second one later";
  }
  /// Runs the notifier's own thread until it has put so many notices, or has looked at all requests.
  std::size_t resend(const std::vector<std::string>& mailboxes, std::size_t expected) {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t put = 0;
    auto running = make_notifier(random, [&] {
      const std::lock_guard lock(mutex);
      ++put;
      changed.notify_all();
    });
    // One that is always answered, at the end: when it is, the ones before are through.
    const std::string mark = "mark" + std::to_string(++marks_) + "@example.net";
    assign(mark);
    EXPECT_TRUE(notifier->serve_outbox());
    EXPECT_FALSE(sent().empty());
    running->start();
    for (const auto& mailbox : mailboxes) running->resend(address(mailbox), network);
    running->resend(address(mark), network);
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return put >= expected + 1; })) << put;
    lock.unlock();
    running->stop();
    std::size_t count = 0;
    for (const auto& notice : sent()) count += notice.recipient == mark ? 0 : 1;
    EXPECT_EQ(count, put - 1);
    return count;
  }
  Status remind(const std::string& mailbox) {
    const auto key = keys->directory.find(address(mailbox)).value();
    return notifier->remind(*key, address(mailbox), introduction);
  }
  void lock_latest(const SentNotice& notice) {
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(open(notice.token, wrong_code()));
  }

 private:
  int marks_ = 0;
};

}  // namespace sealpost::test
