// SPDX-License-Identifier: Apache-2.0
// Implements pages.h from notify/templates.
#include "notify/pages.h"

#include "base/encoding.h"
#include "notify/template.h"
#include "notify_templates.h"

namespace sealpost {
namespace {

Result<std::string> html(std::string_view text, const TemplateValues& values) {
  return fill(text, TemplateKind::Html, values);
}

std::string problem_box(std::string_view problem) {
  if (problem.empty()) return {};
  return "<p class=\"problem\" role=\"alert\">" + html_escape(problem) + "</p>";
}

Result<std::string> how_to_import() {
  return html(templates::how_to_import_html, {{"filename", std::string(Pages::file_name)}});
}

Result<std::string> key_choices(const OpenedPickup& pickup) {
  std::string rows;
  for (const auto& key : pickup.keys) {
    auto row = html(templates::key_choice_html, {{"fingerprint", key.fingerprint},
                                                 {"checked", rows.empty() ? " checked" : ""},
                                                 {"state", rows.empty() ? "Current key" : "Earlier key"},
                                                 {"assigned", to_rfc3339(key.assigned).substr(0, 10)},
                                                 {"short", key.fingerprint.substr(0, 16)}});
    if (!row) return row;
    rows += *row;
  }
  return "<fieldset><legend>Which key?</legend>" + rows + "</fieldset>";
}

}  // namespace

std::string_view Pages::style() { return templates::pickup_style_css; }

Result<std::string> Pages::page(std::string_view title, const Result<std::string>& content) const {
  if (!content) return content;
  return html(templates::page_html, {{"title", std::string(title)}, {"content", *content}, {"hostname", hostname_}});
}

Result<std::string> Pages::code(const std::string& token, std::string_view problem) const {
  return page("Open your encrypted mail",
              html(templates::code_html, {{"notice", problem_box(problem)},
                                          {"action", "/pickup/" + token + "/session"},
                                          {"invalid", problem.empty() ? "" : " aria-invalid=\"true\" autofocus"},
                                          {"resend", std::string(templates::resend_html)}}));
}

Result<std::string> Pages::opened(const Opened& facts) const {
  std::string keys;
  if (facts.pickup.keys.size() > 1) {
    auto choices = key_choices(facts.pickup);
    if (!choices) return choices;
    keys = std::move(*choices);
  }
  std::string attached;
  if (!facts.pickup.attached_password.empty()) {
    auto how = how_to_import();
    if (!how) return how;
    attached =
        "<p class=\"label\">Password of the key file that came with the message:</p><p class=\"password\"><code>" +
        html_escape(facts.pickup.attached_password) + "</code></p>" + *how;
  }
  return page("Your key is ready",
              html(templates::opened_html, {{"notice", problem_box(facts.problem)},
                                            {"address", facts.pickup.address},
                                            {"attached", attached},
                                            {"action", "/pickup/" + facts.token + "/pkcs12"},
                                            {"csrf", facts.csrf},
                                            {"modern", facts.prefer_compatible ? "" : " checked"},
                                            {"compatible", facts.prefer_compatible ? " checked" : ""},
                                            {"keys", keys}}));
}

Result<std::string> Pages::taken(const std::string& token, const Secret& password) const {
  const std::string base = "/pickup/" + token;
  auto how = how_to_import();
  if (!how) return how;
  return page("Your key file", html(templates::taken_html, {{"password", std::string(password.reveal())},
                                                            {"file", base + "/file"},
                                                            {"filename", std::string(file_name)},
                                                            {"how", *how},
                                                            {"back", base}}));
}

Result<std::string> Pages::message(std::string_view title, std::string_view text, bool offer_resend) const {
  return page(title, html(templates::message_html,
                          {{"text", std::string(text)},
                           {"next", offer_resend ? std::string(templates::resend_html) : std::string()}}));
}

}  // namespace sealpost
