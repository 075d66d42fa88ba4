// SPDX-License-Identifier: Apache-2.0
// The syntax of notify/languages/*.txt: `name = sentence`, # comments, an indented line continues the one before. Knows
// no names.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sealpost {

struct WrittenSentence {
  std::string text;
  std::size_t line = 0;  ///< where it begins, counted from 1
};

/// Invalid with "line N: reason" for what is no such line, a name given twice, an empty sentence, octets that are no
/// UTF-8 or controls.
Result<std::map<std::string, WrittenSentence>> parse_language_file(std::string_view content);

}  // namespace sealpost
