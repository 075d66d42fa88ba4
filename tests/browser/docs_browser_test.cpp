// SPDX-License-Identifier: Apache-2.0
// The page of the API in a real Chromium, on a desk and on a phone (tests/browser/docs_test.py).
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/e2e/relay_fixture.h"

namespace sealpost::test {
namespace {

TEST(DocsInChromium, CanBeReadEverywhere) {
  const RelayFixture relay;
  const TempDir place;
  const auto visited = run({"/usr/bin/python3", "-B", SOURCE_DIR "/tests/browser/docs_test.py"}, {},
                           {{"PAGE", "http://127.0.0.1:" + std::to_string(relay.port("http")) + "/docs"},
                            {"PLACE", place.path().string()},
                            {"HOME", place.path().string()}},
                           std::chrono::seconds(240));
  EXPECT_EQ(visited.status, 0) << visited.out << visited.err;
  // For people to look at; each run replaces them.
  const std::filesystem::path kept = SCREENSHOT_DIR;
  std::filesystem::create_directories(kept);
  for (const auto& entry : std::filesystem::directory_iterator(place.path())) {
    if (entry.path().extension() != ".png") continue;
    std::filesystem::copy_file(entry.path(), kept / entry.path().filename(),
                               std::filesystem::copy_options::overwrite_existing);
  }
}

}  // namespace
}  // namespace sealpost::test
