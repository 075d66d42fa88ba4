// SPDX-License-Identifier: Apache-2.0
// Implements notification.h from notify/templates.
#include "notify/notification.h"

#include "base/email_address.h"
#include "notify/pages.h"
#include "notify/template.h"
#include "notify_templates.h"

namespace sealpost {
namespace {

/// What differs by the cause. Lines are kept short here: plain text is sent as it stands.
struct Words {
  std::string introduction;
  const char* key;         ///< what the key is for
  const char* unexpected;  ///< what to do when the mail means nothing to the reader
};

/// A quoted local part may hold any sentence, which would read as the relay's: of such an address the domain alone.
std::string name_sender(const std::string& sender) {
  const auto address = EmailAddress::parse(sender);
  if (!address) return "Somebody";
  return address->has_plain_local() ? sender : "Somebody at " + address->domain().text();
}

/// The sender's authorised address and nothing else of theirs: no name, subject or text that could be used to deceive.
Words words_for(NotificationCause cause, const std::string& sender) {
  switch (cause) {
    case NotificationCause::KeyRequest:
      return {"A sender who wants to write to you confidentially had a key made\nfor your address.",
              "Mail that is encrypted for you will follow. Your key is ready:",
              "If you do not expect\nencrypted mail, you may ignore this message."};
    case NotificationCause::NewCode:
      return {"Here is the new code that was asked for on the page behind your link.",
              "It gives you the key that opens encrypted mail to you:",
              "If you did not\nask for a code, you may ignore this message."};
    case NotificationCause::Mail:
      break;
  }
  return {name_sender(sender) + "\nsent you encrypted mail.", "The mail is encrypted for you. Your key is ready:",
          "If you do not expect\nmail from the sender named above, you may ignore this message."};
}

std::string attached_text(bool attached) {
  if (!attached) return {};
  return "\nThe key file is attached. The page shows its password after the code.\n";
}

MimePart alternatives(std::string_view text, std::string_view html) {
  return {"multipart/alternative",
          {},
          {},
          {{"text/plain; charset=utf-8", text, {}, {}}, {"text/html; charset=utf-8", html, {}, {}}}};
}

}  // namespace

Result<Notice> compose_notification(const NoticeSender& from, const NotificationFacts& facts, const SignDetached& sign,
                                    const Clock& clock, Random& random) {
  const bool attached = facts.attachment != nullptr;
  const Words words = words_for(facts.cause, facts.sender);
  const TemplateValues values = {
      {"introduction", words.introduction},       {"key", words.key},
      {"unexpected", words.unexpected},           {"link", facts.link},
      {"code", std::string(facts.code.reveal())}, {"expires", to_rfc3339(facts.expires).substr(0, 10)},
      {"attached", attached_text(attached)},      {"hostname", from.hostname}};
  auto text = fill(templates::notification_txt, TemplateKind::Text, values);
  if (!text) return text.error();
  auto html = fill(templates::notification_html, TemplateKind::Html, values);
  if (!html) return html.error();
  const MailHeader header{facts.recipient, "Your key for encrypted mail", "auto-generated", {}};
  MimePart content = alternatives(*text, *html);
  if (attached) {
    const std::string name(Pages::file_name);
    const MimePart file{"application/x-pkcs12; name=\"" + name + "\"",
                        view(*facts.attachment),
                        "attachment; filename=\"" + name + "\"",
                        {}};
    content = {"multipart/mixed", {}, {}, {content, file}};
  }
  auto message = compose_signed(from, header, content, sign, clock, random);
  if (!message) return message.error();
  return Notice(Notice::Kind::Notification, std::move(*message));
}

Result<Notice> compose_picked_up(const NoticeSender& from, const PickedUpFacts& facts, const SignDetached& sign,
                                 const Clock& clock, Random& random) {
  const TemplateValues values = {
      {"recipient", facts.recipient}, {"fingerprint", facts.fingerprint}, {"operator", from.address}};
  auto text = fill(templates::picked_up_txt, TemplateKind::Text, values);
  if (!text) return text.error();
  auto html = fill(templates::picked_up_html, TemplateKind::Html, values);
  if (!html) return html.error();
  const MailHeader header{facts.recipient, "Your key was picked up", "auto-generated", {}};
  auto message = compose_signed(from, header, alternatives(*text, *html), sign, clock, random);
  if (!message) return message.error();
  return Notice(Notice::Kind::KeyEvent, std::move(*message));
}

}  // namespace sealpost
