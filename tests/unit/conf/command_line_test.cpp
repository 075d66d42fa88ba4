// SPDX-License-Identifier: Apache-2.0
// sealpostd's command line: every setting is an option, and nothing is guessed.
#include "conf/command_line.h"

#include <gtest/gtest.h>

#include "conf/keys.h"

namespace sealpost {
namespace {

TEST(CommandLine, TakesItsOptionsAndEverySetting) {
  std::vector<std::string> arguments = {"--config", "/etc/sealpost.conf", "--print-config"};
  for (const auto& key : setting_keys()) arguments.push_back("--" + key.name + "=v");
  const auto parsed = parse_command_line(arguments);
  ASSERT_TRUE(parsed) << parsed.error().public_text;
  EXPECT_EQ(parsed->config, "/etc/sealpost.conf");
  EXPECT_TRUE(parsed->print_config);
  EXPECT_FALSE(parsed->help);
  EXPECT_FALSE(parsed->version);
  ASSERT_EQ(parsed->settings.size(), setting_keys().size());
  EXPECT_EQ(parsed->settings.front(), (std::pair<std::string, std::string>("relay.hostname", "v")));
}

TEST(CommandLine, TakesValuesWithBlanksAndEquals) {
  const auto parsed = parse_command_line({"--notify.from=A B <a=b@example.com>", "--smtp.listen", "off"});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->settings[0].second, "A B <a=b@example.com>");
  EXPECT_EQ(parsed->settings[1].second, "off");
}

TEST(CommandLine, KnowsHelpAndVersion) {
  EXPECT_TRUE(parse_command_line({"--help"})->help);
  EXPECT_TRUE(parse_command_line({"--version"})->version);
}

class BadCommandLine : public ::testing::TestWithParam<std::vector<std::string>> {};
TEST_P(BadCommandLine, IsRefused) {
  const auto parsed = parse_command_line(GetParam());
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().kind, ErrorKind::Invalid);
  EXPECT_TRUE(parsed.error().public_text.starts_with("command line: ")) << parsed.error().public_text;
}
using Arguments = std::vector<std::string>;
INSTANTIATE_TEST_SUITE_P(Forms, BadCommandLine,
                         ::testing::Values(Arguments{"stray"}, Arguments{"--conf", "x"}, Arguments{"--smtp.lis=off"},
                                           Arguments{"--smtp.listen="}, Arguments{"--smtp.listen"},
                                           Arguments{"--config"}, Arguments{"--config="}, Arguments{"-c", "x"},
                                           Arguments{"--SMTP.listen=off"}, Arguments{"--help=yes"},
                                           Arguments{"--config", "a", "--config", "b"}, Arguments{"--", "x"}));

TEST(DaemonHelp, NamesEverySettingWithItsDefault) {
  const std::string help = daemon_help();
  for (const auto& key : setting_keys()) {
    EXPECT_NE(help.find("\n  --" + key.name + " "), std::string::npos) << key.name;
    EXPECT_NE(help.find(key.meaning), std::string::npos) << key.name;
  }
}

}  // namespace
}  // namespace sealpost
