// SPDX-License-Identifier: Apache-2.0
// A store that is there but refuses: the reason reaches the operator, with the settings to look at.
#include <gmock/gmock.h>

#include <algorithm>

#include "queue/durability.h"
#include "relay/ctl/doctor.h"
#include "tests/support/fakes.h"
#include "tests/unit/relay/ctl/ctl_fixture.h"

namespace sealpost::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class StoreTrouble : public CtlTest {};

TEST_F(StoreTrouble, AWrongPasswordIsToldAsSuch) {
  RedisServer guarded({"--requirepass", "right"});
  const std::string password = directory_->write("password", "wrong\n");
  const std::string file =
      write_settings("guarded.conf", {{"redis.url", guarded.url()}, {"redis.password_file", password}});
  const Ran ran = run_ctl({"--config", file, "queue", "summary"});
  EXPECT_EQ(ran.status, EX_UNAVAILABLE);
  EXPECT_THAT(ran.err, HasSubstr("WRONGPASS"));
  const Ran checked = run_ctl({"--config", file, "check"});
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(checked.out,
              testing::ContainsRegex("redis: .*WRONGPASS.*look at redis.username and redis.password_file"));
  EXPECT_THAT(run_ctl({"--config", write_settings("open.conf", {{"redis.url", guarded.url()}}), "check"}).out,
              testing::ContainsRegex("redis: .*NOAUTH.*look at redis.username and redis.password_file"));
  EXPECT_THAT(ran.err + checked.out, Not(HasSubstr("wrong\n"))) << "the password stays in its file";
}

TEST_F(StoreTrouble, AFullStoreIsAFinding) {
  redis::Client redis(redis_->endpoint(), std::chrono::seconds(10));
  EXPECT_THAT(ctl({"check"}).out, Not(HasSubstr("452")));
  const auto before = read_memory(redis);
  ASSERT_TRUE(before);
  ASSERT_TRUE(redis.command({"CONFIG", "SET", "maxmemory", std::to_string(before->used + before->used / 10)}));
  const Ran ran = ctl({"check"});
  ASSERT_TRUE(redis.command({"CONFIG", "SET", "maxmemory", std::to_string(before->limit)}));
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, HasSubstr("redis: 80 % of maxmemory are in use: all mail is refused with 452 ("));
  EXPECT_THAT(ran.out, HasSubstr("or raise maxmemory)"));
}

TEST_F(StoreTrouble, AnExpiredCaIsAFinding) {
  const SystemClock today;
  Log log(LogLevel::Error, LogFormat::Text, today);
  const auto has_it = [&](const Clock& clock) {
    const auto findings = ctl::examine({*directory_ / "sealpost.conf", {}, {}}, clock, log);
    return std::any_of(findings.begin(), findings.end(), [](const auto& finding) {
      return finding.check == "ca" && finding.text.find("the issuing CA has expired") != std::string::npos;
    });
  };
  EXPECT_FALSE(has_it(today));
  EXPECT_TRUE(has_it(ManualClock(to_milliseconds(today.now() + std::chrono::hours(24 * 36500)))));
}

}  // namespace
}  // namespace sealpost::test
