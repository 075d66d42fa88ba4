// SPDX-License-Identifier: Apache-2.0
// Implements notification.h.
#include "notify/notification.h"

#include <utility>
#include <vector>

#include "base/email_address.h"
#include "crypto/cms_seal.h"
#include "notify/pages.h"
#include "notify/text_wrap.h"

namespace sealpost {
namespace {

/// A quoted local part may hold any sentence, which would read as the relay's: of such an address the domain alone.
Result<std::string> name_sender(const Wording& wording, const std::string& sender) {
  const auto address = EmailAddress::parse(sender);
  if (!address) return wording.sentence("somebody");
  return address->has_plain_local() ? sender : wording.sentence("somebody_at", {{"domain", address->domain().text()}});
}

/// Behind "notification_" the names of the sentences that differ by the cause.
std::string name_of(NotificationCause cause) {
  switch (cause) {
    case NotificationCause::KeyRequest:
      return "notification_key_request";
    case NotificationCause::NewCode:
      return "notification_new_code";
    case NotificationCause::Mail:
      break;
  }
  return "notification_mail";
}

/// The sender's authorised address and nothing else of theirs: no name, subject or text that could be used to deceive.
Result<TemplateValues> values_of(const Wording& wording, const NoticeSender& from, const NotificationFacts& facts) {
  const std::string name = name_of(facts.cause);
  TemplateValues sender;
  if (facts.cause == NotificationCause::Mail) {
    auto named = name_sender(wording, facts.sender);
    if (!named) return named.error();
    sender.emplace("sender", *named);
  }
  TemplateValues values = {{"link", facts.link},
                           {"expires", to_utc_minute(facts.expires)},
                           {"attached", {}},
                           {"hostname", from.hostname},
                           {"lang", wording.language()}};
  std::vector<std::pair<std::string, std::string>> sentences = {
      {"introduction", name}, {"key", name + "_key"}, {"unexpected", name + "_unexpected"}};
  if (facts.code != nullptr) {
    values.emplace("code", std::string(facts.code->reveal()));
  } else if (facts.cause == NotificationCause::NewCode) {
    sentences[0].second = "notification_new_link";
    sentences[1].second = "notification_new_link_key";
  }
  if (facts.attachment != nullptr) sentences.emplace_back("attached", "notification_attached");
  for (const auto& [variable, sentence] : sentences) {
    auto text = wording.sentence(sentence, sender);
    if (!text) return text.error();
    values[variable] = *std::move(text);
  }
  return values;
}

/// The two forms of a mail, made of the same sentences.
struct Bodies {
  std::string subject;
  std::string text;
  std::string html;
};

Result<Bodies> bodies_of(const Wording& wording, const std::string& subject_name, const std::string& name,
                         const TemplateValues& values) {
  auto subject = wording.sentence(subject_name);
  if (!subject) return subject.error();
  auto text = wording.fill(name + ".txt", values);
  if (!text) return text.error();
  auto html = wording.fill(name + ".html", values);
  if (!html) return html.error();
  return Bodies{*std::move(subject), wrapped(*text), *std::move(html)};
}

/// How the sentences about an event begin.
std::string name_of(KeyEvent event) {
  switch (event) {
    case KeyEvent::PickedUp:
      return "picked_up";
    case KeyEvent::Kept:
      return "kept";
    case KeyEvent::Uploaded:
      return "uploaded";
    case KeyEvent::Replaced:
      return "replaced";
    case KeyEvent::Forgotten:
      return "forgotten";
    case KeyEvent::Revoked:
      return "revoked";
    case KeyEvent::CertificateEnded:
      break;
  }
  return "ended";
}

/// What the reader should do about it, if anything: what they decided themselves may have been somebody else.
std::string check_of(KeyEvent event) {
  const bool decided_by_others = event == KeyEvent::Revoked || event == KeyEvent::CertificateEnded;
  return decided_by_others ? name_of(event) + "_check" : "news_check";
}

Result<Bodies> news_bodies(const Wording& wording, const NoticeSender& from, const KeyNews& news) {
  const std::string name = name_of(news.event);
  auto subject = wording.sentence(name + "_subject");
  auto what = wording.sentence(name + "_what", {{"recipient", news.recipient}});
  auto check = wording.sentence(check_of(news.event), {{"operator", from.address}});
  for (const auto* sentence : {&subject, &what, &check}) {
    if (!*sentence) return sentence->error();
  }
  const TemplateValues values = {{"subject", *subject}, {"what", *what},   {"fingerprint", news.key.fingerprint},
                                 {"where", news.where}, {"check", *check}, {"lang", wording.language()}};
  auto text = wording.fill("key_news.txt", values);
  if (!text) return text.error();
  auto html = wording.fill("key_news.html", values);
  if (!html) return html.error();
  return Bodies{*std::move(subject), wrapped(*text), *std::move(html)};
}

MimePart alternatives(std::string_view text, std::string_view html) {
  return {"multipart/alternative",
          {},
          {},
          {{"text/plain; charset=utf-8", text, {}, {}}, {"text/html; charset=utf-8", html, {}, {}}}};
}

}  // namespace

Result<Notice> compose_notification(const Wording& wording, const NoticeSender& from, const NotificationFacts& facts,
                                    const SignDetached& sign, const Clock& clock, Random& random) {
  auto values = values_of(wording, from, facts);
  if (!values) return values.error();
  auto bodies =
      bodies_of(wording, "notification_subject", facts.code != nullptr ? "notification" : "notification_link", *values);
  if (!bodies) return bodies.error();
  const MailHeader header{facts.recipient, bodies->subject, "auto-generated", {}};
  MimePart content = alternatives(bodies->text, bodies->html);
  if (facts.attachment != nullptr) {
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

Result<Notice> compose_sender_code(const Wording& wording, const NoticeSender& from, const SenderCodeFacts& facts,
                                   const SignDetached& sign, const Clock& clock, Random& random) {
  auto why =
      wording.sentence(facts.asked_for ? "sender_code_asked" : "sender_code_mail", {{"recipient", facts.recipient}});
  if (!why) return why.error();
  auto bodies = bodies_of(wording, "sender_code_subject", "sender_code",
                          {{"why", *why},
                           {"code", std::string(facts.code.reveal())},
                           {"expires", to_utc_minute(facts.expires)},
                           {"hostname", from.hostname},
                           {"lang", wording.language()}});
  if (!bodies) return bodies.error();
  auto message = compose_signed(from, {facts.sender, bodies->subject, "auto-generated", {}},
                                alternatives(bodies->text, bodies->html), sign, clock, random);
  if (!message) return message.error();
  return Notice(Notice::Kind::SenderCode, std::move(*message));
}

Result<Notice> compose_key_news(const Wording& wording, const NoticeSender& from, const KeyNews& news,
                                const SignDetached& sign, const Clock& clock, Random& random) {
  auto bodies = news_bodies(wording, from, news);
  if (!bodies) return bodies.error();
  const MailHeader header{news.recipient, bodies->subject, "auto-generated", {}};
  const MimePart content = alternatives(bodies->text, bodies->html);
  auto message = compose_signed(from, header, content, sign, clock, random);
  if (!message) return message.error();
  return Notice(Notice::Kind::KeyEvent, std::move(*message));
}

Result<Notice> compose_certificate_code(const Wording& wording, const NoticeSender& from,
                                        const CodeForCertificate& code, const std::string& link, ContentCipher cipher,
                                        const SignDetached& sign, const Clock& clock, Random& random) {
  auto subject = wording.sentence("certificate_code_subject");
  if (!subject) return subject.error();
  auto text = wording.fill("certificate_code.txt", {{"code", std::string(code.code.reveal())},
                                                    {"link", link},
                                                    {"fingerprint", code.fingerprint},
                                                    {"until", to_utc_minute(code.until)},
                                                    {"lang", wording.language()}});
  if (!text) return text.error();
  const std::string body = wrapped(*text);
  auto entity = sign_part({"text/plain; charset=utf-8", body, {}, {}}, sign, random);
  if (!entity) return entity.error();
  auto sealed = encrypt_for_one(view(*entity), code.certificate, cipher);
  if (!sealed) return sealed.error();
  const std::string type = cipher == ContentCipher::Aes256Gcm ? "authEnveloped-data" : "enveloped-data";
  const MimePart content{"application/pkcs7-mime; smime-type=" + type + ";\r\n\tname=\"smime.p7m\"",
                         *sealed,
                         "attachment; filename=\"smime.p7m\"",
                         {}};
  const MailHeader header{code.recipient, *subject, "auto-generated", {}};
  return Notice(Notice::Kind::KeyEvent, compose(from, header, content, clock, random));
}

}  // namespace sealpost
