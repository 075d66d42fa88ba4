// SPDX-License-Identifier: Apache-2.0
// What the README says to copy and paste, copied and pasted: each sample submits a message, which arrives and opens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "tests/e2e/relay_fixture.h"
#include "tests/support/build.h"

namespace sealpost::test {
namespace {

using testing::HasSubstr;

/// The README's fenced blocks of one language, in order.
std::vector<std::string> blocks(const std::string& language) {
  const std::string readme = read_file(std::string(SOURCE_DIR) + "/README.md");
  const std::string begin = "\n```" + language + "\n";
  std::vector<std::string> found;
  for (auto at = readme.find(begin); at != std::string::npos; at = readme.find(begin, at + 1)) {
    const auto text = at + begin.size();
    found.push_back(readme.substr(text, readme.find("\n```\n", text) + 1 - text));
  }
  return found;
}

/// The demo's places, below a private directory, with a relay of the fixture's behind them.
class ReadmeSamples : public testing::Test {
 protected:
  ReadmeSamples() {
    const auto added =
        relay.ctl({"account", "add", "demo", "--send-as", "@example.com", "--password-stdin"}, "secret\n");
    EXPECT_EQ(added.status, 0) << added.err;
    namespace fs = std::filesystem;
    fs::create_directories(place / "build/demo");
    fs::create_symlink(build_directory() / "bin", place / "build/bin");
    fs::create_symlink(relay.config(), place / "build/demo/sealpost.conf");
    place.write("build/demo/netrc", "machine 127.0.0.1 login demo password secret\n");
  }

  /// In the place, with the ports that the relay has.
  std::string at_home(std::string text) {
    const std::string demo = "http://127.0.0.1:8080/";
    const auto at = text.find(demo);
    if (at != std::string::npos) {
      text.replace(at, demo.size(), "http://127.0.0.1:" + std::to_string(relay.port("http")) + "/");
    }
    return text;
  }
  Finished shell(const std::string& commands) {
    return run({"bash", "-euo", "pipefail", "-c", "cd '" + place.path().string() + "'\n" + commands});
  }
  /// The text of the n-th message to bob, which the samples write to.
  void expect_mail(std::size_t count, const std::string& text) {
    const auto mail = relay.sealed_mail("bob@example.net", count);
    ASSERT_EQ(mail.size(), count);
    if (!key) key = relay.pick_up(relay.notifications("bob@example.net", 1).at(0));
    std::string all;
    for (const auto& file : mail) all += relay.decrypt(file, *key);
    EXPECT_THAT(all, HasSubstr(text));
  }

  RelayFixture relay{RelayFixture::Settings{{"crypto.key_type", "rsa2048"}}};
  TempDir place;
  std::optional<PickedUp> key;
};

TEST_F(ReadmeSamples, EachSubmitsAMessageThatArrives) {
  const auto commands = blocks("sh");
  ASSERT_EQ(commands.size(), 2U);
  const auto by_curl = shell(at_home(commands[0]));
  ASSERT_EQ(by_curl.status, 0) << by_curl.err;
  EXPECT_THAT(by_curl.out, HasSubstr("\"status\":\"queued\""));
  expect_mail(1, "The price is 42.");

  const std::string token = commands[1];
  ASSERT_EQ(blocks("python").size(), 1U);
  place.write("sample.py", at_home(blocks("python")[0]));
  const auto by_python = shell(token + "python3 sample.py");
  ASSERT_EQ(by_python.status, 0) << by_python.err;
  EXPECT_EQ(by_python.out.size(), 27U) << by_python.out;
  expect_mail(2, "The contract is <b>attached</b>.");

  ASSERT_EQ(blocks("js").size(), 1U);
  place.write("sample.mjs", at_home(blocks("js")[0]));
  const auto by_node = shell(token + "node sample.mjs");
  ASSERT_EQ(by_node.status, 0) << by_node.err;
  EXPECT_EQ(by_node.out.size(), 27U) << by_node.out;
  expect_mail(3, "It is 1234.");
}

}  // namespace
}  // namespace sealpost::test
