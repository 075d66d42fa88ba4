// SPDX-License-Identifier: Apache-2.0
// Implements language_file.h.
#include "notify/language_file.h"

#include <algorithm>

#include "base/encoding.h"

namespace sealpost {
namespace {

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_clean(std::string_view line) {
  const bool control = std::any_of(line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  return !control && is_utf8(line) && !has_unicode_control(line);
}

/// Reads line by line; what it returns is what is wrong with the line.
class Reader final {
 public:
  /// Empty when the line is fine.
  std::string take(std::string_view line, std::size_t number) {
    const bool indented = line.starts_with(' ') || line.starts_with('\t');
    const auto text = trimmed(line);
    if (text.empty() || text.starts_with('#')) return {};
    if (indented) return go_on(text);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return "not name = sentence";
    const auto name = trimmed(text.substr(0, equals));
    if (!is_name(name)) return "not a name of small letters, digits and _: " + std::string(name);
    const auto [place, first] = sentences_.emplace(name, WrittenSentence{});
    if (!first) return "given twice: " + std::string(name);
    current_ = &place->second;
    *current_ = {std::string(trimmed(text.substr(equals + 1))), number};
    return {};
  }
  std::map<std::string, WrittenSentence> sentences() && { return std::move(sentences_); }

 private:
  std::string go_on(std::string_view text) {
    if (current_ == nullptr) return "continues nothing";
    if (!current_->text.empty()) current_->text += ' ';
    current_->text += text;
    return {};
  }
  std::map<std::string, WrittenSentence> sentences_;
  WrittenSentence* current_ = nullptr;
};

}  // namespace

Result<std::map<std::string, WrittenSentence>> parse_language_file(std::string_view content) {
  Reader reader;
  const auto bad = [](std::size_t line, const std::string& why) {
    return Error::invalid("line " + std::to_string(line) + ": " + why);
  };
  for (std::size_t number = 1; !content.empty(); ++number) {
    auto line = content.substr(0, content.find('\n'));
    content.remove_prefix(std::min(content.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::string spaced(line);
    std::replace(spaced.begin(), spaced.end(), '\t', ' ');
    if (!is_clean(spaced)) return bad(number, "holds controls, or octets that are no UTF-8");
    if (const auto why = reader.take(spaced, number); !why.empty()) return bad(number, why);
  }
  auto sentences = std::move(reader).sentences();
  for (const auto& [name, sentence] : sentences) {
    if (sentence.text.empty()) return bad(sentence.line, "an empty sentence: " + name);
  }
  return sentences;
}

}  // namespace sealpost
