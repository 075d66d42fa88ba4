// SPDX-License-Identifier: Apache-2.0
// The pages from the code to the key file, and those that say one thing.
#include "notify/pages.h"

#include "tests/unit/notify/page_checks.h"

namespace sealpost::test {
namespace {

class PagesTest : public PageTest {
 protected:
  std::string opened(const std::vector<PageKey>& keys, const std::string& attached = {}) {
    visit.keys = keys;
    return pages.opened({visit, attached}).value();
  }
  const Pages pages{site, "en"};
};

TEST_F(PagesTest, OfOneKeyAskNoQuestionAboutKeys) {
  const std::string html = opened({key('a')});
  EXPECT_EQ(count(html, "name=\"fingerprint\""), 1U);
  EXPECT_NE(html.find("type=\"hidden\" name=\"fingerprint\" value=\"" + std::string(64, 'a') + "\""),
            std::string::npos);
  EXPECT_EQ(count(html, "name=\"format\""), 2U);
  EXPECT_EQ(count(html, " checked"), 1U);
}

TEST_F(PagesTest, OfSeveralKeysOfferEachWithTheCurrentOneChosen) {
  const std::string html = opened({key('a'), key('b', PairState::Replaced), key('c', PairState::Replaced)});
  EXPECT_EQ(count(html, "name=\"fingerprint\""), 3U);
  EXPECT_NE(html.find("value=\"" + std::string(64, 'a') + "\" checked"), std::string::npos) << html;
  EXPECT_EQ(count(html, " checked"), 2U) << "one key, one format";
  EXPECT_EQ(count(html, "Current key"), 1U);
  EXPECT_EQ(count(html, "Earlier key"), 2U);
}

TEST_F(PagesTest, OfferOnlyKeysThatTheServerHas) {
  PageKey gone = key('a', PairState::Forgotten);
  gone.available = false;
  const std::string one = opened({gone, key('b', PairState::Replaced)});
  EXPECT_NE(one.find("type=\"hidden\" name=\"fingerprint\" value=\"" + std::string(64, 'b')), std::string::npos)
      << "not the current one: it is named";
  EXPECT_EQ(one.find(std::string(64, 'a')), std::string::npos);
  const std::string none = opened({gone});
  EXPECT_EQ(count(none, "<form"), 0U);
  EXPECT_NE(none.find("The server holds no private key for you."), std::string::npos);
}

TEST_F(PagesTest, ShowThePasswordOfAnAttachedFileOnlyWhenThereIsOne) {
  const std::string heading = "Password of the key file that came with the message";
  EXPECT_EQ(opened({key('a')}).find(heading), std::string::npos);
  const std::string html = opened({key('a')}, "pass<word");
  EXPECT_NE(html.find(heading), std::string::npos);
  EXPECT_NE(html.find("<code>pass&lt;word</code>"), std::string::npos);
}

TEST_F(PagesTest, LeadToTheKeys) {
  EXPECT_NE(pages.opened({visit, {}}).value().find("=\"/pickup/" + visit.token + "/keys\""), std::string::npos);
}

TEST_F(PagesTest, ChooseTheFormatOfThePlatform) {
  visit.keys = {key('a')};
  EXPECT_NE(pages.opened({visit, {}, Platform::Ios}).value().find("value=\"compatible\" checked"), std::string::npos);
  EXPECT_NE(pages.opened({visit, {}, Platform::Linux}).value().find("value=\"modern\" checked"), std::string::npos);
}

TEST_F(PagesTest, SayWhoHasTheCode) {
  const PageSite sender_site(templates, "relay.example.org", "https://relay.example.org", CodeTo::Sender);
  for (const auto* language : {"en", "de", "fr", "es", "ja"}) {
    const Pages to_recipient(site, language);
    const Pages to_sender(sender_site, language);
    const auto shows = [&](const std::string& page, const char* sentence) {
      return page.find(to_sender.frame().wording().sentence(sentence).value()) != std::string::npos;
    };
    EXPECT_TRUE(shows(to_recipient.code(visit.token).value(), "code_intro"));
    EXPECT_TRUE(shows(to_recipient.code(visit.token).value(), "resend_hint"));
    EXPECT_TRUE(shows(to_recipient.message(PageMessage::CodeAsked, {}).value(), "text_resent"));
    EXPECT_TRUE(shows(to_sender.code(visit.token).value(), "code_intro_sender"));
    EXPECT_TRUE(shows(to_sender.code(visit.token).value(), "resend_hint_sender"));
    EXPECT_TRUE(shows(to_sender.message(PageMessage::CodeAsked, {}).value(), "text_resent_sender"));
  }
}

TEST_F(PagesTest, StandBelowThePathOfThePublicUrl) {
  visit.keys = {key('a')};
  for (const std::string& base : {std::string(), std::string("/base"), std::string("/two/parts")}) {
    const PageSite based(templates, "relay.example.org", "https://relay.example.org:8443" + base);
    const Pages there(based, "en");
    const std::string root = base + "/pickup/";
    EXPECT_EQ(there.path(visit.token), root + visit.token);
    std::string all;
    for (const auto& page : {there.code(visit.token), there.opened({visit, {}}),
                             there.taken(visit.token, Secret::copy_of("password"), Platform::Other),
                             there.message(PageMessage::Expired, visit.token)}) {
      all += page.value();
    }
    for (const std::string& path : {visit.token + "/session\"", visit.token + "/pkcs12\"", visit.token + "/file\"",
                                    visit.token + "\"", std::string("resend\""), std::string("style.css\"")}) {
      std::string attribute = "=\"" + root;
      attribute += path;
      EXPECT_NE(all.find(attribute), std::string::npos) << path;
    }
    EXPECT_EQ(count(all, "=\"/"), count(all, "=\"" + root)) << "and no path stands elsewhere";
  }
}

TEST_F(PagesTest, ShowWhereTheReaderIs) {
  visit.keys = {key('a')};
  EXPECT_NE(pages.code(visit.token).value().find("aria-current=\"step\"><span>1</span> Code"), std::string::npos);
  const std::string second = pages.opened({visit, {}}).value();
  EXPECT_NE(second.find("aria-current=\"step\"><span>2</span> Key"), std::string::npos);
  EXPECT_NE(second.find("class=\"done\"><span>1</span> Code <span class=\"unseen\">(done)"), std::string::npos)
      << "not by colour alone";
  EXPECT_NE(pages.taken(visit.token, Secret::copy_of("p"), Platform::Other)
                .value()
                .find("aria-current=\"step\"><span>3</span> Import"),
            std::string::npos);
}

TEST_F(PagesTest, TieAProblemToItsField) {
  const std::string wrong = pages.wrong_code(visit.token, 4).value();
  EXPECT_NE(wrong.find("id=\"problem\" role=\"alert\">The code is wrong. Attempts left: 4."), std::string::npos)
      << wrong;
  EXPECT_NE(wrong.find("aria-describedby=\"problem hint\" aria-invalid=\"true\" autofocus"), std::string::npos);
  const std::string fresh = pages.code(visit.token).value();
  EXPECT_NE(fresh.find("aria-describedby=\"hint\""), std::string::npos);
  EXPECT_EQ(fresh.find("role=\"alert\""), std::string::npos);
  EXPECT_EQ(fresh.find("autofocus"), std::string::npos);
}

struct Told {
  PageMessage what;
  const char* title;
  const char* next;  ///< what there is to do, or nothing
};

TEST_F(PagesTest, SayOneThingAndWhatToDoNext) {
  const std::string resend = "action=\"/pickup/resend\"";
  const std::string back = "href=\"/pickup/" + visit.token + "\"";
  const std::string upload = "href=\"/pickup/" + visit.token + "/certificate\"";
  for (const auto& told : {Told{PageMessage::UnknownLink, "This link is not known", resend.c_str()},
                           Told{PageMessage::Expired, "This code has expired", resend.c_str()},
                           Told{PageMessage::Locked, "This link is locked", resend.c_str()},
                           Told{PageMessage::CodeTooOld, "This needs a newer code", resend.c_str()},
                           Told{PageMessage::KeyGone, "This key is not here any more", back.c_str()},
                           Told{PageMessage::FileGone, "The file is not here any more", back.c_str()},
                           Told{PageMessage::TooFast, "Please wait a moment", back.c_str()},
                           Told{PageMessage::TooOften, "This did not work", back.c_str()},
                           Told{PageMessage::NothingWaits, "This did not work", upload.c_str()},
                           Told{PageMessage::SecondCodesGone, "This did not work", upload.c_str()},
                           Told{PageMessage::InUse, "This did not work", back.c_str()},
                           Told{PageMessage::NotCurrent, "This did not work", back.c_str()},
                           Told{PageMessage::Revoked, "This did not work", back.c_str()},
                           Told{PageMessage::ForeignForm, "This did not work", back.c_str()},
                           Told{PageMessage::Busy, "This did not work", back.c_str()},
                           Told{PageMessage::Failed, "This did not work", back.c_str()},
                           Told{PageMessage::AskForCode, "A new code", resend.c_str()},
                           Told{PageMessage::CodeAsked, "Look into your mailbox", "role=\"status\""}}) {
    const std::string html = pages.message(told.what, visit.token).value();
    EXPECT_NE(html.find(std::string("<h1>") + told.title + "</h1>"), std::string::npos) << told.title;
    EXPECT_NE(html.find(told.next), std::string::npos) << html;
    EXPECT_LE(count(html, "<form") + count(html, "<a "), 1U) << "one thing to do: " << told.title;
  }
}

TEST_F(PagesTest, AreSoundInEveryLanguage) {
  visit = evil();
  for (const auto& language : templates.languages().tags()) {
    const Pages there(site, language);
    const std::string& token = visit.token;
    for (const auto& page : {there.code(token), there.code(token, std::string("<evil>")), there.wrong_code(token, 1),
                             there.session_ended(token), there.opened({visit, "<evil>", Platform::Mac, true}),
                             there.taken(token, Secret::copy_of("<evil>"), Platform::Windows)}) {
      expect_sound(page, language);
    }
    for (int what = 0; what <= static_cast<int>(PageMessage::CodeAsked); ++what) {
      expect_sound(there.message(static_cast<PageMessage>(what), token), language);
    }
  }
}

TEST_F(PagesTest, CarryTheLogoWithItsName) {
  const TempDir folder;
  folder.write("logo.png", "png");
  const Templates own = Templates::load(folder.path().string()).value();
  const PageSite with_logo(own, "relay.example.org", "https://relay.example.org/base");
  for (const auto& page :
       {Pages(with_logo, "en").code("token"), Pages(with_logo, "en").message(PageMessage::Busy, {})}) {
    EXPECT_NE(page->find("<img src=\"/base/pickup/logo\" alt=\"relay.example.org\">"), std::string::npos) << *page;
  }
}

TEST_F(PagesTest, StyleAsksForNothingElse) {
  EXPECT_EQ(templates.style().find("url("), std::string::npos);
  EXPECT_EQ(templates.style().find("@import"), std::string::npos);
}

}  // namespace
}  // namespace sealpost::test
