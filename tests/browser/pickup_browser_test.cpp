// SPDX-License-Identifier: Apache-2.0
// The pickup pages in a real Chromium, behind a real relay: each case is one recipient (tests/browser/pickup_test.py).
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <ostream>
#include <string>

#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"

namespace sealpost::test {
namespace {

struct Visit {
  const char* name;
  const char* script_case;
};
void PrintTo(const Visit& visit, std::ostream* out) { *out << visit.name; }

class PickupInChromium : public ::testing::TestWithParam<Visit> {
 protected:
  void keep_pictures(const TempDir& place) {
    // For people to look at; each run replaces them.
    const std::filesystem::path kept = SCREENSHOT_DIR;
    std::filesystem::create_directories(kept);
    for (const auto& entry : std::filesystem::directory_iterator(place.path())) {
      if (entry.path().extension() != ".png") continue;
      std::filesystem::copy_file(entry.path(), kept / entry.path().filename(),
                                 std::filesystem::copy_options::overwrite_existing);
    }
  }
  RelayFixture relay;
};

TEST_P(PickupInChromium, Works) {
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("x", "y")).starts_with("250"));
  const auto link = read_notification(relay.notifications("bob@example.net", 1).at(0));
  const TempDir place;
  const auto visited =
      run({"/usr/bin/python3", SOURCE_DIR "/tests/browser/pickup_test.py", GetParam().script_case}, {},
          {{"LINK", "http://127.0.0.1:" + std::to_string(relay.port("http")) + "/pickup/" + link.token},
           {"CODE", link.code},
           {"PLACE", place.path().string()},
           {"HOME", place.path().string()}},
          std::chrono::seconds(240));
  EXPECT_EQ(visited.status, 0) << visited.out << visited.err;
  keep_pictures(place);
}

INSTANTIATE_TEST_SUITE_P(Browser, PickupInChromium,
                         testing::Values(Visit{"LinkToKeyFile", "with_script"},
                                         Visit{"LinkToKeyFileWithoutScript", "without_script"},
                                         Visit{"WrongCodesUntilLocked", "wrong_code"},
                                         Visit{"KeyboardOnly", "keyboard_only"}, Visit{"Pictures", "pictures"}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace sealpost::test
