// SPDX-License-Identifier: Apache-2.0
// The layouts of mails and pages with the words of every language: the embedded ones, over them the operator's, checked
// once at the start. A Wording is what one reader is shown.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/template.h"
#include "conf/settings.h"
#include "notify/languages.h"

namespace sealpost {

class Templates;

/// All layouts in one language. Refers to its Templates.
class Wording final {
 public:
  Wording(const Templates& templates, const Languages::Language& language)
      : templates_(&templates), language_(&language) {}

  [[nodiscard]] const std::string& language() const { return language_->tag; }
  /// A layout, such as "code.html", filled. Internal unless the values are exactly those of its row in the table.
  [[nodiscard]] Result<std::string> fill(std::string_view file, const TemplateValues& values) const;
  /// A sentence as plain text. Internal for one that does not exist, or without a value for one of its variables.
  [[nodiscard]] Result<std::string> sentence(std::string_view name, const TemplateValues& values = {}) const;
  [[nodiscard]] bool has(std::string_view name) const { return language_->sentences.contains(name); }

 private:
  const Templates* templates_;
  const Languages::Language* language_;
};

struct Logo {
  std::string content_type;
  std::string octets;
};

class Templates final {
 public:
  /// `folder`: notify.templates, may be empty. Invalid with file, line and reason: an unknown file, name or variable,
  /// an unclosed brace, a malformed line.
  static Result<Templates> load(const std::string& folder);

  /// In English when there is no such language.
  [[nodiscard]] Wording in(std::string_view tag) const { return {*this, languages_.of(tag)}; }
  [[nodiscard]] const Languages& languages() const { return languages_; }
  [[nodiscard]] const std::string& style() const { return style_; }
  [[nodiscard]] const std::optional<Logo>& logo() const { return logo_; }
  /// The layout of a row of the table; nothing for another name.
  [[nodiscard]] const std::string* layout(std::string_view file) const;

 private:
  explicit Templates(Languages languages) : languages_(std::move(languages)) {}
  Status take(const std::string& file, const std::string& content);
  Status add_layout(const std::string& file, const std::string& content);
  Languages languages_;
  std::map<std::string, std::string, std::less<>> layouts_;
  std::string style_;
  std::optional<Logo> logo_;
};

/// As the settings say. Invalid, with the key in front, also for a language that there are no words in.
Result<Templates> load_templates(const NotifySettings& settings, const RecipientDomains& recipient_domains);

}  // namespace sealpost
