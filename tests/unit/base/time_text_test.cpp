// SPDX-License-Identifier: Apache-2.0
// Times, spans and rates in a line of text.
#include "base/time_text.h"

#include <gtest/gtest.h>

namespace sealpost {
namespace {

using namespace std::chrono_literals;

TEST(TimeText, AgesAreOneNumber) {
  EXPECT_EQ(age_text(0), "0 s");
  EXPECT_EQ(age_text(119), "119 s");
  EXPECT_EQ(age_text(120), "2 min");
  EXPECT_EQ(age_text(7200), "2 h");
  EXPECT_EQ(age_text(172800), "2 d");
}

TEST(TimeText, MomentsSayHowFarTheyAre) {
  const Time noon = from_milliseconds(1'769'860'800'000);
  EXPECT_EQ(moment_text(noon + 300s, noon), "2026-01-31T12:05:00Z (in 5 min)");
  EXPECT_EQ(moment_text(noon, noon + 3h), "2026-01-31T12:00:00Z (3 h ago)");
}

TEST(TimeText, DecimalsAreOne) {
  EXPECT_EQ(decimal_text(0), "0.0");
  EXPECT_EQ(decimal_text(12.25), "12.2");
  EXPECT_EQ(decimal_text(1234.96), "1235.0");
  EXPECT_EQ(decimal_text(1e300).size(), 303U);
}

}  // namespace
}  // namespace sealpost
