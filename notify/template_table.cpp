// SPDX-License-Identifier: Apache-2.0
// Implements template_table.h.
#include "notify/template_table.h"

#include <algorithm>

#include "notify_templates.h"

namespace sealpost {
namespace {

namespace layouts = embedded_templates;

std::vector<TemplateRow> mail_rows() {
  return {
      {"notification.txt",
       layouts::notification_txt,
       {"introduction", "key", "link", "code", "expires", "attached", "hostname", "unexpected", "lang"},
       {}},
      {"notification.html",
       layouts::notification_html,
       {"introduction", "key", "link", "code", "expires", "attached", "hostname", "unexpected", "lang"},
       {}},
      {"notification_link.txt",
       layouts::notification_link_txt,
       {"introduction", "key", "link", "expires", "attached", "hostname", "unexpected", "lang"},
       {}},
      {"notification_link.html",
       layouts::notification_link_html,
       {"introduction", "key", "link", "expires", "attached", "hostname", "unexpected", "lang"},
       {}},
      {"sender_code.txt", layouts::sender_code_txt, {"why", "code", "expires", "hostname", "lang"}, {}},
      {"sender_code.html", layouts::sender_code_html, {"why", "code", "expires", "hostname", "lang"}, {}},
      {"key_news.txt", layouts::key_news_txt, {"what", "fingerprint", "where", "check", "subject", "lang"}, {}},
      {"key_news.html", layouts::key_news_html, {"what", "fingerprint", "where", "check", "subject", "lang"}, {}},
      {"certificate_code.txt", layouts::certificate_code_txt, {"link", "code", "fingerprint", "until", "lang"}, {}},
      {"receipt.txt", layouts::receipt_txt, {"hostname", "address", "fingerprint", "destroyed", "lang"}, {}},
  };
}

std::vector<TemplateRow> frame_rows() {
  return {
      {"page.html", layouts::page_html, {"lang", "title", "style", "hostname"}, {"head", "content"}},
      {"head.html", layouts::head_html, {}, {"logo", "steps"}},
      {"logo.html", layouts::logo_html, {"source", "hostname"}, {}},
      {"steps.html", layouts::steps_html, {}, {"steps"}},
      {"step_done.html", layouts::step_done_html, {"number", "name"}, {}},
      {"step_current.html", layouts::step_current_html, {"number", "name"}, {}},
      {"step_later.html", layouts::step_later_html, {"number", "name"}, {}},
      {"problem.html", layouts::problem_html, {"problem"}, {}},
      {"message.html", layouts::message_html, {"text"}, {"next"}},
      {"button.html", layouts::button_html, {"target", "label"}, {}},
      {"resend.html", layouts::resend_html, {"action", "hint"}, {}},
  };
}

std::vector<TemplateRow> pickup_rows() {
  return {
      {"code.html", layouts::code_html, {"action", "intro"}, {"problem", "described", "resend"}},
      {"key.html", layouts::key_html, {"address"}, {"problem", "attached", "form", "keys_link"}},
      {"key_form.html", layouts::key_form_html, {"action", "csrf"}, {"modern", "compatible", "keys"}},
      {"key_choices.html", layouts::key_choices_html, {}, {"choices"}},
      {"key_choice.html", layouts::key_choice_html, {"fingerprint", "description", "short"}, {"checked"}},
      {"key_shown.html", layouts::key_shown_html, {"description", "fingerprint"}, {}},
      {"key_none.html", layouts::key_none_html, {}, {}},
      {"keys_link.html", layouts::keys_link_html, {"keys"}, {}},
      {"attached.html", layouts::attached_html, {"password"}, {"guide"}},
      {"taken.html", layouts::taken_html, {"password", "file", "filename", "back"}, {"guide"}},
      {"guide.html", layouts::guide_html, {}, {"first", "others"}},
      {"guide_first.html", layouts::guide_first_html, {"client"}, {"steps"}},
      {"guide_other.html", layouts::guide_other_html, {"client"}, {"steps"}},
      {"guide_step.html", layouts::guide_step_html, {"step"}, {}},
  };
}

std::vector<TemplateRow> key_rows() {
  return {
      {"keys.html", layouts::keys_html, {"address", "back"}, {"current", "choices", "earlier"}},
      {"keys_earlier.html", layouts::keys_earlier_html, {}, {"keys"}},
      {"keys_row.html", layouts::keys_row_html, {"state", "assigned", "copy", "fingerprint"}, {}},
      {"choice.html", layouts::choice_html, {"title", "text", "target", "label"}, {}},
      {"keep.html", layouts::keep_html, {"address", "action", "csrf", "back"}, {"problem", "keys"}},
      {"replace.html",
       layouts::replace_html,
       {"address", "action", "csrf", "back"},
       {"problem", "described", "waiting"}},
      {"replace_waiting.html", layouts::replace_waiting_html, {"target"}, {}},
      {"pending.html",
       layouts::pending_html,
       {"address", "fingerprint", "action", "csrf", "another", "back"},
       {"problem", "described"}},
      {"second_code.html", layouts::second_code_html, {"action", "another", "back"}, {"problem", "described"}},
      {"forget.html",
       layouts::forget_html,
       {"address", "action", "csrf", "back"},
       {"problem", "keys", "described", "notes"}},
      {"forget_note.html", layouts::forget_note_html, {"note"}, {}},
      {"forgotten.html", layouts::forgotten_html, {"receipt", "back"}, {}},
  };
}

}  // namespace

const std::vector<TemplateRow>& template_table() {
  static const std::vector<TemplateRow> table = [] {
    std::vector<TemplateRow> all = mail_rows();
    for (const auto& more : {frame_rows(), pickup_rows(), key_rows()}) all.insert(all.end(), more.begin(), more.end());
    return all;
  }();
  return table;
}

const TemplateRow* find_template(std::string_view file) {
  const auto& table = template_table();
  const auto found = std::find_if(table.begin(), table.end(), [&](const TemplateRow& row) { return row.file == file; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace sealpost
