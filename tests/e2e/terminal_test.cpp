// SPDX-License-Identifier: Apache-2.0
// The operator's tool on a terminal: top redraws in place until Ctrl-C; an action on many deliveries asks first, shows
// how far it is, and goes on where an interruption ended it.
#include "tests/support/terminal.h"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <algorithm>
#include <regex>
#include <thread>

#include "crypto/master_key.h"
#include "queue/mail_queue.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/support/address.h"
#include "tests/support/build.h"
#include "tests/support/log_file.h"

namespace sealpost::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class OnATerminal : public testing::Test {
 protected:
  static std::vector<std::string> command(const std::vector<std::string>& words) {
    std::vector<std::string> argv = {program("sealpostctl"), "--config", relay_->config()};
    argv.insert(argv.end(), words.begin(), words.end());
    return argv;
  }
  /// Deliveries that are held at once, as many as an operator acts on in several steps.
  static void put_held(std::size_t count, const std::string& domain) {
    SystemRandom random;
    SystemClock clock;
    LogFile log(clock);
    redis::Client redis(relay_->redis_endpoint(), std::chrono::seconds(20));
    MasterKey master = MasterKey::open(relay_->state_dir() + "/master.key", redis, random).value();
    MailQueue queue(redis, master, clock, random, log.log, std::chrono::seconds(60));
    const auto put = [&](std::size_t i) {
      const auto to = address("user" + std::to_string(i) + "@" + domain);
      Addressee addressee{to, to.domain().a_label(), std::string(64, 'a'), "interim", {}};
      addressee.hold = "set aside by a test";
      const auto done = queue.put(Notice(Notice::Kind::KeyEvent, WipedBuffer(16, 'x')),
                                  {queue.new_id(), "app", std::nullopt, {}, false, clock.now()}, addressee);
      EXPECT_TRUE(done) << done.error().internal_detail;
    };
    constexpr std::size_t threads = 16;  // Redis syncs once for all that wait for it
    std::vector<std::jthread> putters;
    for (std::size_t t = 0; t < std::min(threads, count); ++t) {
      putters.emplace_back([&, t] {
        for (std::size_t i = t; i < count; i += threads) put(i);
      });
    }
  }
  static std::size_t dropped() {
    const std::string text = relay_->ctl({"queue", "summary"}).out;
    std::smatch found;
    return std::regex_search(text, found, std::regex("(^|\n)dropped: (\\d+)")) ? std::stoul(found[2]) : 0;
  }
  static void SetUpTestSuite() { relay_ = new RelayFixture(); }
  static void TearDownTestSuite() { delete relay_; }
  static RelayFixture* relay_;
};
RelayFixture* OnATerminal::relay_ = nullptr;

TEST_F(OnATerminal, TopRedrawsInPlaceUntilCtrlC) {
  Terminal terminal(command({"top", "--interval", "1"}));
  const std::string screen = terminal.shown("DESTINATION", 3);
  EXPECT_THAT(screen, HasSubstr("\033[?25l")) << "the cursor is hidden";
  EXPECT_THAT(screen, HasSubstr("\033[Hsealpost ")) << "each picture begins at home";
  terminal.type("\x03");
  const int status = terminal.next_status();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_THAT(terminal.shown("\033[?25h"), HasSubstr("\033[?25h")) << "the cursor is back";
}

TEST_F(OnATerminal, NothingIsDoneWithoutAYes) {
  put_held(3, "asked.example");
  Terminal no(command({"queue", "drop", "--domain", "asked.example", "--json"}));
  ASSERT_THAT(no.shown("Go on? [y/N] "), HasSubstr("3 matched, 3 would change. Go on? [y/N] "));
  no.type("n\n");
  EXPECT_EQ(no.next_status(), 0);
  EXPECT_THAT(no.shown("nothing was changed"), HasSubstr("nothing was changed"));
  EXPECT_EQ(dropped(), 0U);
  Terminal yes(command({"queue", "release", "--domain", "asked.example", "--dry-run"}));
  EXPECT_EQ(yes.next_status(), 0);
  EXPECT_THAT(yes.shown("would change"), Not(HasSubstr("Go on?"))) << "a count asks nobody";
  Terminal sure(command({"queue", "drop", "--domain", "asked.example"}));
  static_cast<void>(sure.shown("Go on? [y/N] "));
  sure.type("y\n");
  EXPECT_EQ(sure.next_status(), 0);
  EXPECT_THAT(sure.shown("3 changed"), HasSubstr("[########################################] 3/3"));
  EXPECT_EQ(dropped(), 3U);
}

TEST_F(OnATerminal, AnInterruptionEndsBetweenTwoStepsAndTheCursorGoesOn) {
  constexpr std::size_t all = 12'000;
  const std::size_t before = dropped();
  put_held(all, "bulk.example");
  Terminal terminal(command({"queue", "drop", "--domain", "bulk.example", "--yes"}));
  ASSERT_THAT(terminal.shown("/12000"), HasSubstr("/12000"));
  terminal.type("\x03");
  const int status = terminal.next_status();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 75) << status;
  const std::string screen = terminal.shown("--cursor ");
  std::smatch told;
  ASSERT_TRUE(std::regex_search(screen, told, std::regex("go on with the same filter and --cursor (\\S+)"))) << screen;
  const std::string cursor = told[1];
  const std::size_t first = dropped() - before;
  EXPECT_GT(first, 0U);
  EXPECT_LT(first, all);
  const auto rest = relay_->ctl({"queue", "drop", "--domain", "bulk.example", "--cursor", cursor});
  EXPECT_EQ(rest.status, 0) << rest.err;
  const std::string left = std::to_string(all - first);
  EXPECT_EQ(rest.out, left + " matched, " + left + " changed\n");
  EXPECT_EQ(dropped() - before, all);
}

}  // namespace
}  // namespace sealpost::test
