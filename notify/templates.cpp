// SPDX-License-Identifier: Apache-2.0
// Implements templates.h.
#include "notify/templates.h"

#include <algorithm>

#include "base/encoding.h"
#include "notify/operator_folder.h"
#include "notify/template_table.h"
#include "notify_templates.h"

namespace sealpost {
namespace {

TemplateKind kind_of(std::string_view file) {
  return file.ends_with(".html") ? TemplateKind::Html : TemplateKind::Text;
}

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// What is wrong with a placeholder of this layout; empty when nothing is.
std::string check_placeholder(const TemplateRow& row, const Placeholder& placeholder, const Languages& languages) {
  const auto& name = placeholder.name;
  if (placeholder.kind == Placeholder::Kind::Sentence) {
    const auto sentence = languages.variables().find(name);
    if (sentence == languages.variables().end()) return "unknown sentence: _" + name;
    for (const auto& variable : sentence->second) {
      if (!contains(row.values, variable))
        return std::string("the sentence _")
            .append(name)
            .append(" needs {{")
            .append(variable)
            .append("}}, unknown here");
    }
    return {};
  }
  const bool markup = contains(row.markup, name);
  if (!markup && !contains(row.values, name)) return "unknown variable: " + name;
  if (markup && placeholder.kind == Placeholder::Kind::Value) return name + " is markup: {{{" + name + "}}}";
  if (!markup && placeholder.kind == Placeholder::Kind::Markup) return name + " is no markup: {{" + name + "}}";
  return {};
}

}  // namespace

Result<std::string> Wording::fill(std::string_view file, const TemplateValues& values) const {
  const TemplateRow* row = find_template(file);
  const std::string* text = templates_->layout(file);
  if (row == nullptr || text == nullptr) return Error::internal("no template: " + std::string(file));
  for (const auto& [name, value] : values) {
    if (contains(row->values, name) || contains(row->markup, name)) continue;
    return Error::internal("template " + std::string(file) + ": no variable " + name);
  }
  // Whether or not this layout uses them: another one may.
  if (values.size() != row->values.size() + row->markup.size()) {
    return Error::internal("template " + std::string(file) + ": a variable is missing");
  }
  return sealpost::fill(*text, kind_of(file), values, language_->sentences);
}

Result<std::string> Wording::sentence(std::string_view name, const TemplateValues& values) const {
  const auto found = language_->sentences.find(name);
  if (found == language_->sentences.end()) return Error::internal("no sentence: " + std::string(name));
  return sealpost::fill(found->second, TemplateKind::Text, values);
}

Result<Templates> Templates::load(const std::string& folder) {
  auto own = read_operator_folder(folder);
  if (!own) return own.error();
  const auto in_folder = [&](const Error& error) { return Error::invalid(folder + "/" + error.public_text); };
  auto languages = Languages::load(*own);
  if (!languages) return in_folder(languages.error());
  Templates all(*std::move(languages));
  all.style_ = embedded_templates::style_css;
  for (const auto& row : template_table()) {
    if (auto added = all.add_layout(std::string(row.file), std::string(row.embedded)); !added) return added.error();
  }
  for (const auto& [file, content] : *own) {
    if (auto taken = all.take(file, content); !taken) return in_folder(taken.error());
  }
  return all;
}

Status Templates::take(const std::string& file, const std::string& content) {
  if (file.starts_with("languages/")) return {};
  if (file == "style.css") {
    style_ = content;
    return {};
  }
  if (file == "logo.svg" || file == "logo.png") {
    if (logo_) return Error::invalid(file + ": there is another logo beside it");
    logo_ = Logo{file.ends_with("svg") ? "image/svg+xml" : "image/png", content};
    return {};
  }
  return add_layout(file, content);
}

Status Templates::add_layout(const std::string& file, const std::string& content) {
  const TemplateRow* row = find_template(file);
  if (row == nullptr) return Error::invalid(file + ": not the name of a template");
  if (!is_utf8(content)) return Error::invalid(file + ": holds octets that are no UTF-8");
  auto found = placeholders(content);
  if (!found) return Error::invalid(file + ": " + found.error().public_text);
  for (const auto& placeholder : *found) {
    const auto why = check_placeholder(*row, placeholder, languages_);
    if (why.empty()) continue;
    return Error::invalid(
        std::string(file).append(": line ").append(std::to_string(placeholder.line)).append(": ").append(why));
  }
  layouts_.insert_or_assign(file, content);
  return {};
}

Result<Templates> load_templates(const NotifySettings& settings, const RecipientDomains& recipient_domains) {
  auto templates = Templates::load(settings.templates);
  if (!templates) return Error::invalid("notify.templates: " + templates.error().public_text);
  const auto& languages = templates->languages();
  const auto missing = [](const std::string& key, const std::string& language) {
    return Error::invalid(key + ": there are no words in this language: " + language);
  };
  if (!languages.has(settings.language)) return missing("notify.language", settings.language);
  for (const auto& [domain, recipient] : recipient_domains) {
    if (recipient.language.empty() || languages.has(recipient.language)) continue;
    return missing("recipient.domain." + domain + ".language", recipient.language);
  }
  return templates;
}

const std::string* Templates::layout(std::string_view file) const {
  const auto found = layouts_.find(file);
  return found == layouts_.end() ? nullptr : &found->second;
}

}  // namespace sealpost
