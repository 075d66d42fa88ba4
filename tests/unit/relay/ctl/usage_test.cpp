// SPDX-License-Identifier: Apache-2.0
// How sealpostctl is spoken to: help of every command, usage errors (64), wrong settings (78), Redis away (69), and no
// secret as an argument.
#include <gmock/gmock.h>

#include <algorithm>
#include <regex>

#include "tests/unit/relay/ctl/ctl_fixture.h"

namespace sealpost::ctl {

void PrintTo(const Subcommand& row, std::ostream* out) { *out << row.name; }

namespace {

namespace po = boost::program_options;
using test::Ran;
using test::run_ctl;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> words_of(const Subcommand& row) {
  std::istringstream text(row.name);
  return {std::istream_iterator<std::string>(text), std::istream_iterator<std::string>()};
}

Ran run_with(const Subcommand& row, const std::vector<std::string>& more) {
  auto arguments = words_of(row);
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_ctl(arguments);
}

po::options_description options_of(const Subcommand& row) {
  po::options_description options;
  if (row.declare) row.declare(options);
  return options;
}

class EachCommand : public testing::TestWithParam<Subcommand> {};

TEST_P(EachCommand, HelpNeedsNeitherSettingsNorRedis) {
  const auto& row = GetParam();
  const Ran ran = run_with(row, {"--help"});
  EXPECT_EQ(ran.status, EX_OK);
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out, StartsWith("Usage: sealpostctl " + row.name));
  EXPECT_THAT(ran.out, HasSubstr(row.arguments + "\n" + row.summary + "\n"));
  EXPECT_THAT(ran.out, HasSubstr("--json"));
  const auto options = options_of(row);
  for (const auto& option : options.options()) EXPECT_THAT(ran.out, HasSubstr("--" + option->long_name()));
}

TEST_P(EachCommand, MissingArgumentsAreUsageErrors) {
  const auto& row = GetParam();
  if (row.positional.empty()) return;
  const Ran ran = run_with(row, {});
  EXPECT_EQ(ran.status, EX_USAGE);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, StartsWith("sealpostctl " + row.name + ": "));
}

TEST_P(EachCommand, StrayArgumentsAreUsageErrors) {
  const auto& row = GetParam();
  if (!row.repeated.empty()) return;  // takes any number of them
  const Ran ran = run_with(row, std::vector<std::string>(row.positional.size() + 1, "word"));
  EXPECT_EQ(ran.status, EX_USAGE);
  EXPECT_THAT(ran.err, HasSubstr("too many positional options"));
}

TEST_P(EachCommand, UnknownAndShortenedOptionsAreRefused) {
  const auto& row = GetParam();
  const std::vector<std::string> operands(row.positional.size(), "word");
  std::vector<std::string> wrong = {"--no-such-option", "--jso", "--hel"};
  const auto options = options_of(row);
  for (const auto& option : options.options()) {
    wrong.push_back("--" + option->long_name().substr(0, option->long_name().size() - 1));
  }
  for (const auto& option : wrong) {
    auto arguments = operands;
    arguments.push_back(option);
    const Ran ran = run_with(row, arguments);
    EXPECT_EQ(ran.status, EX_USAGE) << option;
    EXPECT_THAT(ran.err, HasSubstr(option)) << option;
  }
}

/// Arguments show in ps and in shell histories.
TEST_P(EachCommand, TakesNoSecretAsAnArgument) {
  const std::regex secret("pass|secret|code|token|private", std::regex::icase);
  const auto options = options_of(GetParam());
  for (const auto& option : options.options()) {
    if (std::regex_search(option->long_name(), secret)) {
      EXPECT_EQ(option->semantic()->max_tokens(), 0U) << option->long_name();
    }
  }
  for (const auto& name : GetParam().positional) EXPECT_FALSE(std::regex_search(name, secret)) << name;
}

TEST_P(EachCommand, WrongSettingsAre78) {
  const auto& row = GetParam();
  if (row.run_alone) return;  // check makes findings of them
  const test::TempDir directory;
  const std::string file = directory.write("sealpost.conf", "[smtp]\nlisten = here\n");
  std::vector<std::string> arguments = {"--config=" + file};
  for (const auto& word : words_of(row)) arguments.push_back(word);
  arguments.insert(arguments.end(), row.positional.size(), "1");
  if (row.name == "account add") arguments.insert(arguments.end(), {"--send-as", "@example.com"});
  if (row.name == "queue reroute") arguments.insert(arguments.end(), {"--to", "mx"});
  const Ran ran = run_ctl(arguments);
  EXPECT_EQ(ran.status, EX_CONFIG);
  EXPECT_EQ(ran.err, "sealpostctl: " + file + ": smtp.listen: not host:port: here (or off)\n");
}

INSTANTIATE_TEST_SUITE_P(Table, EachCommand, testing::ValuesIn(subcommands()),
                         [](const auto& info) { return std::regex_replace(info.param.name, std::regex(" "), "_"); });

TEST(Usage, TheTableIsTheContracts) {
  std::vector<std::string> names;
  for (const auto& row : subcommands()) names.push_back(row.name);
  EXPECT_THAT(names, testing::ElementsAre(
                         "account add", "account list", "account remove", "account password", "token create",
                         "token list", "token revoke", "queue summary", "queue list", "queue show", "queue why",
                         "queue retry", "queue hold", "queue release", "queue drop", "queue bounce", "queue reroute",
                         "queue verify", "top", "explain", "suppression list", "suppression clear", "webhook add",
                         "webhook list", "webhook remove", "key show", "key assign", "key pool status", "key pool fill",
                         "key ca", "key history", "key resend", "key revoke", "audit list", "audit verify", "check"));
}

TEST(Usage, HelpListsEveryCommand) {
  const Ran ran = run_ctl({"--help"});
  EXPECT_EQ(ran.status, EX_OK);
  for (const auto& row : subcommands()) EXPECT_THAT(ran.out, HasSubstr("\n  " + row.name)) << row.name;
  EXPECT_EQ(run_ctl({"help"}).out, ran.out);
}

struct UsageCase {
  std::string name;
  std::vector<std::string> arguments;
  std::string says;
};
void PrintTo(const UsageCase& row, std::ostream* out) { *out << row.name; }

class UsageError : public testing::TestWithParam<UsageCase> {};

TEST_P(UsageError, Is64AndSaysWhy) {
  const Ran ran = run_ctl(GetParam().arguments);
  EXPECT_EQ(ran.status, EX_USAGE);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, UsageError,
    testing::Values(UsageCase{"Nothing", {}, "Usage: sealpostctl"},
                    UsageCase{"UnknownCommand", {"frobnicate"}, "unknown command: frobnicate"},
                    UsageCase{"UnknownSubcommand", {"queue", "frobnicate"}, "queue needs one of: summary, list, show"},
                    UsageCase{"HalfACommand", {"account"}, "account needs one of: add, list, remove, password"},
                    UsageCase{"HalfOfThreeWords", {"key", "pool"}, "key needs one of: show, assign, pool status"},
                    UsageCase{"ConfigWithoutFile", {"--config"}, "--config needs a file"},
                    UsageCase{"ConfigWithoutFileAtTheEnd", {"check", "--config"}, "--config needs a file"},
                    UsageCase{"ConfigTwice", {"--config=a", "check", "--config=b"}, "--config is given twice"},
                    UsageCase{"ConfigMisspelt", {"--configuration", "x", "check"}, "unknown command: --configuration"},
                    UsageCase{"WithoutItsWord", {"key", "show"}, "key show: ADDRESS is missing"},
                    UsageCase{"WithoutItsOption", {"account", "add", "x"}, "account add: --send-as is missing"}),
    [](const auto& info) { return info.param.name; });

TEST(Exit, RedisAwayIs69AndTheDaemonIsAskedFor) {
  const test::TempDir directory;
  const std::string file = directory.write("sealpost.conf", "[relay]\nstate_dir = " + directory.path().string() + "\n");
  const Ran ran = run_ctl({"--config", file, "queue", "summary"});
  EXPECT_EQ(ran.status, EX_UNAVAILABLE);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("is sealpostd running?"));
}

}  // namespace
}  // namespace sealpost::ctl
