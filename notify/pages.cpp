// SPDX-License-Identifier: Apache-2.0
// Implements pages.h from notify/templates.
#include "notify/pages.h"

#include <algorithm>

#include "base/encoding.h"
#include "notify/template.h"
#include "notify_templates.h"

namespace sealpost {
namespace {

Result<std::string> html(std::string_view text, const TemplateValues& values) {
  return fill(text, TemplateKind::Html, values);
}

/// "" or "/PATH"; the settings have checked the URL, and it ends without a slash.
std::string path_of(std::string_view url) {
  url.remove_prefix(std::min(url.size(), url.find("://") + 3));
  const auto slash = url.find('/');
  return slash == std::string_view::npos ? std::string() : std::string(url.substr(slash));
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

Pages::Pages(std::string hostname, std::string_view public_url)
    : hostname_(std::move(hostname)), root_(path_of(public_url) + "/pickup") {}

std::string_view Pages::style() { return templates::style_css; }

Result<std::string> Pages::page(std::string_view title, const Result<std::string>& content) const {
  if (!content) return content;
  return html(
      templates::page_html,
      {{"title", std::string(title)}, {"content", *content}, {"style", root_ + "/style.css"}, {"hostname", hostname_}});
}

Result<std::string> Pages::resend_form() const { return html(templates::resend_html, {{"action", root_ + "/resend"}}); }

Result<std::string> Pages::code(const std::string& token, std::string_view problem) const {
  auto resend = resend_form();
  if (!resend) return resend;
  return page("Open your encrypted mail",
              html(templates::code_html, {{"notice", problem_box(problem)},
                                          {"action", path(token) + "/session"},
                                          {"invalid", problem.empty() ? "" : " aria-invalid=\"true\" autofocus"},
                                          {"resend", *resend}}));
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
                                            {"action", path(facts.token) + "/pkcs12"},
                                            {"csrf", facts.csrf},
                                            {"modern", facts.prefer_compatible ? "" : " checked"},
                                            {"compatible", facts.prefer_compatible ? " checked" : ""},
                                            {"keys", keys}}));
}

Result<std::string> Pages::taken(const std::string& token, const Secret& password) const {
  auto how = how_to_import();
  if (!how) return how;
  return page("Your key file", html(templates::taken_html, {{"password", std::string(password.reveal())},
                                                            {"file", path(token) + "/file"},
                                                            {"filename", std::string(file_name)},
                                                            {"how", *how},
                                                            {"back", path(token)}}));
}

Result<std::string> Pages::file_gone(const std::string& token) const {
  return page("The file is not here any more", html(templates::file_gone_html, {{"back", path(token)}}));
}

Result<std::string> Pages::message(std::string_view title, std::string_view text, bool offer_resend) const {
  auto next = offer_resend ? resend_form() : Result<std::string>(std::string());
  if (!next) return next;
  return page(title, html(templates::message_html, {{"text", std::string(text)}, {"next", *next}}));
}

}  // namespace sealpost
