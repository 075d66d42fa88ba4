// SPDX-License-Identifier: Apache-2.0
// Fills the templates of mails and pages: {{name}} is replaced and escaped for where it stands, {{{name}}} takes
// ready-made markup, {{_name}} is the sentence of that name, filled with the same values and escaped as a whole.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sealpost {

enum class TemplateKind { Text, Html };
using TemplateValues = std::map<std::string, std::string, std::less<>>;
/// What one language says, by name.
using Sentences = std::map<std::string, std::string, std::less<>>;

struct Placeholder {
  enum class Kind { Value, Markup, Sentence };
  Kind kind = Kind::Value;
  std::string name;      ///< of a sentence without the underscore
  std::size_t line = 0;  ///< counted from 1
};

/// All of them in order. Invalid with "line N: reason" for an unclosed brace or something that is no name.
Result<std::vector<Placeholder>> placeholders(std::string_view text);

/// Internal for a name without a value or an unclosed brace: a template that cannot be filled is a fault of ours, never
/// shown half.
Result<std::string> fill(std::string_view text, TemplateKind kind, const TemplateValues& values,
                         const Sentences& sentences = {});

}  // namespace sealpost
