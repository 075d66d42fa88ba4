// SPDX-License-Identifier: Apache-2.0
// New codes within their limits, nobody learns which addresses are known, and a flood of requests holds up nobody else.
#include <condition_variable>
#include <mutex>

#include "tests/unit/notify/notifier_fixture.h"

namespace sealpost {
namespace {

using test::address;
using test::NotifierTest;

TEST_F(NotifierTest, SendsANewCodeToTheStoredSpelling) {
  notified("Bob@example.net");
  EXPECT_EQ(resend({"bOB@EXAMPLE.net"}, 1), 1U);
}

TEST_F(NotifierTest, AnswersUnknownAddressesWithSilence) {
  EXPECT_EQ(resend({"nobody@example.net", "eve@example.net"}, 0), 0U);
  EXPECT_EQ(keys->redis.command({"KEYS", "pickup:*nobody*"})->size(), 0U) << "nor does anything remember the request";
}

TEST_F(NotifierTest, SendsOneNewCodeInAQuarterOfAnHourAndFiveADay) {
  notified("bob@example.net");
  EXPECT_EQ(resend({"bob@example.net", "bob@example.net"}, 1), 1U);
  EXPECT_EQ(resend({"bob@example.net"}, 0), 0U);
  const auto pause = [&] {
    const auto names = keys->redis.command({"KEYS", "pickup:*:resend:bob@example.net"}).value();
    ASSERT_EQ(names.size(), 1U);
    const auto left = keys->redis.command({"PTTL", std::string(names[0].text())})->integer();
    EXPECT_LE(left, 15 * 60 * 1000);
    EXPECT_GT(left, 10 * 60 * 1000);
    ASSERT_TRUE(keys->redis.command({"DEL", std::string(names[0].text())}));
  };
  for (int i = 0; i < 4; ++i) {
    pause();
    EXPECT_EQ(resend({"bob@example.net"}, 1), 1U) << i;
  }
  pause();
  EXPECT_EQ(resend({"bob@example.net"}, 0), 0U) << "a sixth one";
  EXPECT_EQ(resend({"eve@example.net"}, 0), 0U);
}

TEST_F(NotifierTest, NewCodesDoNotUseUpTheSendersNotices) {
  const auto notice = notified("bob@example.net");
  lock_latest(notice);
  EXPECT_EQ(resend({"bob@example.net"}, 1), 1U);
  notifier->sent("bob@example.net", false);
  ASSERT_TRUE(remind("bob@example.net"));
  EXPECT_EQ(serve().size(), 1U);
}

TEST_F(NotifierTest, NewCodeGivesAPairThatExpiredToo) {
  settings.interim_lifetime = day;
  restart();
  notified("bob@example.net");
  clock.advance(day * 2);
  EXPECT_EQ(resend({"bob@example.net"}, 1), 1U) << "it opens the mail that was sealed to it";
}

TEST_F(NotifierTest, FloodOfRequestsForNewCodesDoesNotHoldUpTheOutbox) {
  constexpr int waiting = 40;
  for (int i = 0; i < waiting; ++i) assign("user" + std::to_string(i) + "@example.net");
  EXPECT_EQ(serve().size(), std::size_t{waiting});
  std::mutex mutex;
  std::condition_variable changed;
  int put = 0;
  int new_one = 0;  // the number of its put
  auto running = make_notifier(random, [&] {
    const std::lock_guard lock(mutex);
    if (++put == 1) assign("new@example.net");
    if (new_one == 0 && store->latest("new@example.net").value()) new_one = put;
    changed.notify_all();
  });
  for (int i = 0; i < waiting; ++i) {
    running->resend(address("user" + std::to_string(i) + "@example.net"), "192.0.2." + std::to_string(i));
  }
  running->start();
  std::unique_lock lock(mutex);
  EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return put == waiting + 1; })) << put;
  lock.unlock();
  running->stop();
  EXPECT_EQ(new_one, 17) << "after the sixteen requests of one round";
}

TEST_F(NotifierTest, DroppedRequestsForNewCodesAreLoggedOnceAMinute) {
  const auto dropped_lines = [&] {
    const std::string log = log_file.text();
    std::vector<std::string> lines;
    for (auto at = log.find("notifier.resends_dropped"); at != std::string::npos;
         at = log.find("notifier.resends_dropped", at + 1)) {
      lines.push_back(log.substr(at, log.find('\n', at) - at));
    }
    return lines;
  };
  for (int i = 0; i < 8 + 5; ++i) notifier->resend(address("user" + std::to_string(i) + "@example.net"), network);
  EXPECT_EQ(dropped_lines(), std::vector<std::string>{"notifier.resends_dropped count=1"});
  clock.advance(std::chrono::minutes(1));
  notifier->resend(address("one-more@example.net"), network);
  EXPECT_EQ(dropped_lines(),
            (std::vector<std::string>{"notifier.resends_dropped count=1", "notifier.resends_dropped count=5"}));
}

}  // namespace
}  // namespace sealpost
