// SPDX-License-Identifier: Apache-2.0
// Loading settings from text as tests want it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "conf/loader.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

class SettingsTest : public ::testing::Test {
 protected:
  Result<LoadedSettings> load(const std::string& text, std::vector<std::pair<std::string, std::string>> options = {},
                              std::vector<std::string> environment = {}) {
    return load_settings({dir.write("sealpost.conf", text), std::move(options), std::move(environment)});
  }

  /// The complaint without the file's folder; empty when the settings load.
  std::string complaint(const std::string& text, std::vector<std::pair<std::string, std::string>> options = {},
                        std::vector<std::string> environment = {}) {
    const auto loaded = load(text, std::move(options), std::move(environment));
    if (loaded) return {};
    EXPECT_EQ(loaded.error().kind, ErrorKind::Invalid);
    std::string message = loaded.error().public_text;
    const std::string folder = dir.path().string() + "/";
    for (auto at = message.find(folder); at != std::string::npos; at = message.find(folder)) {
      message.erase(at, folder.size());
    }
    return message;
  }

  TempDir dir;
};

}  // namespace sealpost::test
