// SPDX-License-Identifier: Apache-2.0
// Implements notification.h from notify/templates.
#include "notify/notification.h"

#include "base/email_address.h"
#include "crypto/cms_seal.h"
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

struct NewsWords {
  std::string subject;
  std::string news;
  const char* unexpected = "If you did not do this,";
};

NewsWords news_words(const KeyNews& news) {
  const std::string& who = news.recipient;
  switch (news.event) {
    case KeyEvent::PickedUp:
      return {"Your key was picked up", "The key for encrypted mail to " + who + " was picked up just now."};
    case KeyEvent::Kept:
      return {"Your key is permanent now", "The key for encrypted mail to " + who + " is kept for good from now on."};
    case KeyEvent::Uploaded:
      return {"A certificate was uploaded",
              "A certificate was uploaded, to be used for encrypted mail to\n" + who +
                  ". It is used once the code is entered\nthat a second mail, encrypted to it, brings."};
    case KeyEvent::Replaced:
      return {"Your certificate is used now",
              "Mail to " + who +
                  " is encrypted to the certificate\nbelow from now on. Earlier mail stays readable with "
                  "the earlier key."};
    case KeyEvent::Forgotten:
      return {"Your key was deleted on the server",
              "The server's copy of a private key for encrypted mail to\n" + who +
                  " was destroyed. Keep your key file: without it\nthe mail that was encrypted to it cannot be read."};
    case KeyEvent::Revoked:
      return {"Your key was revoked",
              "The operator of the relay revoked the certificate of a key for\nencrypted mail to " + who +
                  ". New mail brings a new key.\nEarlier mail stays readable with the earlier key.",
              "If you do not know why,"};
    case KeyEvent::CertificateEnded:
      break;
  }
  return {"Your certificate has ended",
          "The certificate that you had set for encrypted mail to\n" + who +
              " has expired or was revoked. Mail for you\nwaits. Please upload a new certificate.",
          "If you never set one,"};
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

Result<Notice> compose_key_news(const NoticeSender& from, const KeyNews& news, const SignDetached& sign,
                                const Clock& clock, Random& random) {
  const NewsWords words = news_words(news);
  const TemplateValues values = {{"subject", words.subject},
                                 {"news", words.news},
                                 {"detail", news.detail},
                                 {"unexpected", words.unexpected},
                                 {"fingerprint", news.key.fingerprint},
                                 {"operator", from.address}};
  auto text = fill(templates::key_news_txt, TemplateKind::Text, values);
  if (!text) return text.error();
  auto html = fill(templates::key_news_html, TemplateKind::Html, values);
  if (!html) return html.error();
  const MailHeader header{news.recipient, words.subject, "auto-generated", {}};
  auto message = compose_signed(from, header, alternatives(*text, *html), sign, clock, random);
  if (!message) return message.error();
  return Notice(Notice::Kind::KeyEvent, std::move(*message));
}

Result<Notice> compose_certificate_code(const NoticeSender& from, const CodeForCertificate& code,
                                        const std::string& link, ContentCipher cipher, const Clock& clock,
                                        Random& random) {
  const TemplateValues values = {{"code", std::string(code.code.reveal())},
                                 {"link", link},
                                 {"fingerprint", code.fingerprint},
                                 {"until", to_rfc3339(code.until)}};
  auto text = fill(templates::certificate_code_txt, TemplateKind::Text, values);
  if (!text) return text.error();
  const WipedBuffer entity = compose_part({"text/plain; charset=utf-8", *text, {}, {}}, random);
  auto sealed = encrypt_for_one(view(entity), code.certificate, cipher);
  if (!sealed) return sealed.error();
  const std::string type = cipher == ContentCipher::Aes256Gcm ? "authEnveloped-data" : "enveloped-data";
  const MimePart content{"application/pkcs7-mime; smime-type=" + type + ";\r\n\tname=\"smime.p7m\"",
                         *sealed,
                         "attachment; filename=\"smime.p7m\"",
                         {}};
  const MailHeader header{code.recipient, "The code for your certificate", "auto-generated", {}};
  return Notice(Notice::Kind::KeyEvent, compose(from, header, content, clock, random));
}

}  // namespace sealpost
