// SPDX-License-Identifier: Apache-2.0
// All that mails and pages say, in every language: the sentences of notify/languages, over them the operator's. What a
// language lacks is English.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/template.h"

namespace sealpost {

/// Files by their path below a folder.
using NamedFiles = std::map<std::string, std::string>;

class Languages final {
 public:
  /// `own`: the operator's files "languages/TAG.txt"; others are not looked at. Invalid with "file: line N: reason" for
  /// bad syntax, a name that English lacks, or a variable that its English sentence does not have.
  static Result<Languages> load(const NamedFiles& own);

  /// Case does not count (RFC 5646 section 2.1.1).
  [[nodiscard]] bool has(std::string_view tag) const { return find(tag) != nullptr; }
  struct Language {
    std::string tag;
    Sentences sentences;
  };
  /// English for a language that there is none of.
  [[nodiscard]] const Language& of(std::string_view tag) const;
  /// In the order of their tags.
  [[nodiscard]] std::vector<std::string> tags() const;
  /// The variables of each sentence, by name.
  [[nodiscard]] const std::map<std::string, std::set<std::string>, std::less<>>& variables() const {
    return variables_;
  }

 private:
  [[nodiscard]] const Language* find(std::string_view tag) const;
  Status add(const std::string& file, const std::string& tag, std::string_view content);
  std::vector<Language> languages_;
  std::map<std::string, std::set<std::string>, std::less<>> variables_;
};

}  // namespace sealpost
