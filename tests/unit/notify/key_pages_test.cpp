// SPDX-License-Identifier: Apache-2.0
// The pages about keeping, replacing and forgetting keys.
#include "notify/key_pages.h"

#include "tests/unit/notify/page_checks.h"

namespace sealpost::test {
namespace {

constexpr const char* checks[] = {
    "no_certificate", "private_key",   "too_many",    "malformed",           "ambiguous",          "ca_certificate",
    "wrong_address",  "not_yet_valid", "expired",     "key_usage",           "extended_key_usage", "critical_extension",
    "key_kind",       "key_size",      "key_unsound", "signature_algorithm", "untrusted"};

class KeyPagesTest : public PageTest {
 protected:
  [[nodiscard]] std::string below(const std::string& path) const { return "=\"/pickup/" + visit.token + path + "\""; }
  const KeyPages pages{site, "en"};
};

TEST_F(KeyPagesTest, ListEveryKeyAndThreeChoices) {
  visit.keys = {key('a'), key('b', PairState::Replaced)};
  visit.keys[0].expires = parse_rfc3339("2026-12-24T00:00:00.000Z").value_or(Time());
  visit.keys[1].available = false;
  const std::string html = pages.keys(visit).value();
  EXPECT_NE(html.find("For the time being, until 2026-12-24"), std::string::npos) << html;
  EXPECT_NE(html.find("The server has a copy, which you can pick up."), std::string::npos);
  EXPECT_NE(html.find("The server has no copy."), std::string::npos);
  EXPECT_LT(html.find(std::string(64, 'a')), html.find("Earlier keys"));
  EXPECT_GT(html.find(std::string(64, 'b')), html.find("Earlier keys"));
  for (const char* path : {"/keep", "/certificate", "/forget"})
    EXPECT_NE(html.find(below(path)), std::string::npos) << path;
}

TEST_F(KeyPagesTest, OfferOnlyWhatWouldChangeSomething) {
  PageKey own = key('a', PairState::Permanent);
  own.own = true;
  own.available = false;
  visit.keys = {own};
  const std::string html = pages.keys(visit).value();
  EXPECT_EQ(html.find(below("/keep")), std::string::npos);
  EXPECT_NE(html.find(below("/certificate")), std::string::npos);
  EXPECT_EQ(html.find(below("/forget")), std::string::npos);
  EXPECT_NE(html.find("the server never had it"), std::string::npos);
}

TEST_F(KeyPagesTest, KeepIsAFormOfItsOwn) {
  visit.keys = {key('a'), key('b', PairState::Replaced)};
  const std::string html = pages.keep(visit).value();
  EXPECT_NE(html.find("method=\"post\" action" + below("/keep")), std::string::npos) << html;
  EXPECT_NE(html.find("name=\"csrf\" value=\"csrf-mac\""), std::string::npos);
  EXPECT_EQ(html.find("name=\"fingerprint\""), std::string::npos) << "the current one is meant";
  EXPECT_NE(pages.keep(visit, true).value().find("Please send the form once more."), std::string::npos);
  EXPECT_NE(pages.kept(visit.token).value().find("href" + below("")), std::string::npos);
}

TEST_F(KeyPagesTest, ForgetAsksForAConfirmation) {
  visit.keys = {key('a'), key('b', PairState::Replaced)};
  const std::string html = pages.forget(visit).value();
  EXPECT_NE(html.find("action" + below("/forget")), std::string::npos);
  EXPECT_NE(html.find("name=\"confirm\" value=\"yes\" required>"), std::string::npos) << html;
  EXPECT_EQ(count(html, "name=\"fingerprint\""), 2U);
  EXPECT_NE(html.find("This cannot be undone."), std::string::npos);
  EXPECT_NE(html.find("What you can still read"), std::string::npos);
  const std::string again = pages.forget(visit, KeyPages::ForgetProblem::NotConfirmed).value();
  EXPECT_NE(again.find("required aria-describedby=\"problem\" aria-invalid=\"true\" autofocus>"), std::string::npos);
  EXPECT_NE(again.find("Please tick the box"), std::string::npos);
}

TEST_F(KeyPagesTest, ForgottenOffersTheReceipt) {
  const std::string html = pages.forgotten(visit.token, "/receipt").value();
  EXPECT_NE(html.find("href" + below("/receipt") + " download>Download the receipt"), std::string::npos) << html;
}

TEST_F(KeyPagesTest, ReplaceTakesAFileOrAText) {
  const std::string html = pages.replace(visit).value();
  EXPECT_NE(html.find("action" + below("/certificate") + " enctype=\"multipart/form-data\""), std::string::npos);
  EXPECT_EQ(count(html, "type=\"file\""), 1U);
  EXPECT_EQ(count(html, "<textarea"), 1U);
}

TEST_F(KeyPagesTest, RefusalSaysWhichCheckFailed) {
  std::set<std::string> told;
  for (const char* check : checks) {
    const auto html = pages.refused(visit, check);
    ASSERT_TRUE(html) << check;
    const auto at = html->find("This certificate cannot be used. ");
    ASSERT_NE(at, std::string::npos) << check;
    told.insert(html->substr(at, html->find("</p>", at) - at));
    EXPECT_NE(html->find("aria-describedby=\"problem hint\" aria-invalid=\"true\" autofocus"), std::string::npos);
    EXPECT_NE(html->find("Nothing was changed. Please choose another one.</p>"), std::string::npos);
  }
  EXPECT_EQ(told.size(), std::size(checks)) << "each in its own words";
  EXPECT_FALSE(pages.refused(visit, "no_such_check"));
}

TEST_F(KeyPagesTest, PendingAsksForTheSecondCode) {
  const std::string fingerprint(64, 'c');
  const std::string html = pages.pending(visit, fingerprint).value();
  EXPECT_NE(html.find("action" + below("/certificate/confirm")), std::string::npos);
  EXPECT_NE(html.find(fingerprint), std::string::npos);
  EXPECT_NE(html.find("name=\"code\""), std::string::npos);
  EXPECT_NE(pages.pending_wrong_code(visit, fingerprint, 2).value().find("Attempts left: 2."), std::string::npos);
}

TEST_F(KeyPagesTest, AreSoundInEveryLanguage) {
  visit = evil();
  for (const auto& language : templates.languages().tags()) {
    const KeyPages there(site, language);
    for (const auto& page :
         {there.keys(visit), there.keep(visit), there.keep(visit, true), there.kept(visit.token), there.replace(visit),
          there.replace(visit, true), there.pending(visit, "<evil>"), there.pending_wrong_code(visit, "<evil>", 1),
          there.replaced(visit.token), there.forget(visit), there.forget(visit, KeyPages::ForgetProblem::NotConfirmed),
          there.forget(visit, KeyPages::ForgetProblem::SendAgain), there.forgotten(visit.token, "/receipt")}) {
      expect_sound(page, language);
    }
    for (const char* check : checks) expect_sound(there.refused(visit, check), language);
  }
}

}  // namespace
}  // namespace sealpost::test
