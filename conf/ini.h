// SPDX-License-Identifier: Apache-2.0
// The syntax of a settings file: [section], key = value, # comments. Knows no keys.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace sealpost {

struct IniEntry {
  std::string key;  ///< "section.key"
  std::string value;
};

/// Invalid for what could be misread: a # behind a value that is not in double quotes, a line that is no assignment.
Result<std::vector<IniEntry>> parse_ini(const std::string& content);

}  // namespace sealpost
