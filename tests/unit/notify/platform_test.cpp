// SPDX-License-Identifier: Apache-2.0
// What browsers say of themselves, and which programs are then spoken of first.
#include "notify/platform.h"

#include <gtest/gtest.h>

#include <ostream>

#include "notify/import_guide.h"

namespace sealpost {
namespace {

struct Browser {
  const char* name;
  const char* agent;
  const char* hint;
  Platform platform;
  const char* first;  ///< the program that stands first
};
void PrintTo(const Browser& browser, std::ostream* out) { *out << browser.name; }

class PlatformOf : public testing::TestWithParam<Browser> {};

TEST_P(PlatformOf, IsKnownAndItsProgramStandsFirstAndOpen) {
  const auto& browser = GetParam();
  EXPECT_EQ(platform_of(browser.agent, browser.hint), browser.platform);
  const Templates templates = Templates::load({}).value();
  const auto guide = import_guide(templates.in("en"), browser.platform, "mail-key.p12");
  ASSERT_TRUE(guide) << guide.error().internal_detail;
  const auto first = guide->find("<h3>");
  EXPECT_EQ(guide->substr(first, guide->find("</h3>", first) - first), std::string("<h3>") + browser.first);
  EXPECT_LT(first, guide->find("<details>")) << "the others are folded behind";
  for (const char* client :
       {"Thunderbird", "Outlook for Windows", "Outlook for Mac", "Outlook on the web", "Mail on Mac",
        "Mail on iPhone and iPad", "Gmail in", "FairEmail on Android", "Evolution", "GnuPG, "}) {
    const std::string open = std::string("<h3>") + client;
    const std::string folded = std::string("<summary>") + client;
    EXPECT_NE(guide->find(open) == std::string::npos, guide->find(folded) == std::string::npos) << client;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Platform, PlatformOf,
    testing::Values(
        Browser{"Windows", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "",
                Platform::Windows, "Outlook for Windows"},
        Browser{"Mac",
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36", "",
                Platform::Mac, "Mail on Mac"},
        Browser{"MacFirefox", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0",
                "", Platform::Mac, "Mail on Mac"},
        Browser{"SafariOfMacOrIpad",
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15", "",
                Platform::MacOrIpad, "Mail on Mac"},
        Browser{"Iphone", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
                "", Platform::Ios, "Mail on iPhone and iPad"},
        Browser{"Android", "Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile", "",
                Platform::Android, "FairEmail on Android"},
        Browser{"Linux", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "", Platform::Linux,
                "Thunderbird"},
        Browser{"HintWins", "Mozilla/5.0 (X11; Linux x86_64)", "\"macOS\"", Platform::Mac, "Mail on Mac"},
        Browser{"OtherHint", "Mozilla/5.0 (X11; CrOS x86_64)", "\"Chrome OS\"", Platform::Other, "Thunderbird"},
        Browser{"Nothing", "", "", Platform::Other, "Thunderbird"}),
    [](const auto& test) { return test.param.name; });

TEST(Platform, OfApplesAndAndroidReadsTheCompatibleFormat) {
  for (const auto platform : {Platform::Mac, Platform::MacOrIpad, Platform::Ios, Platform::Android}) {
    EXPECT_TRUE(prefers_compatible(platform));
  }
  for (const auto platform : {Platform::Windows, Platform::Linux, Platform::Other}) {
    EXPECT_FALSE(prefers_compatible(platform));
  }
}

}  // namespace
}  // namespace sealpost
