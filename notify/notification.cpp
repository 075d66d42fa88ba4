// SPDX-License-Identifier: Apache-2.0
// Implements notification.h from notify/templates.
#include "notify/notification.h"

#include "notify/template.h"
#include "notify_templates.h"

namespace sealpost {
namespace {

/// The sender's authorised address and nothing else of theirs: no name, subject or text that could be used to deceive.
std::string introduction(const std::string& sender) {
  if (sender.empty()) return "There is encrypted mail for you, and this is the code that you asked for.";
  return sender + "\nsent you encrypted mail.";
}

std::string attached_text(bool attached) {
  if (!attached) return {};
  return "\nThe key file is attached. The page shows its password after the code.\n";
}

Result<std::string> fill_secret(std::string_view text, TemplateKind kind, TemplateValues values, const Secret& code) {
  values.emplace("code", std::string(code.reveal()));
  auto filled = fill(text, kind, values);
  OPENSSL_cleanse(values["code"].data(), values["code"].size());
  return filled;
}

}  // namespace

Result<Notice> compose_notification(const NoticeSender& from, const NotificationFacts& facts, const Clock& clock,
                                    Random& random) {
  const bool attached = facts.attachment != nullptr;
  const TemplateValues values = {{"introduction", introduction(facts.sender)},
                                 {"link", facts.link},
                                 {"expires", to_rfc3339(facts.expires).substr(0, 10)},
                                 {"attached", attached_text(attached)},
                                 {"hostname", from.hostname}};
  auto text = fill_secret(templates::notification_txt, TemplateKind::Text, values, facts.code);
  if (!text) return text.error();
  auto html = fill_secret(templates::notification_html, TemplateKind::Html, values, facts.code);
  if (!html) return html.error();
  const MailHeader header{facts.recipient, "Your key for encrypted mail", "auto-generated", {}};
  std::vector<MimePart> parts = {{"text/plain; charset=utf-8", *text, {}}, {"text/html; charset=utf-8", *html, {}}};
  if (attached) {
    parts.push_back({"application/x-pkcs12; name=\"mail-key.p12\"", view(*facts.attachment),
                     "attachment; filename=\"mail-key.p12\""});
  }
  auto message = compose(from, header, attached ? "mixed" : "alternative", parts, clock, random);
  OPENSSL_cleanse(text->data(), text->size());
  OPENSSL_cleanse(html->data(), html->size());
  return Notice(Notice::Kind::Notification, std::move(message));
}

Result<Notice> compose_picked_up(const NoticeSender& from, const PickedUpFacts& facts, const Clock& clock,
                                 Random& random) {
  const TemplateValues values = {
      {"recipient", facts.recipient}, {"fingerprint", facts.fingerprint}, {"hostname", from.hostname}};
  auto text = fill(templates::picked_up_txt, TemplateKind::Text, values);
  if (!text) return text.error();
  auto html = fill(templates::picked_up_html, TemplateKind::Html, values);
  if (!html) return html.error();
  const MailHeader header{facts.recipient, "Your key was picked up", "auto-generated", {}};
  return Notice(
      Notice::Kind::KeyEvent,
      compose(from, header, "alternative",
              {{"text/plain; charset=utf-8", *text, {}}, {"text/html; charset=utf-8", *html, {}}}, clock, random));
}

}  // namespace sealpost
