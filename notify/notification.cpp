// SPDX-License-Identifier: Apache-2.0
// Implements notification.h.
#include "notify/notification.h"

#include <utility>
#include <vector>

#include "base/email_address.h"
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
                           {"code", std::string(facts.code.reveal())},
                           {"expires", to_rfc3339(facts.expires).substr(0, 10)},
                           {"attached", {}},
                           {"hostname", from.hostname},
                           {"lang", wording.language()}};
  std::vector<std::pair<std::string, std::string>> sentences = {
      {"introduction", name}, {"key", name + "_key"}, {"unexpected", name + "_unexpected"}};
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

Result<Bodies> bodies_of(const Wording& wording, const std::string& name, const TemplateValues& values) {
  auto subject = wording.sentence(name + "_subject");
  if (!subject) return subject.error();
  auto text = wording.fill(name + ".txt", values);
  if (!text) return text.error();
  auto html = wording.fill(name + ".html", values);
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
                                    const Clock& clock, Random& random) {
  auto values = values_of(wording, from, facts);
  if (!values) return values.error();
  auto bodies = bodies_of(wording, "notification", *values);
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
  return Notice(Notice::Kind::Notification, compose(from, header, content, clock, random));
}

Result<Notice> compose_picked_up(const Wording& wording, const NoticeSender& from, const PickedUpFacts& facts,
                                 const Clock& clock, Random& random) {
  auto bodies = bodies_of(wording, "picked_up",
                          {{"recipient", facts.recipient},
                           {"fingerprint", facts.fingerprint},
                           {"operator", from.address},
                           {"lang", wording.language()}});
  if (!bodies) return bodies.error();
  const MailHeader header{facts.recipient, bodies->subject, "auto-generated", {}};
  return Notice(Notice::Kind::KeyEvent, compose(from, header, alternatives(bodies->text, bodies->html), clock, random));
}

}  // namespace sealpost
