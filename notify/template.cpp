// SPDX-License-Identifier: Apache-2.0
// Implements template.h.
#include "notify/template.h"

#include "base/encoding.h"

namespace sealpost {

Result<std::string> fill(std::string_view text, TemplateKind kind, const TemplateValues& values) {
  std::string out;
  while (true) {
    const auto open = text.find("{{");
    out += text.substr(0, open);
    if (open == std::string_view::npos) return out;
    const bool ready_made = text.substr(open, 3) == "{{{";
    const std::string_view close = ready_made ? "}}}" : "}}";
    const auto begin = open + close.size();
    const auto end = text.find(close, begin);
    if (end == std::string_view::npos) return Error::internal("template: unclosed {{");
    const auto name = text.substr(begin, end - begin);
    const auto value = values.find(name);
    if (value == values.end()) return Error::internal("template: no value for " + std::string(name));
    out += kind == TemplateKind::Html && !ready_made ? html_escape(value->second) : value->second;
    text.remove_prefix(end + close.size());
  }
}

}  // namespace sealpost
