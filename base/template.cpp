// SPDX-License-Identifier: Apache-2.0
// Implements template.h.
#include "base/template.h"

#include <algorithm>

#include "base/encoding.h"

namespace sealpost {
namespace {

using Kind = Placeholder::Kind;

/// One placeholder and what stands around it.
struct Found {
  Kind kind = Kind::Value;
  std::string_view name;
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// The next one; of an unclosed one the name is empty and the end npos.
Found find_next(std::string_view text) {
  const auto open = text.find("{{");
  if (open == std::string_view::npos) return {Kind::Value, {}, open, open};
  const bool markup = text.substr(open, 3) == "{{{";
  const std::string_view close = markup ? "}}}" : "}}";
  const auto begin = open + close.size();
  const auto end = text.find(close, begin);
  if (end == std::string_view::npos) return {Kind::Value, {}, open, end};
  std::string_view name = text.substr(begin, end - begin);
  const bool sentence = !markup && name.starts_with('_');
  if (sentence) name.remove_prefix(1);
  return {sentence ? Kind::Sentence : markup ? Kind::Markup : Kind::Value, name, open, end + close.size()};
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::size_t lines_in(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

Result<std::vector<Placeholder>> placeholders(std::string_view text) {
  std::vector<Placeholder> all;
  std::size_t line = 1;
  while (true) {
    const Found found = find_next(text);
    if (found.begin == std::string_view::npos) return all;
    line += lines_in(text.substr(0, found.begin));
    const std::string place = "line " + std::to_string(line) + ": ";
    if (found.end == std::string_view::npos) return Error::invalid(place + "unclosed {{");
    if (!is_name(found.name)) return Error::invalid(place + "not a name between braces: " + std::string(found.name));
    all.push_back({found.kind, std::string(found.name), line});
    line += lines_in(text.substr(found.begin, found.end - found.begin));
    text.remove_prefix(found.end);
  }
}

Result<std::string> fill(std::string_view text, TemplateKind kind, const TemplateValues& values,
                         const Sentences& sentences) {
  std::string out;
  while (true) {
    const Found found = find_next(text);
    out += text.substr(0, found.begin);
    if (found.begin == std::string_view::npos) return out;
    if (found.end == std::string_view::npos) return Error::internal("template: unclosed {{");
    const auto& source = found.kind == Kind::Sentence ? sentences : values;
    const auto value = source.find(found.name);
    if (value == source.end()) return Error::internal("template: no value for " + std::string(found.name));
    // A sentence holds no markup and no sentence: it is escaped once, with its values in it.
    auto filled = found.kind == Kind::Sentence ? fill(value->second, TemplateKind::Text, values)
                                               : Result<std::string>(value->second);
    if (!filled) return filled;
    out += kind == TemplateKind::Html && found.kind != Kind::Markup ? html_escape(*filled) : *filled;
    text.remove_prefix(found.end);
  }
}

}  // namespace sealpost
