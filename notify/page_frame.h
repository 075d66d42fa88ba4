// SPDX-License-Identifier: Apache-2.0
// What all pickup pages share: head with logo and steps, title, foot, problems, forms for a new code, choices of keys;
// in one reader's language.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conf/settings.h"
#include "notify/page_facts.h"
#include "notify/templates.h"

namespace sealpost {

/// Where the pages stand and what they are made of.
struct PageSite {
  /// `public_url`: http.public_url. Its path stands in front of every path that a page names: a proxy takes it off.
  PageSite(const Templates& all_templates, std::string name, std::string_view public_url,
           CodeTo code_goes_to = CodeTo::Recipient);

  const Templates* templates;
  std::string hostname;
  std::string root;  ///< "/pickup" behind the path of http.public_url
  CodeTo code_to;    ///< notify.code_to
};

enum class PickupStep { None, Code, Key, Import };

/// Values of a layout; the first one that could not be made is the layout's error.
using Pieces = std::map<std::string, Result<std::string>, std::less<>>;

class PageFrame final {
 public:
  PageFrame(const PageSite& site, std::string_view language) : site_(&site), wording_(site.templates->in(language)) {}

  [[nodiscard]] const Wording& wording() const { return wording_; }
  [[nodiscard]] const PageSite& site() const { return *site_; }
  /// A sentence that differs by who has the code: `name`, or `name`_sender.
  [[nodiscard]] Result<std::string> code_sentence(std::string_view name) const;
  /// "/PATH/pickup/TOKEN"; behind it what is `below`, with its slash.
  [[nodiscard]] std::string path(const std::string& token, std::string_view below = {}) const;
  [[nodiscard]] Result<std::string> layout(std::string_view file, const Pieces& pieces) const;
  /// A whole page; `title` names a sentence.
  [[nodiscard]] Result<std::string> page(std::string_view title, PickupStep step,
                                         const Result<std::string>& content) const;
  /// The box that tells what was wrong; nothing for an empty text.
  [[nodiscard]] Result<std::string> problem(const Result<std::string>& text) const;
  /// Attributes of the field that a problem is about: named by it, marked, and focused. It has a hint of its own, with
  /// the id `hint`, when `hinted`.
  [[nodiscard]] static std::string described(bool problem, bool hinted = true);
  [[nodiscard]] Result<std::string> resend_form() const;
  /// A link that looks like a button; `label` names a sentence.
  [[nodiscard]] Result<std::string> button(const std::string& target, std::string_view label) const;
  /// The field `fingerprint` for the keys at these places of `keys`: a choice, or the one that the page is about.
  /// Whatever becomes current meanwhile, the form means what was shown.
  [[nodiscard]] Result<std::string> key_choices(const std::vector<PageKey>& keys,
                                                const std::vector<std::size_t>& places) const;
  /// "Current key, made DATE", or "Earlier key, …" for all but the first one.
  [[nodiscard]] Result<std::string> key_description(const std::vector<PageKey>& keys, std::size_t place) const;

 private:
  [[nodiscard]] Result<std::string> head(PickupStep step) const;
  [[nodiscard]] Result<std::string> steps(PickupStep current) const;
  const PageSite* site_;
  Wording wording_;
};

}  // namespace sealpost
