// SPDX-License-Identifier: Apache-2.0
// Fills the templates of mails and pages: {{name}} is replaced and escaped for where it stands, {{{name}}} takes
// ready-made markup.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sealpost {

enum class TemplateKind { Text, Html };
using TemplateValues = std::map<std::string, std::string, std::less<>>;

/// Internal for a name without a value or an unclosed brace: a template that cannot be filled is a fault of ours, never
/// shown half.
Result<std::string> fill(std::string_view text, TemplateKind kind, const TemplateValues& values);

}  // namespace sealpost
