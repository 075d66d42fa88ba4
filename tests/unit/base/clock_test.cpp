// SPDX-License-Identifier: Apache-2.0
// Times as text: vectors made by date(1).
#include "base/clock.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

struct ClockCase {
  const char* name;
  std::int64_t milliseconds;
  const char* rfc3339;
  const char* rfc5322;
};
class TimeText : public ::testing::TestWithParam<ClockCase> {};

TEST_P(TimeText, IsWritten) {
  const auto& param = GetParam();
  const Time time = from_milliseconds(param.milliseconds);
  EXPECT_EQ(to_rfc3339(time), param.rfc3339);
  EXPECT_EQ(to_rfc5322(time), param.rfc5322);
  EXPECT_EQ(to_utc_day(time), std::string(param.rfc3339).substr(0, 10));
}

INSTANTIATE_TEST_SUITE_P(
    Vectors, TimeText,
    ::testing::Values(
        ClockCase{"epoch", 0, "1970-01-01T00:00:00.000Z", "Thu, 1 Jan 1970 00:00:00 +0000"},
        ClockCase{"with_ms", 1'769'851'800'123, "2026-01-31T09:30:00.123Z", "Sat, 31 Jan 2026 09:30:00 +0000"},
        ClockCase{"leap_day", 1'709'164'799'999, "2024-02-28T23:59:59.999Z", "Wed, 28 Feb 2024 23:59:59 +0000"},
        ClockCase{"leap", 1'709'208'000'007, "2024-02-29T12:00:00.007Z", "Thu, 29 Feb 2024 12:00:00 +0000"},
        ClockCase{"far", 4'102'444'800'000, "2100-01-01T00:00:00.000Z", "Fri, 1 Jan 2100 00:00:00 +0000"}),
    [](const auto& info) { return info.param.name; });

TEST(ParseRfc3339, ReadsWhatIsWrittenAndAnyOffset) {
  EXPECT_EQ(parse_rfc3339("2026-01-31T09:30:00.123Z"), from_milliseconds(1'769'851'800'123));
  EXPECT_EQ(parse_rfc3339("2026-01-31T09:30:00Z"), from_milliseconds(1'769'851'800'000));
  EXPECT_EQ(parse_rfc3339("2026-01-31t11:30:00+02:00"), from_milliseconds(1'769'851'800'000));
  EXPECT_EQ(parse_rfc3339("2026-01-30T23:30:00.5-10:00"), from_milliseconds(1'769'851'800'500));
  EXPECT_EQ(parse_rfc3339("2024-02-29T12:00:00.007999Z"), from_milliseconds(1'709'208'000'007));
}

TEST(ParseRfc3339, RefusesEverythingElse) {
  for (const char* text : {"", "2026-01-31", "2026-01-31T09:30:00", "2026-01-31 09:30:00Z", "2026-02-30T09:30:00Z",
                           "2026-13-01T09:30:00Z", "2026-01-31T25:30:00Z", "2026-01-31T09:61:00Z",
                           "2026-01-31T09:30:00Zx", "2026-01-31T09:30:00.Z", "26-01-31T09:30:00Z", "1769851800"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(SystemClock, IsTheMachines) {
  const auto before = std::chrono::system_clock::now();
  const Time now = SystemClock().now();
  EXPECT_GE(now + std::chrono::milliseconds(1), before);
  EXPECT_LE(now, std::chrono::system_clock::now());
}

}  // namespace
}  // namespace sealpost
