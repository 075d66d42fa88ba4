// SPDX-License-Identifier: Apache-2.0
// The forms by which people decide about their keys: they mean the key that they show, and the second code is taken
// from whoever has it.
#include "crypto/certificate.h"
#include "notify/codes.h"
#include "tests/unit/notify/routes_fixture.h"

namespace sealpost::test {
namespace {

class KeyPageFormsTest : public RoutesTest {
 protected:
  void SetUp() override {
    RoutesTest::SetUp();
    bob = notified("bob@example.net");
    page = "/pickup/" + bob.token;
    const std::string cookie = patient_call("POST", page + "/session", "code=" + bob.code).field("Set-Cookie");
    visitor = {{"Cookie", cookie.substr(0, cookie.find(';'))}};
    first = current();
  }
  std::string current() { return keys->directory.find(address("bob@example.net"))->value().fingerprint; }
  bool opens(const std::string& fingerprint) {
    return keys->directory.export_pkcs12("bob@example.net", fingerprint, Pkcs12Format::Modern, {}).ok();
  }
  Answer look(const std::string& below) { return call("GET", page + below, {}, visitor); }
  static std::string value_of(const std::string& html, const std::string& field) {
    const std::string mark = "name=\"" + field + "\" value=\"";
    const auto at = html.find(mark);
    return at == std::string::npos ? std::string()
                                   : html.substr(at + mark.size(), html.find('"', at + mark.size()) - at - mark.size());
  }
  /// The form as the page has it, and what is typed into it.
  static std::string filled(const std::string& html, const std::string& typed = {}) {
    return "csrf=" + value_of(html, "csrf") + "&fingerprint=" + value_of(html, "fingerprint") + typed;
  }
  void next_pair() {
    clock.advance(settings.interim_lifetime);
    ASSERT_TRUE(keys->directory.find_or_assign(address("bob@example.net"), introduction)->assigned);
    ASSERT_NE(current(), first);
  }
  /// A certificate waits for this code.
  std::string pending_code() {
    const Secret code = make_code(random);
    const std::string der = keys->authority.chain()[0];
    const OwnPair own{der, certificate_fingerprint(der), clock.now() + day};
    EXPECT_TRUE(pending->add("bob@example.net", own, store->find(bob.token)->id, code, clock.now()));
    return std::string(code.reveal());
  }

  SentNotice bob;
  std::string page;
  Fields visitor;
  std::string first;
};

TEST_F(KeyPageFormsTest, ForgetMeansTheKeyThatItShowed) {
  const std::string form = look("/forget").body;
  EXPECT_NE(form.find("<code>" + first + "</code>"), std::string::npos) << form;
  next_pair();
  ASSERT_EQ(call("POST", page + "/forget", filled(form, "&confirm=yes"), visitor).status, 200);
  EXPECT_FALSE(opens(first));
  EXPECT_TRUE(opens(current())) << "nobody saw this one";
}

TEST_F(KeyPageFormsTest, KeepMeansTheKeyThatItShowed) {
  const std::string form = look("/keep").body;
  EXPECT_NE(form.find("<code>" + first + "</code>"), std::string::npos) << form;
  next_pair();
  const auto late = call("POST", page + "/keep", filled(form), visitor);
  EXPECT_EQ(late.status, 409);
  EXPECT_NE(late.body.find("Another key has taken the place of this one."), std::string::npos) << late.body;
  EXPECT_EQ(keys->directory.find(address("bob@example.net"))->value().state, PairState::Interim);
}

TEST_F(KeyPageFormsTest, AFormThatNamesNoKeyIsSentAgain) {
  const std::string csrf = "csrf=" + value_of(look("/keep").body, "csrf");
  for (const char* name : {"/keep", "/forget"}) {
    const auto answer = call("POST", page + name, csrf + "&confirm=yes", visitor);
    EXPECT_EQ(answer.status, 403) << name;
    EXPECT_NE(answer.body.find("Please send the form once more."), std::string::npos);
    EXPECT_EQ(value_of(answer.body, "fingerprint"), first);
  }
  EXPECT_TRUE(opens(first));
}

TEST_F(KeyPageFormsTest, TheKeyFileIsThatOfTheKeyThatWasShown) {
  EXPECT_EQ(value_of(look("").body, "fingerprint"), first);
}

TEST_F(KeyPageFormsTest, AFileThatWaitedIsNotGivenAfterForget) {
  ASSERT_EQ(call("POST", page + "/pkcs12", filled(look("").body, "&format=modern"), visitor).status, 200);
  ASSERT_EQ(look("/file").status, 200);
  ASSERT_EQ(call("POST", page + "/forget", filled(look("/forget").body, "&confirm=yes"), visitor).status, 200);
  EXPECT_EQ(look("/file").status, 404);
  EXPECT_EQ(look("/receipt").status, 200);
}

TEST_F(KeyPageFormsTest, WhereNothingIsToBeDoneThereIsNoForm) {
  ASSERT_EQ(call("POST", page + "/keep", filled(look("/keep").body), visitor).status, 200);
  const auto kept = look("/keep");
  EXPECT_EQ(kept.status, 200);
  EXPECT_NE(kept.body.find("<h1>Your key is kept</h1>"), std::string::npos) << kept.body;
  ASSERT_EQ(call("POST", page + "/forget", filled(look("/forget").body, "&confirm=yes"), visitor).status, 200);
  for (const char* name : {"/keep", "/forget"}) {
    const auto answer = look(name);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body.find("<form"), std::string::npos) << answer.body;
  }
}

TEST_F(KeyPageFormsTest, AnOwedReceiptHasAFormOnceMore) {
  ASSERT_EQ(call("POST", page + "/forget", filled(look("/forget").body, "&confirm=yes"), visitor).status, 200);
  ASSERT_TRUE(owed->add("bob@example.net", first, clock.now()));
  const auto form = look("/forget");
  EXPECT_NE(form.body.find("its receipt could not be sent"), std::string::npos) << form.body;
  EXPECT_EQ(call("POST", page + "/forget", filled(form.body, "&confirm=yes"), visitor).status, 200);
  EXPECT_TRUE(owed->all("bob@example.net")->empty()) << "it was given";
}

TEST_F(KeyPageFormsTest, TheSecondCodesFormTellsNothingWithoutAVisit) {
  pending_code();
  const auto form = call("GET", page + "/certificate/confirm");
  EXPECT_EQ(form.status, 200);
  EXPECT_NE(form.body.find("action=\"" + page + "/certificate/confirm\""), std::string::npos) << form.body;
  EXPECT_NE(form.body.find("name=\"code\""), std::string::npos);
  for (const char* secret : {"bob", "example.net", "Fingerprint"}) {
    EXPECT_EQ(form.body.find(secret), std::string::npos) << secret;
  }
  ASSERT_TRUE(pending->remove("bob@example.net"));
  EXPECT_EQ(call("GET", page + "/certificate/confirm").body, form.body) << "nor whether one waits";
  EXPECT_EQ(call("GET", "/pickup/" + std::string(make_token(random).reveal()) + "/certificate/confirm").status, 404);
}

TEST_F(KeyPageFormsTest, TheSecondCodeIsTakenWithoutAVisit) {
  const std::string code = pending_code();
  const auto wrong = call("POST", page + "/certificate/confirm", "code=" + wrong_code());
  EXPECT_EQ(wrong.status, 403);
  EXPECT_NE(wrong.body.find("Attempts left: 4."), std::string::npos) << wrong.body;
  EXPECT_NE(wrong.body.find("name=\"code\""), std::string::npos);
  EXPECT_EQ(store->find(bob.token)->attempts, 0U) << "no guess at the first one";
  const auto early = call("POST", page + "/certificate/confirm", "code=" + wrong_code());
  EXPECT_EQ(early.status, 429);
  EXPECT_FALSE(early.field("Retry-After").empty());
  EXPECT_NE(early.body.find("name=\"code\""), std::string::npos) << "with the form at hand";
  const auto used = patient_call("POST", page + "/certificate/confirm", "code=" + code);
  EXPECT_EQ(used.status, 200) << used.body;
  EXPECT_NE(used.body.find("Your certificate is in use"), std::string::npos);
}

TEST_F(KeyPageFormsTest, ASecondCodeFromAnotherSiteIsNotLookedAt) {
  const std::string code = pending_code();
  EXPECT_EQ(call("POST", page + "/certificate/confirm", "code=" + code, {{"Origin", "https://evil.example"}}).status,
            403);
  EXPECT_EQ(current(), first);
  EXPECT_EQ(call("POST", page + "/certificate/confirm", "csrf=x&code=" + code, visitor).status, 403)
      << "in a visit the form is that of the visit";
  EXPECT_EQ(pending->find("bob@example.net")->value().attempts, 0U);
}

TEST_F(KeyPageFormsTest, AfterTheFifthWrongSecondCodeTheCertificateIsSentAgain) {
  pending_code();
  Answer answer;
  for (int i = 0; i < 5; ++i) {
    answer = patient_call("POST", page + "/certificate/confirm", "code=" + wrong_code());
  }
  EXPECT_EQ(answer.status, 403);
  EXPECT_NE(answer.body.find("The second code was entered wrongly five times"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("href=\"" + page + "/certificate\""), std::string::npos);
}

TEST_F(KeyPageFormsTest, WhileOneWaitsAnotherCanBeSent) {
  pending_code();
  const auto pending_form = look("/certificate/confirm");
  EXPECT_NE(pending_form.body.find("bob@example.net"), std::string::npos);
  EXPECT_NE(pending_form.body.find("href=\"" + page + "/certificate\""), std::string::npos) << pending_form.body;
  const auto form = look("/certificate");
  EXPECT_NE(form.body.find("name=\"file\""), std::string::npos) << form.body;
  EXPECT_NE(form.body.find("href=\"" + page + "/certificate/confirm\""), std::string::npos) << "and the way back";
}

TEST_F(KeyPageFormsTest, TheCertificateInUseIsRefusedInWordsOfItsOwn) {
  const std::string body =
      "--part\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n" + value_of(look("/certificate").body, "csrf") +
      "\r\n--part\r\nContent-Disposition: form-data; name=\"certificate\"\r\n\r\n" +
      to_pem(keys->directory.find(address("bob@example.net"))->value().certificate).value() + "\r\n--part--\r\n";
  Fields fields = visitor;
  fields["Content-Type"] = "multipart/form-data; boundary=part";
  const auto answer = call("POST", page + "/certificate", body, fields);
  EXPECT_EQ(answer.status, 409);
  EXPECT_NE(answer.body.find("Your address has, or had, this very certificate already."), std::string::npos)
      << answer.body;
}

}  // namespace
}  // namespace sealpost::test
