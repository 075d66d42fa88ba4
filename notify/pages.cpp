// SPDX-License-Identifier: Apache-2.0
// Implements pages.h.
#include "notify/pages.h"

#include <array>

#include "notify/import_guide.h"

namespace sealpost {
namespace {

enum class Next { Nothing, NewCode, BackToKey, NewFile, NewCertificate, TryAgain };

struct MessageRow {
  PageMessage what;
  const char* title;
  const char* text;
  Next next;
};

constexpr std::array messages = {
    MessageRow{PageMessage::UnknownLink, "title_unknown", "text_unknown", Next::NewCode},
    MessageRow{PageMessage::Expired, "title_expired", "text_expired", Next::NewCode},
    MessageRow{PageMessage::Locked, "title_locked", "text_locked", Next::NewCode},
    MessageRow{PageMessage::CodeTooOld, "title_too_old", "text_too_old", Next::NewCode},
    MessageRow{PageMessage::KeyGone, "title_gone", "text_gone", Next::BackToKey},
    MessageRow{PageMessage::FileGone, "title_file_gone", "text_file_gone", Next::NewFile},
    MessageRow{PageMessage::ForeignForm, "title_failed", "text_foreign_form", Next::TryAgain},
    MessageRow{PageMessage::TooFast, "title_wait", "text_too_fast", Next::TryAgain},
    MessageRow{PageMessage::TooOften, "title_failed", "text_too_often", Next::BackToKey},
    MessageRow{PageMessage::NothingWaits, "title_failed", "text_nothing_waits", Next::NewCertificate},
    MessageRow{PageMessage::SecondCodesGone, "title_failed", "text_second_codes_gone", Next::NewCertificate},
    MessageRow{PageMessage::NotCurrent, "title_failed", "text_not_current", Next::BackToKey},
    MessageRow{PageMessage::InUse, "title_failed", "text_in_use", Next::BackToKey},
    MessageRow{PageMessage::Revoked, "title_failed", "text_revoked", Next::BackToKey},
    MessageRow{PageMessage::Busy, "title_failed", "text_busy", Next::TryAgain},
    MessageRow{PageMessage::Failed, "title_failed", "text_failed", Next::TryAgain},
    MessageRow{PageMessage::AskForCode, "title_resend", "text_resend", Next::NewCode},
    MessageRow{PageMessage::CodeAsked, "title_resent", "text_resent", Next::Nothing},
};

Result<std::string> next_of(const PageFrame& frame, Next next, const std::string& token) {
  if (next == Next::NewCode) return frame.resend_form();
  if (next == Next::Nothing || token.empty()) return std::string();
  if (next == Next::NewCertificate) return frame.button(frame.path(token, "/certificate"), "replace_again");
  const auto* label = next == Next::BackToKey ? "back_to_key"
                      : next == Next::NewFile ? "file_gone_button"
                                              : "try_again";
  return frame.button(frame.path(token), label);
}

}  // namespace

Result<std::string> Pages::code(const std::string& token, const Result<std::string>& problem) const {
  const bool wrong = problem && !problem->empty();
  return frame_.page("title_code", PickupStep::Code,
                     frame_.layout("code.html", {{"problem", frame_.problem(problem)},
                                                 {"intro", frame_.code_sentence("code_intro")},
                                                 {"action", frame_.path(token, "/session")},
                                                 {"described", PageFrame::described(wrong)},
                                                 {"resend", frame_.resend_form()}}));
}

Result<std::string> Pages::wrong_code(const std::string& token, unsigned attempts_left) const {
  return code(token, frame_.wording().sentence("problem_wrong_code", {{"left", std::to_string(attempts_left)}}));
}

Result<std::string> Pages::session_ended(const std::string& token) const {
  return code(token, frame_.wording().sentence("problem_session_ended"));
}

Result<std::string> Pages::key_form(const Opened& facts) const {
  std::vector<std::size_t> available;
  for (std::size_t i = 0; i < facts.visit.keys.size(); ++i) {
    if (facts.visit.keys[i].available) available.push_back(i);
  }
  if (available.empty()) return frame_.layout("key_none.html", {});
  const bool compatible = prefers_compatible(facts.platform);
  return frame_.layout("key_form.html", {{"action", frame_.path(facts.visit.token, "/pkcs12")},
                                         {"csrf", facts.visit.csrf},
                                         {"modern", std::string(compatible ? "" : " checked")},
                                         {"compatible", std::string(compatible ? " checked" : "")},
                                         {"keys", frame_.key_choices(facts.visit.keys, available)}});
}

Result<std::string> Pages::opened(const Opened& facts) const {
  Result<std::string> attached = std::string();
  if (!facts.attached_password.empty()) {
    attached = frame_.layout("attached.html", {{"password", facts.attached_password},
                                               {"guide", import_guide(frame_.wording(), facts.platform, file_name)}});
  }
  const auto keys_link = frame_.layout("keys_link.html", {{"keys", frame_.path(facts.visit.token, "/keys")}});
  const auto problem = facts.send_again ? frame_.wording().sentence("problem_send_again") : std::string();
  return frame_.page("title_key", PickupStep::Key,
                     frame_.layout("key.html", {{"problem", frame_.problem(problem)},
                                                {"address", facts.visit.address},
                                                {"attached", attached},
                                                {"form", key_form(facts)},
                                                {"keys_link", keys_link}}));
}

Result<std::string> Pages::taken(const std::string& token, const Secret& password, Platform platform) const {
  return frame_.page("title_import", PickupStep::Import,
                     frame_.layout("taken.html", {{"password", std::string(password.reveal())},
                                                  {"file", frame_.path(token, "/file")},
                                                  {"filename", std::string(file_name)},
                                                  {"guide", import_guide(frame_.wording(), platform, file_name)},
                                                  {"back", frame_.path(token)}}));
}

Result<std::string> Pages::message(PageMessage what, const std::string& token) const {
  const auto& row = messages.at(static_cast<std::size_t>(what));
  const auto text =
      what == PageMessage::CodeAsked ? frame_.code_sentence(row.text) : frame_.wording().sentence(row.text);
  return frame_.page(row.title, PickupStep::None,
                     frame_.layout("message.html", {{"text", text}, {"next", next_of(frame_, row.next, token)}}));
}

}  // namespace sealpost
