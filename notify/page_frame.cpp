// SPDX-License-Identifier: Apache-2.0
// Implements page_frame.h.
#include "notify/page_frame.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/encoding.h"

namespace sealpost {
namespace {

/// "" or "/PATH"; the settings have checked the URL, and it ends without a slash.
std::string path_of(std::string_view url) {
  url.remove_prefix(std::min(url.size(), url.find("://") + 3));
  const auto slash = url.find('/');
  return slash == std::string_view::npos ? std::string() : std::string(url.substr(slash));
}

/// Enough of a fingerprint to tell two keys apart.
constexpr std::size_t short_fingerprint = 16;

}  // namespace

PageSite::PageSite(const Templates& all_templates, std::string name, std::string_view public_url, CodeTo code_goes_to)
    : templates(&all_templates),
      hostname(std::move(name)),
      root(path_of(public_url) + "/pickup"),
      code_to(code_goes_to) {}

Result<std::string> PageFrame::code_sentence(std::string_view name) const {
  return wording_.sentence(std::string(name) + (site_->code_to == CodeTo::Sender ? "_sender" : ""));
}

std::string PageFrame::path(const std::string& token, std::string_view below) const {
  return site_->root + "/" + token + std::string(below);
}

Result<std::string> PageFrame::layout(std::string_view file, const Pieces& pieces) const {
  TemplateValues values;
  for (const auto& [name, piece] : pieces) {
    if (!piece) return piece.error();
    values.emplace(name, *piece);
  }
  return wording_.fill(file, values);
}

Result<std::string> PageFrame::page(std::string_view title, PickupStep step, const Result<std::string>& content) const {
  return layout("page.html", {{"lang", wording_.language()},
                              {"title", wording_.sentence(title)},
                              {"style", site_->root + "/style.css"},
                              {"hostname", site_->hostname},
                              {"head", head(step)},
                              {"content", content}});
}

Result<std::string> PageFrame::head(PickupStep step) const {
  const bool logo = site_->templates->logo().has_value();
  if (!logo && step == PickupStep::None) return std::string();
  return layout("head.html",
                {{"logo", logo ? layout("logo.html", {{"source", site_->root + "/logo"}, {"hostname", site_->hostname}})
                               : std::string()},
                 {"steps", step == PickupStep::None ? std::string() : steps(step)}});
}

Result<std::string> PageFrame::steps(PickupStep current) const {
  constexpr std::array all = {std::pair{PickupStep::Code, "step_code"}, std::pair{PickupStep::Key, "step_key"},
                              std::pair{PickupStep::Import, "step_import"}};
  std::string items;
  int number = 0;
  for (const auto& [step, name] : all) {
    const auto* file = step < current ? "step_done.html" : step == current ? "step_current.html" : "step_later.html";
    auto item = layout(file, {{"number", std::to_string(++number)}, {"name", wording_.sentence(name)}});
    if (!item) return item;
    items += *item;
  }
  return layout("steps.html", {{"steps", items}});
}

Result<std::string> PageFrame::problem(const Result<std::string>& text) const {
  if (!text || text->empty()) return text;
  return layout("problem.html", {{"problem", text}});
}

std::string PageFrame::described(bool problem, bool hinted) {
  if (!problem) return hinted ? " aria-describedby=\"hint\"" : "";
  return std::string(" aria-describedby=\"problem") + (hinted ? " hint" : "") + "\" aria-invalid=\"true\" autofocus";
}

Result<std::string> PageFrame::resend_form() const {
  return layout("resend.html", {{"action", site_->root + "/resend"}, {"hint", code_sentence("resend_hint")}});
}

Result<std::string> PageFrame::button(const std::string& target, std::string_view label) const {
  return layout("button.html", {{"target", target}, {"label", wording_.sentence(label)}});
}

Result<std::string> PageFrame::key_description(const std::vector<PageKey>& keys, std::size_t place) const {
  return wording_.sentence(place == 0 ? "key_current" : "key_earlier",
                           {{"assigned", to_utc_day(keys[place].assigned)}});
}

Result<std::string> PageFrame::key_choices(const std::vector<PageKey>& keys,
                                           const std::vector<std::size_t>& places) const {
  if (places.empty()) return std::string();
  if (places.size() == 1) {
    return "<input type=\"hidden\" name=\"fingerprint\" value=\"" + html_escape(keys[places.front()].fingerprint) +
           "\">\n";
  }
  std::string rows;
  for (const auto place : places) {
    const PageKey& key = keys[place];
    auto row = layout("key_choice.html", {{"fingerprint", key.fingerprint},
                                          {"checked", std::string(rows.empty() ? " checked" : "")},
                                          {"description", key_description(keys, place)},
                                          {"short", key.fingerprint.substr(0, short_fingerprint)}});
    if (!row) return row;
    rows += *row;
  }
  return layout("key_choices.html", {{"choices", rows}});
}

}  // namespace sealpost
