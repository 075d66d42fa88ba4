// SPDX-License-Identifier: Apache-2.0
// Implements command_line.h on Boost.Program_options, with its guessing turned off.
#include "conf/command_line.h"

#include <algorithm>
#include <boost/program_options.hpp>

#include "conf/keys.h"

namespace sealpost {
namespace {

namespace po = boost::program_options;

po::options_description all_options() {
  po::options_description options;
  auto add = options.add_options();
  add("config", po::value<std::string>());
  add("print-config", "");
  add("help", "");
  add("version", "");
  for (const auto& key : setting_keys()) add(key.name.c_str(), po::value<std::string>());
  return options;
}

}  // namespace

Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments) {
  CommandLine result;
  try {
    const auto options = all_options();
    const int style = po::command_line_style::allow_long | po::command_line_style::long_allow_adjacent |
                      po::command_line_style::long_allow_next;
    const auto parsed = po::command_line_parser(arguments).options(options).style(style).run();
    for (const auto& option : parsed.options) {
      if (option.position_key >= 0) return Error::invalid("command line: stray argument " + option.value.front());
      if (option.string_key == "print-config") {
        result.print_config = true;
      } else if (option.string_key == "help") {
        result.help = true;
      } else if (option.string_key == "version") {
        result.version = true;
      } else if (option.value.empty() || option.value.front().empty()) {
        return Error::invalid("command line: " + option.string_key + ": has no value");
      } else if (option.string_key == "config") {
        if (!result.config.empty()) return Error::invalid("command line: config: given twice");
        result.config = option.value.front();
      } else {
        result.settings.emplace_back(option.string_key, option.value.front());
      }
    }
  } catch (const po::error& why) {
    return Error::invalid(std::string("command line: ") + why.what());
  }
  return result;
}

std::string daemon_help() {
  std::string text =
      "Usage: sealpostd [--config FILE] [--section.key=value ...]\n\n"
      "  --config FILE    settings (/etc/sealpost/sealpost.conf, when it is there)\n  --print-config   show the "
      "effective settings and exit\n"
      "  --version        show the version and exit\n\nSettings:\n";
  for (const auto& key : setting_keys()) {
    std::string left = "  --" + key.name;
    left.resize(std::max<std::size_t>(left.size() + 1, 38), ' ');
    text += left + key.meaning + (key.default_value.empty() ? "" : " (" + key.default_value + ")") + "\n";
  }
  return text;
}

}  // namespace sealpost
