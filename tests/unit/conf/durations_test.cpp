// SPDX-License-Identifier: Apache-2.0
// Which durations may be zero: those that it means something for.
#include <utility>

#include "tests/unit/conf/settings_fixture.h"

namespace sealpost::test {
namespace {

using LeastDurations = SettingsTest;

/// "smtp.idle_timeout" with that value.
std::string line(const std::string& key, const std::string& value) {
  const auto dot = key.find('.');
  return "[" + key.substr(0, dot) + "]\n" + key.substr(dot + 1) + " = " + value + "\n";
}

TEST_F(LeastDurations, ThatMustLastAreASecondAtLeast) {
  for (const std::string key : {"smtp.idle_timeout", "delivery.max_age", "delivery.suppress_for",
                                "keys.interim_lifetime", "notify.code_lifetime"}) {
    for (const std::string value : {"0", "0s", "0d", "999ms"}) {
      std::string expected("sealpost.conf: ");
      expected.append(key).append(": less than 1s: ").append(value);
      EXPECT_EQ(complaint(line(key, value)), expected);
    }
    EXPECT_EQ(complaint(line(key, "1s")), "");
  }
}

TEST_F(LeastDurations, OthersMayBeZero) {
  for (const std::string key : {"relay.drain_timeout", "delivery.warn_after", "queue.history"}) {
    EXPECT_EQ(complaint(line(key, "0")), "") << key;
  }
}

}  // namespace
}  // namespace sealpost::test
