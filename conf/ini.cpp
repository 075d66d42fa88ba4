// SPDX-License-Identifier: Apache-2.0
// Implements ini.h on Boost.Program_options, whose parser cuts a value at # in silence: such lines are found first.
#include "conf/ini.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <sstream>

#include "base/encoding.h"

namespace sealpost {
namespace {

namespace po = boost::program_options;

/// Stands for a # in quotes while Boost parses; cannot occur in a value.
constexpr char hidden_hash = '\x01';
constexpr std::string_view blanks = " \t\r";

bool is_quoted(const std::string& value) { return value.size() >= 2 && value.front() == '"' && value.back() == '"'; }

/// The line as Boost may read it.
Result<std::string> prepare(const std::string& line) {
  if (line.find(hidden_hash) != std::string::npos) return Error::invalid("holds a control character");
  const std::string text(trimmed(line, blanks));
  const auto equals = text.find('=');
  if (text.empty() || text.front() == '#' || equals == std::string::npos) return text;
  std::string value(trimmed(std::string_view(text).substr(equals + 1), blanks));
  if (is_quoted(value)) {
    value = value.substr(1, value.size() - 2);
    std::replace(value.begin(), value.end(), '#', hidden_hash);
  } else if (value.find('#') != std::string::npos) {
    return Error::invalid("a # behind a value: put the comment on a line of its own, or the value in double quotes");
  }
  return std::string(trimmed(std::string_view(text).substr(0, equals), blanks)) + "=" + value;
}

}  // namespace

Result<std::vector<IniEntry>> parse_ini(const std::string& content) {
  std::istringstream lines(content);
  std::ostringstream prepared;
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    auto text = prepare(line);
    if (!text) return Error::invalid("line " + std::to_string(number) + ": " + text.error().public_text);
    prepared << *text << '\n';
  }
  std::istringstream input(prepared.str());
  std::vector<IniEntry> entries;
  try {
    const po::options_description none;
    for (const auto& option : po::parse_config_file(input, none, true).options) {
      std::string value = option.value.empty() ? std::string() : option.value.front();
      std::replace(value.begin(), value.end(), hidden_hash, '#');
      entries.push_back({option.string_key, std::move(value)});
    }
  } catch (const po::error& why) {
    return Error::invalid(why.what());
  }
  return entries;
}

}  // namespace sealpost
