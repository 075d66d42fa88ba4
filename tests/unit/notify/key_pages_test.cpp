// SPDX-License-Identifier: Apache-2.0
// The pages about keeping, replacing and forgetting keys.
#include "notify/key_pages.h"

#include "tests/unit/notify/page_checks.h"

namespace sealpost::test {
namespace {

/// Each check, with what a certificate that fails it may have.
std::vector<CertificateRefusal> refusals() {
  const Time date = parse_rfc3339("2026-12-24T00:00:00.000Z").value_or(Time());
  std::vector<CertificateRefusal> all = {
      refuse_too_large(262'144),
      refuse_too_many(20),
      refuse_wrong_address("bob@example.net", {"<evil>@example.org", "x@example.org"}),
      refuse_wrong_address("bob@example.net", {}),
      refuse_date(CertificateCheck::NotYetValid, date),
      refuse_date(CertificateCheck::Expired, date),
      refuse_key_size(1024)};
  for (const auto check :
       {CertificateCheck::NoCertificate, CertificateCheck::PrivateKey, CertificateCheck::Malformed,
        CertificateCheck::Ambiguous, CertificateCheck::CaCertificate, CertificateCheck::KeyUsage,
        CertificateCheck::ExtendedKeyUsage, CertificateCheck::CriticalExtension, CertificateCheck::KeyKind,
        CertificateCheck::KeyUnsound, CertificateCheck::SignatureAlgorithm, CertificateCheck::Untrusted}) {
    all.push_back(refuse(check));
  }
  return all;
}

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
  EXPECT_NE(html.find("name=\"fingerprint\" value=\"" + std::string(64, 'a') + "\""), std::string::npos)
      << "whatever becomes current meanwhile";
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
  for (const auto& why : refusals()) {
    const auto html = pages.refused(visit, why);
    ASSERT_TRUE(html) << why.sentence;
    const auto at = html->find("This certificate cannot be used. ");
    ASSERT_NE(at, std::string::npos) << why.sentence;
    told.insert(html->substr(at, html->find("</p>", at) - at));
    EXPECT_NE(html->find("aria-describedby=\"problem hint\" aria-invalid=\"true\" autofocus"), std::string::npos);
    EXPECT_NE(html->find("Nothing was changed. Please choose another one.</p>"), std::string::npos);
  }
  EXPECT_EQ(told.size(), refusals().size()) << "each in its own words";
}

TEST_F(KeyPagesTest, RefusalSaysWhatWasFound) {
  for (const auto& language : templates.languages().tags()) {
    const KeyPages there(site, language);
    const std::vector<std::string> facts = {
        "256 KiB", "20", "&lt;evil&gt;@example.org, x@example.org", "", "2026-12-24", "2026-12-24", "1024"};
    const auto all = refusals();
    for (std::size_t i = 0; i < facts.size(); ++i) {
      std::string fact = facts[i];
      if (language == "fr" && i == 0) fact = "256 Kio";
      EXPECT_NE(there.refused(visit, all[i])->find(fact), std::string::npos) << language << ": " << all[i].sentence;
    }
  }
}

TEST_F(KeyPagesTest, StateOfAnOwnCertificateSaysWhetherMailWaits) {
  PageKey own = key('a', PairState::Permanent);
  own.own = true;
  own.available = false;
  own.expires = parse_rfc3339("2026-12-24T00:00:00.000Z").value_or(Time());
  visit.keys = {own, own};
  visit.keys[1].state = PairState::Revoked;
  visit.now = *own.expires - std::chrono::hours(1);
  const std::string valid = pages.keys(visit).value();
  EXPECT_NE(valid.find("Your own certificate, valid until 2026-12-24"), std::string::npos) << valid;
  EXPECT_EQ(valid.find("mail to you waits"), std::string::npos) << "an earlier one holds nothing up";
  visit.now = *own.expires;
  EXPECT_NE(pages.keys(visit)->find("ended on 2026-12-24: mail to you waits"), std::string::npos);
  visit.keys[0].state = PairState::Revoked;
  EXPECT_NE(pages.keys(visit)->find("Revoked: mail to you waits"), std::string::npos);
}

TEST_F(KeyPagesTest, ForgetSaysWhatHoldsForThisKey) {
  visit.keys = {key('a')};
  visit.keys[0].expires = parse_rfc3339("2026-12-24T00:00:00.000Z").value_or(Time());
  EXPECT_NE(pages.forget(visit)->find("The current key was never picked up"), std::string::npos);
  visit.keys[0].picked_up = true;
  const std::string taken = pages.forget(visit).value();
  EXPECT_EQ(taken.find("never picked up"), std::string::npos) << taken;
  EXPECT_NE(taken.find("The current key ends on 2026-12-24"), std::string::npos) << taken;
  visit.keys[0].state = PairState::Permanent;
  EXPECT_EQ(pages.forget(visit)->find("ends on"), std::string::npos);
  visit.keys = {key('b', PairState::Permanent), key('a', PairState::Replaced)};
  visit.keys[0].available = false;
  const std::string earlier = pages.forget(visit).value();
  EXPECT_NE(earlier.find("was never picked up: mail that is encrypted with it then stays closed"), std::string::npos);
  EXPECT_EQ(earlier.find("the next mail gets a new key"), std::string::npos) << earlier;
}

TEST_F(KeyPagesTest, PendingAsksForTheSecondCode) {
  const std::string fingerprint(64, 'c');
  const std::string html = pages.pending(visit, fingerprint).value();
  EXPECT_NE(html.find("action" + below("/certificate/confirm")), std::string::npos);
  EXPECT_NE(html.find(fingerprint), std::string::npos);
  EXPECT_NE(html.find("name=\"code\""), std::string::npos);
  EXPECT_NE(pages.pending(visit, fingerprint, pages.wrong_code(2))->find("Attempts left: 2."), std::string::npos);
}

TEST_F(KeyPagesTest, AreSoundInEveryLanguage) {
  visit = evil();
  for (const auto& language : templates.languages().tags()) {
    const KeyPages there(site, language);
    for (const auto& page :
         {there.keys(visit), there.keep(visit), there.keep(visit, true), there.kept(visit.token), there.replace(visit),
          there.replace(visit, true), there.replace_again(visit), there.pending(visit, "<evil>"),
          there.pending(visit, "<evil>", there.wrong_code(1)), there.second_code(visit.token, std::string()),
          there.second_code(visit.token, there.wrong_code(1)), there.replaced(visit.token), there.forget(visit),
          there.forget(visit, KeyPages::ForgetProblem::NotConfirmed),
          there.forget(visit, KeyPages::ForgetProblem::SendAgain), there.forgotten(visit.token, "/receipt")}) {
      expect_sound(page, language);
    }
    for (const auto& why : refusals()) expect_sound(there.refused(visit, why), language);
  }
}

}  // namespace
}  // namespace sealpost::test
