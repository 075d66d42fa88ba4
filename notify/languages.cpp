// SPDX-License-Identifier: Apache-2.0
// Implements languages.h.
#include "notify/languages.h"

#include <algorithm>

#include "base/encoding.h"
#include "notify/language_file.h"
#include "notify_languages.h"

namespace sealpost {
namespace {

constexpr std::string_view folder = "languages/";
constexpr std::string_view extension = ".txt";

/// A sentence holds plain variables, neither markup nor other sentences.
Result<std::set<std::string>> variables_of(const std::string& sentence) {
  std::set<std::string> names;
  auto found = placeholders(sentence);
  // A sentence has one line, and the file's is told instead.
  if (!found) return Error::invalid(found.error().public_text.substr(std::string_view("line 1: ").size()));
  for (const auto& placeholder : *found) {
    if (placeholder.kind != Placeholder::Kind::Value) return Error::invalid("only {{name}} may stand in a sentence");
    names.insert(placeholder.name);
  }
  return names;
}

bool is_tag(std::string_view text) {
  return text.size() >= 2 && text.size() <= 35 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
         });
}

}  // namespace

Result<Languages> Languages::load(const NamedFiles& own) {
  Languages all;
  // English first: the others are measured by it.
  for (const auto& [tag, content] :
       {std::pair{"en", languages::en_txt}, std::pair{"de", languages::de_txt}, std::pair{"fr", languages::fr_txt},
        std::pair{"es", languages::es_txt}, std::pair{"ja", languages::ja_txt}}) {
    if (auto added = all.add(std::string(folder) + tag + ".txt", tag, content); !added) return added.error();
  }
  for (const auto& [file, content] : own) {
    if (!file.starts_with(folder)) continue;
    const std::string_view name = std::string_view(file).substr(folder.size());
    if (!name.ends_with(extension) || !is_tag(name.substr(0, name.size() - extension.size()))) {
      return Error::invalid(file + ": not the name of a language's file, such as languages/pt-BR.txt");
    }
    const std::string tag(name.substr(0, name.size() - extension.size()));
    if (auto added = all.add(file, tag, content); !added) return added.error();
  }
  return all;
}

Status Languages::add(const std::string& file, const std::string& tag, std::string_view content) {
  auto parsed = parse_language_file(content);
  if (!parsed) return Error::invalid(file + ": " + parsed.error().public_text);
  const bool original = languages_.empty();
  Sentences sentences = has(tag) ? of(tag).sentences : original ? Sentences() : languages_.front().sentences;
  for (auto& [name, sentence] : *parsed) {
    const auto bad = [&, line = sentence.line](const std::string& why) {
      std::string text = file + ": line " + std::to_string(line) + ": ";
      return Error::invalid(text.append(why));
    };
    auto variables = variables_of(sentence.text);
    if (!variables) return bad(variables.error().public_text);
    if (original) variables_.emplace(name, *variables);
    const auto known = variables_.find(name);
    if (known == variables_.end()) return bad("unknown name: " + name);
    for (const auto& variable : *variables) {
      if (!known->second.contains(variable)) return bad("unknown variable: " + variable);
    }
    sentences[name] = std::move(sentence.text);
  }
  const auto same = std::find_if(languages_.begin(), languages_.end(),
                                 [&](const Language& language) { return ascii_iequals(language.tag, tag); });
  if (same != languages_.end()) {
    same->sentences = std::move(sentences);
  } else {
    languages_.push_back({tag, std::move(sentences)});
  }
  return {};
}

const Languages::Language* Languages::find(std::string_view tag) const {
  const auto found = std::find_if(languages_.begin(), languages_.end(),
                                  [&](const Language& language) { return ascii_iequals(language.tag, tag); });
  return found == languages_.end() ? nullptr : &*found;
}

const Languages::Language& Languages::of(std::string_view tag) const {
  const Language* found = find(tag);
  return found == nullptr ? languages_.front() : *found;
}

std::vector<std::string> Languages::tags() const {
  std::vector<std::string> all;
  for (const auto& language : languages_) all.push_back(language.tag);
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace sealpost
