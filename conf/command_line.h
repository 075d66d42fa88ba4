// SPDX-License-Identifier: Apache-2.0
// sealpostd's command line: --config, --print-config, --help, --version, and every setting as --section.key=value.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace sealpost {

struct CommandLine {
  std::string config;
  bool print_config = false;
  bool help = false;
  bool version = false;
  std::vector<std::pair<std::string, std::string>> settings;
};

/// Invalid for abbreviations, stray arguments and options without a value.
Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments);
std::string daemon_help();

}  // namespace sealpost
