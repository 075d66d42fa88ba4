// SPDX-License-Identifier: Apache-2.0
// What holds for every page, whatever it shows.
#pragma once

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>
#include <vector>

#include "notify/page_frame.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

inline std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

class PageTest : public testing::Test {
 protected:
  static PageKey key(char fill, PairState state = PairState::Interim) { return {std::string(64, fill), state}; }

  /// Where people choose a text, it tries to be markup.
  static VisitFacts evil() {
    VisitFacts facts{"AbCdEfGhIjKlMnOpQrStUvWx", "<evil>@example.net", {}, "<evil>"};
    for (const auto state : {PairState::Interim, PairState::Permanent, PairState::Replaced, PairState::Forgotten,
                             PairState::Revoked, PairState::Interim}) {
      facts.keys.push_back({"<evil>", state});
    }
    facts.keys.back().expires = Time();
    facts.keys[1].own = true;
    facts.keys[3].available = false;
    return facts;
  }

  static void expect_sound(const Result<std::string>& html, const std::string& language) {
    ASSERT_TRUE(html) << html.error().internal_detail;
    EXPECT_EQ(html->find("{{"), std::string::npos) << *html;
    EXPECT_EQ(html->find("<script"), std::string::npos);
    EXPECT_EQ(html->find("<evil"), std::string::npos) << *html;
    EXPECT_EQ(html->find("://"), std::string::npos) << "no outside host";
    EXPECT_EQ(html->find(" style="), std::string::npos) << "the policy forbids inline styles";
    EXPECT_NE(html->find("<html lang=\"" + language + "\">"), std::string::npos);
    EXPECT_NE(html->find("relay&lt;.example.org"), std::string::npos);
    EXPECT_EQ(count(*html, "<main>"), 1U);
    expect_headings_in_order(*html);
    expect_fields_named(*html);
  }

  static void expect_headings_in_order(const std::string& html) {
    int before = 0;
    const std::regex heading("<h([1-6])[ >]");
    for (std::sregex_iterator at(html.begin(), html.end(), heading), end; at != end; ++at) {
      const int level = std::stoi((*at)[1]);
      EXPECT_LE(level, before + 1) << html;
      EXPECT_EQ(level == 1, before == 0) << "one first heading";
      before = level;
    }
  }

  /// Each field has a label, and what it is described by is there, once.
  static void expect_fields_named(const std::string& html) {
    EXPECT_EQ(count(html, "<label"), count(html, "<input") + count(html, "<textarea") - count(html, "type=\"hidden\""))
        << html;
    std::multiset<std::string> ids;
    const std::regex id(" id=\"([^\"]*)\"");
    for (std::sregex_iterator at(html.begin(), html.end(), id), end; at != end; ++at) ids.insert((*at)[1]);
    for (const auto& one : ids) EXPECT_EQ(ids.count(one), 1U) << one;
    const std::regex reference(" (?:for|aria-labelledby|aria-describedby)=\"([^\"]*)\"");
    for (std::sregex_iterator at(html.begin(), html.end(), reference), end; at != end; ++at) {
      std::istringstream names((*at)[1]);
      for (std::string name; names >> name;) EXPECT_TRUE(ids.contains(name)) << name << "\n" << html;
    }
  }

  const Templates templates = Templates::load({}).value();
  const PageSite site{templates, "relay<.example.org", "https://relay.example.org"};
  VisitFacts visit{"AbCdEfGhIjKlMnOpQrStUvWx", "bob@example.net", {}, "csrf-mac"};
};

}  // namespace sealpost::test
