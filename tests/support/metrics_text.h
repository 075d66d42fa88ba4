// SPDX-License-Identifier: Apache-2.0
// Prometheus' text format as tests read it.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>

namespace sealpost::test {

/// Value of a series, written as in the text: `name{a="1",b="2"}`, labels by their names; nothing when it is not there.
inline std::optional<double> sample(const std::string& text, const std::string& series) {
  const std::string line = "\n" + series + " ";
  const std::string all = "\n" + text;
  const auto at = all.find(line);
  if (at == std::string::npos) return std::nullopt;
  return std::strtod(all.c_str() + at + line.size(), nullptr);
}

}  // namespace sealpost::test
