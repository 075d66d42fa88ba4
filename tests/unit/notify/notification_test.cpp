// SPDX-License-Identifier: Apache-2.0
// What a recipient is told, read back by another program: link and code where programs and people find them, nothing of
// the sender's own words.
#include "notify/notification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <regex>
#include <sstream>
#include <tuple>

#include "base/encoding.h"
#include "notify/text_wrap.h"
#include "tests/support/fakes.h"
#include "tests/support/mail_parser.h"
#include "tests/unit/notify/mail_signer.h"

namespace sealpost {

static void PrintTo(NotificationCause cause, std::ostream* out) {
  *out << (cause == NotificationCause::Mail ? "Mail" : cause == NotificationCause::NewCode ? "NewCode" : "KeyRequest");
}

namespace {

using test::parse_mail;
using test::ParsedMail;

const std::string link = "https://mail.relay.example.org/pickup/AbCdEfGhIjKlMnOpQrStUvWx";
const std::string code_text = "7K3M-Q9ZT-04HB";
const NoticeSender relay{"Sealpost", "postmaster@relay.example.org", "relay.example.org"};

struct Facts {
  std::string recipient = "bob@example.net";
  NotificationCause cause = NotificationCause::Mail;
  std::string sender = "alice@example.com";
  const WipedBuffer* attachment = nullptr;
  std::string language = "en";
  bool with_code = true;
};

const Templates& notification_templates() {
  static const Templates all = Templates::load({}).value();
  return all;
}

std::string notified(const Facts& facts) {
  const test::ManualClock clock;
  SystemRandom random;
  const Secret code = Secret::copy_of(code_text);
  const auto notice =
      compose_notification(notification_templates().in(facts.language), relay,
                           {facts.recipient, facts.cause, facts.sender, link, facts.with_code ? &code : nullptr,
                            clock.now() + std::chrono::hours(24 * 30), facts.attachment},
                           test::signer().sign(), clock, random);
  EXPECT_EQ(notice->kind(), Notice::Kind::Notification);
  return std::string(view(notice->message()));
}

/// Words as a reader sees them: no markup, no blanks: where a line of Japanese is broken there is none.
std::string words_of(std::string text) {
  text = std::regex_replace(text, std::regex("<title>[^<]*</title>|<[^>]*>"), " ");
  text = std::regex_replace(text, std::regex("&#39;"), "'");
  text = std::regex_replace(text, std::regex("&quot;"), "\"");
  text = std::regex_replace(text, std::regex("(^|\n)[0-9]\\. "), " ");  // a list's numbers
  std::istringstream in(text);
  std::string out;
  for (std::string word; in >> word;) out += word;
  return out;
}

std::string header_of(const std::string& raw) { return raw.substr(0, raw.find("\r\n\r\n")); }

using CauseAndLanguage = std::tuple<NotificationCause, const char*>;

class EveryNotification : public testing::TestWithParam<CauseAndLanguage> {
 protected:
  static Facts facts(const WipedBuffer* attachment = nullptr) {
    return {.cause = std::get<0>(GetParam()), .attachment = attachment, .language = std::get<1>(GetParam())};
  }
  const ParsedMail mail = parse_mail(notified(facts()));
};

std::size_t lines_with(const std::string& text, const std::string& start) {
  std::size_t found = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) found += line.starts_with(start) ? 1 : 0;
  return found;
}

TEST_P(EveryNotification, HasLinkAndCodeOnLinesOfTheirOwn) {
  const std::string& text = mail.parts.at(0).body;
  EXPECT_NE(text.find("\r\n\r\nLink: " + link + "\r\nAuthentication code: " + code_text + "\r\n\r\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(lines_with(text, "Link: "), 1U) << text;
  EXPECT_EQ(lines_with(text, "Authentication code: "), 1U) << text;
  const std::string header = header_of(notified(facts()));
  EXPECT_EQ(header.find(code_text), std::string::npos);
  EXPECT_EQ(header.find("pickup"), std::string::npos);
}

TEST_P(EveryNotification, HoldsTheLinkAloneWhenTheSenderHasTheCode) {
  const WipedBuffer file(3, 'x');
  for (const auto* attachment : {static_cast<const WipedBuffer*>(nullptr), &file}) {
    Facts without = facts(attachment);
    without.with_code = false;
    const std::string raw = notified(without);
    const auto parsed = parse_mail(raw);
    const std::string& text = parsed.parts.at(0).body;
    EXPECT_NE(text.find("\r\n\r\nLink: " + link + "\r\n\r\n"), std::string::npos) << text;
    for (const auto& part : parsed.parts) EXPECT_EQ(part.body.find(code_text), std::string::npos);
    EXPECT_EQ(text.find("Authentication code"), std::string::npos) << text;
    EXPECT_EQ(words_of(text), words_of(parsed.parts.at(1).body));
    const auto said = notification_templates().in(without.language).sentence("notification_link_code").value();
    EXPECT_NE(words_of(text).find(words_of(said)), std::string::npos) << text;
    EXPECT_EQ(text.find("{{"), std::string::npos);
  }
}

TEST_P(EveryNotification, KeepsLinesOfTheTextShort) {
  std::istringstream lines(mail.parts.at(0).body);
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    EXPECT_LE(columns_of(line), 72U) << line;
  }
}

TEST_P(EveryNotification, SaysTheSameInTextAndHtml) {
  EXPECT_EQ(mail.structure,
            "multipart/signed(multipart/alternative(text/plain,text/html),application/pkcs7-signature)");
  EXPECT_EQ(words_of(mail.parts.at(0).body), words_of(mail.parts.at(1).body));
  const WipedBuffer file(3, 'x');
  const auto attached = parse_mail(notified(facts(&file)));
  EXPECT_EQ(words_of(attached.parts.at(0).body), words_of(attached.parts.at(1).body));
  EXPECT_GT(attached.parts.at(0).body.size(), mail.parts.at(0).body.size()) << "the file is spoken of";
}

TEST_P(EveryNotification, LinksToWhatItShows) {
  const std::string& html = mail.parts.at(1).body;
  EXPECT_NE(html.find("<a href=\"" + link + "\">" + link + "</a>"), std::string::npos) << html;
  EXPECT_EQ(html.find("href"), html.rfind("href")) << "and nowhere else";
  EXPECT_NE(html.find("<html lang=\"" + facts().language + "\">"), std::string::npos);
}

TEST_P(EveryNotification, IsMarkedAsAutomaticAndReadByOthers) {
  EXPECT_EQ(mail.field("auto-submitted"), "auto-generated");
  EXPECT_EQ(mail.field("to"), "bob@example.net");
  EXPECT_EQ(mail.sender_name, "Sealpost");
  EXPECT_TRUE(mail.defects.empty());
  EXPECT_EQ(mail.field("subject"),
            notification_templates().in(facts().language).sentence("notification_subject").value());
}

INSTANTIATE_TEST_SUITE_P(Notification, EveryNotification,
                         testing::Combine(testing::Values(NotificationCause::Mail, NotificationCause::KeyRequest,
                                                          NotificationCause::NewCode),
                                          testing::Values("en", "de", "fr", "es", "ja")),
                         [](const auto& test) {
                           return testing::PrintToString(std::get<0>(test.param)) + "_" + std::get<1>(test.param);
                         });

TEST(Notification, InEnglishStandsAsItIsInTheMail) {
  const std::string raw = notified({});
  EXPECT_NE(raw.find("\r\nLink: " + link + "\r\nAuthentication code: " + code_text + "\r\n"), std::string::npos) << raw;
}

TEST(Notification, OfALongAddressAndNameIsNotBrokenInThem) {
  const std::string sender = std::string(60, 'a') + "@" + std::string(40, 'b') + ".example.com";
  const auto mail = parse_mail(notified({.sender = sender, .language = "ja"}));
  EXPECT_NE(mail.parts.at(0).body.find(sender), std::string::npos);
}

std::string text_of(NotificationCause cause) { return parse_mail(notified({.cause = cause})).parts.at(0).body; }

TEST(Notification, NamesTheSenderOnlyOfAnAcceptedMail) {
  EXPECT_TRUE(text_of(NotificationCause::Mail).starts_with("alice@example.com sent you encrypted mail.\r\n"));
  for (const auto cause : {NotificationCause::KeyRequest, NotificationCause::NewCode}) {
    const std::string text = text_of(cause);
    EXPECT_EQ(text.find("alice"), std::string::npos) << text;
    EXPECT_EQ(text.find("sender named above"), std::string::npos) << "nobody is named: " << text;
    EXPECT_EQ(text.find("sent you"), std::string::npos) << "nothing was sent yet, or long ago: " << text;
  }
}

TEST(Notification, SaysWhenTheCodeExpires) {
  EXPECT_THAT(
      text_of(NotificationCause::Mail),
      testing::ContainsRegex("The code works until 2026-10-21 [0-9][0-9]:[0-9][0-9] UTC, or until a day after"));
}

TEST(Notification, EscapesWhatASenderMayChooseInHtml) {
  const auto mail = parse_mail(notified({.sender = "o'b&b@example.com"}));
  EXPECT_NE(mail.parts.at(0).body.find("o'b&b@example.com sent"), std::string::npos);
  EXPECT_NE(mail.parts.at(1).body.find("o&#39;b&amp;b@example.com"), std::string::npos);
}

TEST(Notification, CarriesNoSentenceThatASenderPutsIntoTheAddress) {
  for (const char* local : {"\"Your account is locked. Visit www.evil.example\"", "\"<script>&\"", "\"a,b\"",
                            "Your\u00a0account", "Your\u2003account\u2003is", "Your\u3000account"}) {
    const auto mail = parse_mail(notified({.sender = std::string(local) + "@example.com"}));
    ASSERT_EQ(mail.parts.size(), 3U);
    for (const auto& part : {mail.parts[0], mail.parts[1]}) {
      EXPECT_NE(part.body.find("Somebody at example.com"), std::string::npos) << part.body;
      for (const char* word : {"account", "script", "a,b"}) EXPECT_EQ(part.body.find(word), std::string::npos) << word;
    }
  }
}

TEST(Notification, CarriesAddressesBeyondAscii) {
  const auto mail = parse_mail(notified({.recipient = "jürgen@straße.example", .sender = "ä@bücher.example"}));
  EXPECT_NE(mail.field("to").find("jürgen@straße.example"), std::string::npos);
  EXPECT_EQ(mail.parts.at(0).encoding, "base64") << "never quoted-printable, which cuts links";
  EXPECT_NE(mail.parts.at(0).body.find("\r\nLink: " + link + "\r\nAuthentication code: " + code_text + "\r\n"),
            std::string::npos);
}

TEST(Notification, AttachesTheKeyFileBesideTheAlternatives) {
  const std::string octets("\x30\x82\0\r\n\xff", 6);
  const WipedBuffer file(octets.begin(), octets.end());
  const auto mail = parse_mail(notified({.attachment = &file}));
  EXPECT_EQ(mail.structure,
            "multipart/signed(multipart/mixed(multipart/alternative(text/plain,text/html),application/x-pkcs12),"
            "application/pkcs7-signature)");
  EXPECT_EQ(mail.parts.at(2).body, octets);
  EXPECT_EQ(mail.parts.at(2).filename, "mail-key.p12");
  EXPECT_NE(mail.parts.at(0).body.find("The key file is attached."), std::string::npos);
  EXPECT_EQ(words_of(mail.parts.at(0).body), words_of(mail.parts.at(1).body));
}

KeyRecord news_key() {
  KeyRecord key;
  key.fingerprint = std::string(64, 'a');
  return key;
}

using EventAndName = std::pair<KeyEvent, const char*>;

class EveryKeyNews : public testing::TestWithParam<EventAndName> {};

TEST_P(EveryKeyNews, SpeaksEveryLanguageInTextAndHtmlAlike) {
  const test::ManualClock clock;
  SystemRandom random;
  const auto [event, name] = GetParam();
  for (const auto& language : notification_templates().languages().tags()) {
    const auto notice = compose_key_news(notification_templates().in(language), relay,
                                         {event, "bob@example.net", news_key(), "once", "https://relay/pickup"},
                                         test::signer().sign(), clock, random);
    ASSERT_TRUE(notice) << language;
    const auto mail = parse_mail(view(notice->message()));
    EXPECT_EQ(words_of(mail.parts.at(0).body), words_of(mail.parts.at(1).body));
    EXPECT_EQ(mail.field("subject"),
              notification_templates().in(language).sentence(name + std::string("_subject")).value());
    EXPECT_NE(mail.parts.at(0).body.find("bob@example.net"), std::string::npos);
    EXPECT_NE(mail.parts.at(0).body.find("postmaster@relay.example.org"), std::string::npos) << "whom to tell";
    EXPECT_TRUE(mail.defects.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Notification, EveryKeyNews,
    testing::Values(EventAndName{KeyEvent::PickedUp, "picked_up"}, EventAndName{KeyEvent::Kept, "kept"},
                    EventAndName{KeyEvent::Uploaded, "uploaded"}, EventAndName{KeyEvent::Replaced, "replaced"},
                    EventAndName{KeyEvent::Forgotten, "forgotten"}, EventAndName{KeyEvent::Revoked, "revoked"},
                    EventAndName{KeyEvent::CertificateEnded, "ended"}),
    [](const auto& each) { return std::string(each.param.second); });

TEST(Notification, OfAPickupNamesAddressAndKeyButNoCode) {
  const test::ManualClock clock;
  SystemRandom random;
  const KeyRecord key = news_key();
  const auto notice = compose_key_news(notification_templates().in("en"), relay,
                                       {KeyEvent::PickedUp, "bob@example.net", key, "picked_up:" + key.fingerprint},
                                       test::signer().sign(), clock, random);
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->kind(), Notice::Kind::KeyEvent);
  const auto mail = parse_mail(view(notice->message()));
  EXPECT_EQ(mail.structure,
            "multipart/signed(multipart/alternative(text/plain,text/html),application/pkcs7-signature)");
  EXPECT_NE(mail.parts.at(0).body.find("mail to bob@example.net was picked up"), std::string::npos);
  EXPECT_NE(mail.parts.at(0).body.find("Key: " + std::string(64, 'a')), std::string::npos);
  EXPECT_EQ(words_of(mail.parts.at(0).body), words_of(mail.parts.at(1).body));
  EXPECT_NE(mail.parts.at(0).body.find("postmaster@relay.example.org"), std::string::npos) << "whom to tell";
  EXPECT_EQ(mail.field("auto-submitted"), "auto-generated");
}

/// The mail by which a sender gets the code.
class SenderCodeMail : public testing::TestWithParam<std::tuple<bool, const char*>> {
 protected:
  static Notice notified() {
    const test::ManualClock clock;
    SystemRandom random;
    const Secret code = Secret::copy_of(code_text);
    const auto& [asked_for, language] = GetParam();
    return compose_sender_code(
               notification_templates().in(language), relay,
               {"alice@example.com", "b&b@example.net", asked_for, code, clock.now() + std::chrono::hours(24)},
               test::signer().sign(), clock, random)
        .value();
  }
};

TEST_P(SenderCodeMail, NamesTheRecipientAndHoldsTheCodeAndNoLink) {
  const Notice notice = notified();
  EXPECT_EQ(notice.kind(), Notice::Kind::SenderCode);
  const std::string raw(view(notice.message()));
  const auto mail = parse_mail(raw);
  EXPECT_EQ(mail.field("to"), "alice@example.com");
  EXPECT_EQ(mail.structure,
            "multipart/signed(multipart/alternative(text/plain,text/html),application/pkcs7-signature)");
  const std::string& text = mail.parts.at(0).body;
  EXPECT_NE(text.find("\r\n\r\nAuthentication code: " + code_text + "\r\n\r\n"), std::string::npos) << text;
  EXPECT_NE(text.find("b&b@example.net"), std::string::npos) << text;
  EXPECT_NE(mail.parts.at(1).body.find("b&amp;b@example.net"), std::string::npos);
  EXPECT_EQ(words_of(text), words_of(std::regex_replace(mail.parts.at(1).body, std::regex("&amp;"), "&")));
  EXPECT_EQ(raw.find("pickup"), std::string::npos) << "whoever reads it has half of what is needed";
  EXPECT_EQ(header_of(raw).find(code_text), std::string::npos);
  const auto said = notification_templates().in(std::get<1>(GetParam())).sentence("sender_code_pass_on").value();
  EXPECT_NE(words_of(text).find(words_of(said)), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(All, SenderCodeMail,
                         testing::Combine(testing::Bool(), testing::Values("en", "de", "fr", "es", "ja")),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param) ? "AskedFor_" : "Mail_") +
                                  std::get<1>(test.param);
                         });

}  // namespace
}  // namespace sealpost
