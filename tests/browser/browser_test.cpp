// SPDX-License-Identifier: Apache-2.0
// The pages in Debian's Chromium, behind a real relay: each case is a function of a script beside this file, which
// playwright-core drives (package.json).
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <map>
#include <ostream>
#include <string>

#include "notify/languages.h"
#include "notify/pages.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/support/build.h"

namespace sealpost::test {
namespace {

namespace fs = std::filesystem;

struct Walk {
  const char* name;
  const char* script;
  const char* script_case;
  RelayFixture::Settings settings = {};
};
void PrintTo(const Walk& walk, std::ostream* out) { *out << walk.name; }

class Chromium : public testing::TestWithParam<Walk> {
 protected:
  Finished visit(const RelayFixture& relay, const TempDir& place) {
    return run({"node", SOURCE_DIR "/tests/browser/" + std::string(GetParam().script), GetParam().script_case}, {},
               {{"RELAY", "http://127.0.0.1:" + std::to_string(relay.port("http"))},
                {"MAIL", relay.directory() / "mail"},
                {"CTL", program("sealpostctl")},
                {"CONFIG", relay.config()},
                {"REDIS", std::to_string(relay.redis_pid())},
                {"PLACE", place.path().string()},
                {"HOME", place.path().string()}},
               std::chrono::seconds(240));
  }

  /// For people to look at; each run replaces them.
  static void keep_pictures(const TempDir& place) {
    const fs::path pictures = place.path() / "pictures";
    if (!fs::exists(pictures)) return;  // of a case that failed before its first page, or takes none
    const fs::path kept = build_directory() / "screenshots";
    fs::create_directories(kept);
    fs::copy(pictures, kept, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  }
};

/// Every page that says one thing, in every language: PLACE/pages/NUMBER-LANGUAGE.html.
void draw_messages(const TempDir& place) {
  const auto templates = Templates::load({}).value();
  const PageSite site(templates, "relay.example.org", "http://127.0.0.1");
  fs::create_directories(place.path() / "pages");
  for (const auto& language : templates.languages().tags()) {
    const Pages pages(site, language);
    for (int number = 0; number <= static_cast<int>(PageMessage::CodeAsked); ++number) {
      const auto page = pages.message(static_cast<PageMessage>(number), std::string(32, 'A'));
      ASSERT_TRUE(page) << page.error().public_text;
      place.write("pages/" + std::to_string(100 + number) + "-" + std::string(language) + ".html", *page);
    }
  }
}

/// A next hop that refuses every connection: all that is sent is deferred for an hour.
const RelayFixture::Settings refused = {{"delivery.route", "smtp://127.0.0.1:" + std::to_string(free_port())},
                                        {"delivery.retry", "1h"}};

TEST_P(Chromium, Shows) {
  const RelayFixture relay(GetParam().settings);
  const TempDir place;
  if (std::string(GetParam().script_case) == "every_message") draw_messages(place);
  const auto visited = visit(relay, place);
  EXPECT_EQ(visited.status, 0) << visited.out << visited.err;
  keep_pictures(place);
}

INSTANTIATE_TEST_SUITE_P(
    Browser, Chromium,
    testing::Values(
        Walk{"TheWalkOnADesk", "pickup.mjs", "desk"},
        Walk{"TheWalkOnADeskWithoutScript", "pickup.mjs", "desk_without_script"},
        Walk{"TheWalkOnAPhone", "pickup.mjs", "phone"},
        Walk{"TheWalkOnAPhoneWithoutScript", "pickup.mjs", "phone_without_script"},
        Walk{"AnRsaKeyFileThatEveryProgramOpens", "pickup.mjs", "rsa_in_programs", {{"crypto.key_type", "rsa2048"}}},
        Walk{"AP256KeyFileThatProgramsOpen", "pickup.mjs", "p256_in_programs"},
        Walk{"AllToTheKeyboard", "pickup.mjs", "keyboard_only"},
        Walk{"TheVisitorsProgramFirst", "pickup.mjs", "platforms"},
        Walk{"TheVisitorsLanguage", "pickup.mjs", "languages"}, Walk{"AnUnknownLink", "problems.mjs", "unknown_link"},
        Walk{"ALockedLink", "problems.mjs", "locked"},
        Walk{"AnExpiredCode", "problems.mjs", "expired", {{"notify.code_lifetime", "1s"}}},
        Walk{"AVisitThatEnded", "problems.mjs", "ended_visit"}, Walk{"FormsOfOthers", "problems.mjs", "foreign_forms"},
        Walk{"CertificatesThatAreRefused", "problems.mjs", "refused_certificates"},
        Walk{"WhatAnotherWindowDid", "problems.mjs", "overtaken"}, Walk{"ARevokedKey", "problems.mjs", "revoked"},
        Walk{"TooManyCertificates", "problems.mjs", "too_many_certificates"},
        Walk{"ASecondCodeWithoutAVisit", "problems.mjs", "second_code_elsewhere"},
        Walk{"ABusyServer", "problems.mjs", "busy"}, Walk{"EveryMessage", "problems.mjs", "every_message"},
        Walk{"TheApi", "docs.mjs", "readable"}, Walk{"TheOperatorsLogin", "operator.mjs", "login"},
        Walk{"LiveCharts", "operator.mjs", "live"}, Walk{"ADroppedStream", "operator.mjs", "dropped_stream"},
        Walk{"TheSearch", "operator.mjs", "search", refused},
        Walk{"TheSearchOnAPhone", "operator.mjs", "search_phone", refused},
        Walk{"TheSearchWithoutScript", "operator.mjs", "search_without_script", refused},
        Walk{"BulkActions", "operator.mjs", "bulk", refused},
        Walk{"TwoOperators", "operator.mjs", "overtaken", refused},
        Walk{"TheDashboardByKeyboard", "operator.mjs", "keyboard", refused}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace sealpost::test
