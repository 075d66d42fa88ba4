// SPDX-License-Identifier: Apache-2.0
// Each page, filled: every template has its values, and what people chose themselves is escaped.
#include "notify/pages.h"

#include <gtest/gtest.h>

#include <ostream>

namespace sealpost {
namespace {

const Pages pages("relay<.example.org", "https://relay.example.org");
const std::string token = "AbCdEfGhIjKlMnOpQrStUvWx";

KeyRecord key(char fill, PairState state) {
  KeyRecord record;
  record.fingerprint = std::string(64, fill);
  record.state = state;
  return record;
}

std::string opened(const OpenedPickup& pickup, std::string_view problem = {}) {
  return pages.opened({token, pickup, "csrf-mac", false, problem}).value();
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST(Pages, OfOneKeyAskNoQuestionAboutKeys) {
  const std::string html = opened({"bob@example.net", {key('a', PairState::Interim)}, {}});
  EXPECT_EQ(count(html, "name=\"fingerprint\""), 0U);
  EXPECT_EQ(count(html, "name=\"format\""), 2U);
  EXPECT_EQ(count(html, " checked"), 1U);
}

TEST(Pages, OfSeveralKeysOfferEachWithTheCurrentOneChosen) {
  const std::string html =
      opened({"bob@example.net",
              {key('a', PairState::Interim), key('b', PairState::Replaced), key('c', PairState::Replaced)},
              {}});
  EXPECT_EQ(count(html, "name=\"fingerprint\""), 3U);
  EXPECT_NE(html.find("value=\"" + std::string(64, 'a') + "\" checked"), std::string::npos) << html;
  EXPECT_EQ(count(html, " checked"), 2U) << "one key, one format";
  EXPECT_EQ(count(html, "Current key"), 1U);
  EXPECT_EQ(count(html, "Earlier key"), 2U);
}

TEST(Pages, ShowThePasswordOfAnAttachedFileOnlyWhenThereIsOne) {
  const std::string heading = "Password of the key file that came with the message";
  EXPECT_EQ(opened({"bob@example.net", {key('a', PairState::Interim)}, {}}).find(heading), std::string::npos);
  const std::string html = opened({"bob@example.net", {key('a', PairState::Interim)}, "pass<word"});
  EXPECT_NE(html.find(heading), std::string::npos);
  EXPECT_NE(html.find("<code>pass&lt;word</code>"), std::string::npos);
}

TEST(Pages, StandBelowThePathOfThePublicUrl) {
  const OpenedPickup pickup{"bob@example.net", {key('a', PairState::Interim)}, {}};
  for (const std::string& base : {std::string(), std::string("/base"), std::string("/two/parts")}) {
    const Pages based("relay.example.org", "https://relay.example.org:8443" + base);
    const std::string root = base + "/pickup/";
    EXPECT_EQ(based.path(token), root + token);
    std::string all;
    for (const auto& page : {based.code(token, {}), based.opened({token, pickup, "csrf", false, {}}),
                             based.taken(token, Secret::copy_of("password")), based.message("title", "text", true)}) {
      all += page.value();
    }
    for (const std::string& path : {token + "/session\"", token + "/pkcs12\"", token + "/file\"", token + "\"",
                                    std::string("resend\""), std::string("style.css\"")}) {
      std::string attribute = "=\"" + root;
      attribute += path;
      EXPECT_NE(all.find(attribute), std::string::npos) << path;
    }
    EXPECT_EQ(count(all, "=\"/"), count(all, "=\"" + root)) << "and no path stands elsewhere";
  }
}

struct Example {
  const char* name;
  Result<std::string> (*make)();
};
void PrintTo(const Example& example, std::ostream* out) { *out << example.name; }

class EveryPage : public testing::TestWithParam<Example> {};

TEST_P(EveryPage, IsFilledEscapedAndNeedsNothingFromElsewhere) {
  const auto html = GetParam().make();
  ASSERT_TRUE(html) << html.error().internal_detail;
  EXPECT_EQ(html->find("{{"), std::string::npos) << *html;
  EXPECT_EQ(html->find("<script"), std::string::npos);
  EXPECT_EQ(html->find("<evil"), std::string::npos) << *html;
  EXPECT_EQ(html->find("://"), std::string::npos) << "no outside host";
  EXPECT_EQ(html->find(" style="), std::string::npos) << "the policy forbids inline styles";
  EXPECT_EQ(count(*html, "<h1>"), 1U);
  EXPECT_NE(html->find("<html lang=\"en\">"), std::string::npos);
  EXPECT_NE(html->find("relay&lt;.example.org"), std::string::npos);
  EXPECT_EQ(count(*html, "<label"), count(*html, "<input") - count(*html, "type=\"hidden\""))
      << "every field has a label";
}

INSTANTIATE_TEST_SUITE_P(Pages, EveryPage,
                         testing::Values(Example{"Code", [] { return pages.code(token, {}); }},
                                         Example{"CodeWithAProblem", [] { return pages.code(token, "<evil>"); }},
                                         Example{"Opened",
                                                 [] {
                                                   const OpenedPickup pickup{
                                                       "<evil>@example.net",
                                                       {key('a', PairState::Permanent), key('b', PairState::Forgotten)},
                                                       "<evil>"};
                                                   return pages.opened({token, pickup, "<evil>", true, "<evil>"});
                                                 }},
                                         Example{"Taken", [] { return pages.taken(token, Secret::copy_of("<evil>")); }},
                                         Example{"FileGone", [] { return pages.file_gone(token); }},
                                         Example{"Message", [] { return pages.message("<evil>", "<evil>", false); }},
                                         Example{"MessageWithResend",
                                                 [] { return pages.message("<evil>", "<evil>", true); }}),
                         [](const auto& test) { return test.param.name; });

TEST(Pages, StyleAsksForNothingElse) {
  EXPECT_EQ(Pages::style().find("url("), std::string_view::npos);
  EXPECT_EQ(Pages::style().find("@import"), std::string_view::npos);
}

}  // namespace
}  // namespace sealpost
