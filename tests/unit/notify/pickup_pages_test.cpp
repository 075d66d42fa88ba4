// SPDX-License-Identifier: Apache-2.0
// The pickup's pages for people: forms, cookie and CSRF field, what each problem shows, and that looking changes
// nothing.
#include <ostream>
#include <regex>

#include "base/http/form_origin.h"
#include "notify/codes.h"
#include "tests/unit/notify/routes_fixture.h"

namespace sealpost::test {
namespace {

class PickupPagesTest : public RoutesTest {
 protected:
  void SetUp() override {
    RoutesTest::SetUp();
    bob = notified("bob@example.net");
    page = "/pickup/" + bob.token;
  }
  Answer enter(const std::string& code, const Fields& fields = {}) {
    return patient_call("POST", page + "/session", "code=" + code, fields);
  }
  /// The cookie of an entered code, as a browser sends it back.
  Fields visitor() {
    const std::string cookie = enter(bob.code).field("Set-Cookie");
    return {{"Cookie", cookie.substr(0, cookie.find(';'))}};
  }
  std::string csrf(const Fields& visitor) {
    return after_quote(call("GET", page, {}, visitor).body, "name=\"csrf\" value=\"");
  }
  static std::string after_quote(const std::string& text, const std::string& mark) {
    const auto at = text.find(mark);
    if (at == std::string::npos) return {};
    return text.substr(at + mark.size(), text.find('"', at + mark.size()) - at - mark.size());
  }
  /// What Redis holds, times to live left out.
  std::string content_of_redis() {
    const auto names = keys->redis.command({"KEYS", "*"}).value();
    std::map<std::string, std::string> all;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string name(names[i].text());
      all[name] = std::string(keys->redis.command({"DUMP", name})->text());
    }
    std::string text;
    for (const auto& [name, value] : all) text += name + "=" + value + "\n";
    return text;
  }
  SentNotice bob;
  std::string page;
};

TEST_F(PickupPagesTest, LinkShowsAFormAndNothingOfTheAddress) {
  const auto answer = call("GET", page);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body.find("bob"), std::string::npos);
  EXPECT_EQ(answer.body.find("example.net"), std::string::npos);
  EXPECT_NE(answer.body.find("action=\"" + page + "/session\""), std::string::npos);
  EXPECT_EQ(answer.field("Set-Cookie"), "");
}

TEST_F(PickupPagesTest, CodeLeadsToTheKeyAndItsFile) {
  const auto entered = enter(bob.code);
  EXPECT_EQ(entered.status, 303);
  EXPECT_EQ(entered.field("Location"), page);
  const std::string cookie = entered.field("Set-Cookie");
  EXPECT_TRUE(std::regex_match(cookie, std::regex("sealpost_pickup=[A-Za-z0-9_-]{24}; Path=" + page +
                                                  "; Max-Age=1800; HttpOnly; SameSite=Strict; Secure")))
      << cookie;
  const Fields visitor = {{"Cookie", "other=x; " + cookie.substr(0, cookie.find(';'))}};
  const auto opened = call("GET", page, {}, visitor);
  EXPECT_EQ(opened.status, 200);
  EXPECT_NE(opened.body.find("bob@example.net"), std::string::npos);
  const std::string field = after_quote(opened.body, "name=\"csrf\" value=\"");
  const auto made = call("POST", page + "/pkcs12", "csrf=" + field + "&format=compatible", visitor);
  ASSERT_EQ(made.status, 200) << made.body;
  std::smatch password;
  ASSERT_TRUE(std::regex_search(made.body, password, std::regex("class=\"password\"><code>([^<]+)</code>")));
  const auto file = call("GET", page + "/file", {}, visitor);
  ASSERT_EQ(file.status, 200);
  EXPECT_EQ(file.field("Content-Type"), "application/x-pkcs12");
  EXPECT_EQ(file.field("Content-Disposition"), "attachment; filename=\"mail-key.p12\"");
  const std::string path = dir.write("page.p12", file.body);
  EXPECT_EQ(run({"openssl", "pkcs12", "-in", path, "-passin", "stdin", "-nodes"}, password[1].str() + "\n").status, 0);
}

TEST_F(PickupPagesTest, ProblemsHavePagesOfTheirOwn) {
  const auto wrong = enter(wrong_code());
  EXPECT_EQ(wrong.status, 403);
  EXPECT_NE(wrong.body.find("Attempts left: 4"), std::string::npos) << wrong.body;
  EXPECT_NE(wrong.body.find("role=\"alert\""), std::string::npos);
  EXPECT_NE(wrong.body.find("name=\"code\""), std::string::npos) << "with the form at hand";
  const auto empty = enter("");
  EXPECT_EQ(empty.status, 403);
  EXPECT_NE(empty.body.find("Attempts left: 4"), std::string::npos) << "a scanner's press costs none: " << empty.body;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(enter(wrong_code()).status, 403);
  for (int i = 0; i < 2; ++i) {
    const auto locked = enter(wrong_code());
    EXPECT_EQ(locked.status, 423) << "told at once when the last attempt is gone";
    EXPECT_NE(locked.body.find("action=\"/pickup/resend\""), std::string::npos);
  }
  EXPECT_EQ(call("GET", page).status, 423);
  clock.advance(day * 30);
  EXPECT_EQ(call("GET", page).status, 410);
  EXPECT_EQ(call("GET", "/pickup/unknown").status, 404);
  EXPECT_EQ(call("GET", page + "/file").status, 401);
}

TEST_F(PickupPagesTest, LookingChangesNothing) {
  const Fields with_cookie = visitor();
  ASSERT_EQ(call("POST", page + "/pkcs12", "csrf=" + csrf(with_cookie) + "&format=modern", with_cookie).status, 200);
  EXPECT_EQ(sent().size(), 1U) << "the first pickup is told";
  const std::string before = content_of_redis();
  for (const char* method : {"GET", "HEAD"}) {
    for (const std::string& path :
         {page, page + "/", page + "/session", page + "/pkcs12", page + "/file", page + "/keys", page + "/keep",
          page + "/certificate", page + "/certificate/confirm", page + "/forget", page + "/receipt",
          std::string("/pickup/unknown"), std::string("/pickup/resend"), std::string("/pickup/style.css"),
          std::string("/pickup/logo"), std::string("/v1/ca"), std::string("/v1/keys/bob@example.net"),
          std::string("/v1/keys/nobody@example.net")}) {
      for (const Fields& fields : {Fields{}, with_cookie, bearer("keys")}) {
        const auto answer = call(method, path, {}, fields);
        if (std::string_view(method) == "HEAD") {
          EXPECT_EQ(answer.body, "") << path;
        }
      }
    }
  }
  EXPECT_EQ(content_of_redis(), before);
}

TEST_F(PickupPagesTest, EveryAnswerCarriesTheSecurityFields) {
  const Fields with_cookie = visitor();
  ASSERT_EQ(call("POST", page + "/pkcs12", "csrf=" + csrf(with_cookie) + "&format=modern", with_cookie).status, 200);
  const std::vector<Answer> answers = {call("GET", page),
                                       call("GET", page, {}, with_cookie),
                                       call("GET", page + "/file", {}, with_cookie),
                                       call("GET", "/pickup/unknown"),
                                       call("GET", "/pickup/style.css"),
                                       enter(wrong_code()),
                                       enter(bob.code),
                                       call("POST", "/pickup/resend", "address=bob@example.net"),
                                       call("DELETE", page),
                                       call("HEAD", page),
                                       call("GET", page, {}, {}, "198.51.100.7"),
                                       call("POST", session_path(bob), "x"),
                                       call("POST", session_path(bob), code_body(bob.code)),
                                       call("POST", "/v1/pickup/resend", R"({"address":"x"})")};
  for (const auto& answer : answers) {
    EXPECT_EQ(answer.field("Content-Security-Policy"),
              "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
        << answer.head;
    EXPECT_EQ(answer.field("Cache-Control"), "no-store") << answer.head;
    EXPECT_EQ(answer.field("Referrer-Policy"), "no-referrer");
    EXPECT_EQ(answer.field("X-Content-Type-Options"), "nosniff");
  }
}

TEST_F(PickupPagesTest, FormWithoutItsCsrfFieldMakesNoFile) {
  const Fields with_cookie = visitor();
  for (const std::string& body : {std::string("format=modern"), std::string("csrf=&format=modern"),
                                  "csrf=" + std::string(64, '0') + "&format=modern"}) {
    const auto answer = call("POST", page + "/pkcs12", body, with_cookie);
    EXPECT_EQ(answer.status, 403);
    EXPECT_NE(answer.body.find("Please send the form once more."), std::string::npos);
  }
  EXPECT_EQ(call("GET", page + "/file", {}, with_cookie).status, 404);
  const std::string field = csrf(with_cookie);
  EXPECT_EQ(call("POST", page + "/pkcs12", "csrf=" + field + "&format=modern", visitor()).status, 403)
      << "another visit's";
  EXPECT_EQ(call("POST", page + "/pkcs12", "csrf=" + field + "&format=modern").status, 401) << "no visit";
}

TEST_F(PickupPagesTest, FormOfAnotherSiteIsRefused) {
  const Fields foreign = {{"Origin", "https://evil.example"}};
  EXPECT_EQ(enter(bob.code, foreign).status, 403);
  Fields with_cookie = visitor();
  const std::string field = csrf(with_cookie);
  with_cookie.insert(foreign.begin(), foreign.end());
  EXPECT_EQ(call("POST", page + "/pkcs12", "csrf=" + field + "&format=modern", with_cookie).status, 403);
  EXPECT_EQ(enter(wrong_code(), foreign).body.find("Attempts"), std::string::npos) << "and costs no attempt";
  EXPECT_EQ(store->find(bob.token)->attempts, 0U);
}

TEST_F(PickupPagesTest, PlainHttpFromAfarIsRefused) {
  for (const std::string& path : {page, page + "/file"})
    EXPECT_EQ(call("GET", path, {}, {}, "198.51.100.7").status, 403);
  EXPECT_EQ(call("POST", page + "/session", "code=" + bob.code, {}, "198.51.100.7").status, 403);
  EXPECT_EQ(call("GET", page, {}, {{"X-Forwarded-Proto", "https"}}, "192.0.2.9").status, 200);
}

TEST_F(PickupPagesTest, ResendSaysTheSameToEverybody) {
  const auto known = call("POST", "/pickup/resend", "address=bob%40example.net");
  EXPECT_EQ(known.status, 202);
  for (const char* body : {"address=nobody%40example.net", "address=x", "address=", "other=1"}) {
    const auto answer = call("POST", "/pickup/resend", body);
    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(answer.body, known.body) << body;
  }
  EXPECT_EQ(call("POST", "/pickup/resend", std::string(4097, 'x')).status, 413);
}

TEST_F(PickupPagesTest, SpeakTheLanguageThatTheBrowserAsksFor) {
  const auto german = call("GET", page, {}, {{"Accept-Language", "de-AT,de;q=0.9,en;q=0.5"}});
  EXPECT_NE(german.body.find("<html lang=\"de\">"), std::string::npos);
  EXPECT_NE(german.body.find("<h1>Ihre verschlüsselte E-Mail öffnen</h1>"), std::string::npos) << german.body;
  EXPECT_EQ(german.field("Content-Language"), "de");
  EXPECT_EQ(german.field("Vary"), "Accept-Language");
  EXPECT_EQ(call("GET", page, {}, {{"Accept-Language", "nl"}}).field("Content-Language"), "en");
  page_context->language = "ja";
  EXPECT_EQ(call("GET", page, {}, {{"Accept-Language", "nl"}}).field("Content-Language"), "ja");
  EXPECT_EQ(call("GET", "/pickup/unknown").field("Content-Language"), "ja");
  EXPECT_EQ(enter(wrong_code(), {{"Accept-Language", "fr"}}).field("Content-Language"), "fr");
}

TEST_F(PickupPagesTest, ShowTheLogoOfTheOperator) {
  EXPECT_EQ(call("GET", "/pickup/logo").status, 404);
  const TempDir folder;
  folder.write("logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
  const Templates own = Templates::load(folder.path().string()).value();
  page_context->site = PageSite(own, "relay.example.org", public_url);
  const auto shown = call("GET", page);
  EXPECT_NE(shown.body.find("<img src=\"/pickup/logo\" alt=\"relay.example.org\">"), std::string::npos);
  EXPECT_NE(shown.field("Content-Security-Policy").find("img-src 'self'"), std::string::npos);
  const auto logo = call("GET", "/pickup/logo");
  EXPECT_EQ(logo.status, 200);
  EXPECT_EQ(logo.field("Content-Type"), "image/svg+xml");
  EXPECT_EQ(logo.field("Content-Security-Policy"), "default-src 'none'; style-src 'unsafe-inline'; sandbox");
  page_context->site = PageSite(templates, "relay.example.org", public_url);
}

TEST_F(PickupPagesTest, WrongMethodsAreNotAllowed) {
  EXPECT_EQ(call("POST", page, "x=y").field("Allow"), "GET, HEAD");
  EXPECT_EQ(call("PUT", page + "/session").field("Allow"), "GET, HEAD, POST");
  EXPECT_EQ(call("DELETE", page + "/pkcs12").status, 405);
  EXPECT_EQ(call("POST", page + "/file", "x=y").status, 405);
  EXPECT_EQ(call("POST", "/pickup/style.css", "x=y").field("Allow"), "GET, HEAD");
}

TEST_F(PickupPagesTest, FaultOfOursHasAPageAndIsLogged) {
  const Fields with_cookie = visitor();
  const std::string field = csrf(with_cookie);
  damage_record("bob@example.net");
  const auto answer = call("POST", page + "/pkcs12", "csrf=" + field + "&format=modern", with_cookie);
  EXPECT_EQ(answer.status, 500);
  EXPECT_NE(answer.body.find("The fault is ours."), std::string::npos) << answer.body;
  EXPECT_NE(log_file.text().find(" pickup.failed address=bob@example.net "), std::string::npos);
}

TEST_F(PickupPagesTest, FileThatWaitedTooLongIsMadeAgain) {
  const Fields with_cookie = visitor();
  ASSERT_EQ(call("POST", page + "/pkcs12", "csrf=" + csrf(with_cookie) + "&format=modern", with_cookie).status, 200);
  const auto names = keys->redis.command({"KEYS", "pickup:*:file:*"}).value();
  ASSERT_EQ(names.size(), 1U);
  ASSERT_TRUE(keys->redis.command({"DEL", std::string(names[0].text())}));
  const auto gone = call("GET", page + "/file", {}, with_cookie);
  EXPECT_EQ(gone.status, 404);
  EXPECT_NE(gone.body.find("<h1>The file is not here any more</h1>"), std::string::npos) << gone.body;
  EXPECT_NE(gone.body.find("href=\"" + page + "\""), std::string::npos) << "the way to a new one";
}

TEST_F(PickupPagesTest, FormsAddressLeadsToThePage) {
  for (const char* behind : {"/", "/session", "/pkcs12"}) {
    const auto answer = call("GET", page + behind);
    EXPECT_EQ(answer.status, 303) << behind;
    EXPECT_EQ(answer.field("Location"), page) << behind;
    for (const char* token : {"unknown", "%0d%0aX", "style.css", "resend"}) {
      const auto unknown = call("GET", std::string("/pickup/") + token + behind);
      EXPECT_EQ(unknown.status, 404) << token << behind;
      EXPECT_NE(unknown.body.find("This link is not known"), std::string::npos) << unknown.body;
    }
  }
  const auto form = call("GET", "/pickup/resend");
  EXPECT_EQ(form.status, 200);
  EXPECT_NE(form.body.find("action=\"/pickup/resend\""), std::string::npos);
}

TEST_F(PickupPagesTest, FormsLeadBelowThePathOfThePublicUrl) {
  page_context->site = PageSite(templates, "relay.example.org", "https://relay.example.org/base");
  const auto entered = enter(bob.code);
  EXPECT_EQ(entered.field("Location"), "/base" + page);
  EXPECT_NE(entered.field("Set-Cookie").find("; Path=/base" + page + ";"), std::string::npos);
}

TEST_F(PickupPagesTest, NoTokenIsTakenForAnotherPage) {
  for (const char* name : {"resend", "style.css", "logo"}) EXPECT_FALSE(is_token(name));
}

TEST_F(PickupPagesTest, OnAppleAndAndroidTheCompatibleFormatIsChosen) {
  Fields fields = visitor();
  const auto checked = [&](const char* agent) {
    fields["User-Agent"] = agent;
    const std::string body = call("GET", page, {}, fields).body;
    return body.find("value=\"compatible\" checked") != std::string::npos ? "compatible" : "modern";
  };
  EXPECT_STREQ(checked("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)"), "compatible");
  EXPECT_STREQ(checked("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15)"), "compatible");
  EXPECT_STREQ(checked("Mozilla/5.0 (Linux; Android 14; Pixel 8)"), "compatible");
  EXPECT_STREQ(checked("Mozilla/5.0 (X11; Linux x86_64)"), "modern");
}

TEST_F(PickupPagesTest, AddressIsEscaped) {
  const auto odd = notified("o'b&b@example.net");
  page = "/pickup/" + odd.token;
  bob = odd;
  const std::string body = call("GET", page, {}, visitor()).body;
  EXPECT_NE(body.find("o&#39;b&amp;b@example.net.</p>"), std::string::npos) << body;
}

struct FormCase {
  const char* name;
  http::Fields fields;
  const char* public_url;
  bool ours;
};
void PrintTo(const FormCase& form, std::ostream* out) { *out << form.name; }

class FormOrigin : public testing::TestWithParam<FormCase> {};

TEST_P(FormOrigin, IsComparedExactly) {
  http::Request request;
  request.fields = GetParam().fields;
  request.fields.emplace("host", "mail.example.com");
  EXPECT_EQ(posted_from_here(request, GetParam().public_url), GetParam().ours);
}

constexpr const char* https = "https://mail.example.com";

INSTANTIATE_TEST_SUITE_P(
    Pickup, FormOrigin,
    testing::Values(
        FormCase{"Same", {{"origin", "https://mail.example.com"}}, https, true},
        FormCase{"DefaultPortNamed", {{"origin", "https://mail.example.com:443"}}, https, true},
        FormCase{
            "DefaultPortInPublicUrl", {{"origin", "https://mail.example.com"}}, "https://mail.example.com:443", true},
        FormCase{"UpperCase", {{"origin", "HTTPS://Mail.Example.COM"}}, https, true},
        FormCase{"PublicUrlWithPath", {{"origin", "https://mail.example.com"}}, "https://mail.example.com/base", true},
        FormCase{"Prefix", {{"origin", "https://mail.example.co"}}, https, false},
        FormCase{"ShortPrefix", {{"origin", "https://m"}}, https, false},
        FormCase{"Longer", {{"origin", "https://mail.example.com.evil.example"}}, https, false},
        FormCase{"OtherPort", {{"origin", "https://mail.example.com:8443"}}, https, false},
        FormCase{"OtherScheme", {{"origin", "http://mail.example.com"}}, https, false},
        FormCase{"NoScheme", {{"origin", "mail.example.com"}}, https, false},
        FormCase{"EmptyAuthority", {{"origin", "https://"}}, https, false},
        FormCase{"Rubbish", {{"origin", "://"}}, https, false},
        FormCase{"OddScheme", {{"origin", "ftp://mail.example.com"}}, https, false},
        FormCase{"TwoOrigins", {{"origin", "https://evil.example, https://mail.example.com"}}, https, false},
        FormCase{"ByTheHostField",
                 {{"origin", "http://127.0.0.1:8081"}, {"host", "127.0.0.1:8081"}},
                 "http://127.0.0.1:8080",
                 true},
        FormCase{"ByTheHostFieldWithDefaultPort",
                 {{"origin", "https://other.example"}, {"host", "other.example:443"}},
                 https,
                 true},
        FormCase{"PlainByTheHostField", {{"origin", "http://other.example"}, {"host", "other.example"}}, https, false},
        FormCase{"Ipv6", {{"origin", "http://[::1]:8080"}, {"host", "[::1]:8080"}}, "http://127.0.0.1:8080", true},
        FormCase{"Ipv6DefaultPort", {{"origin", "http://[::1]"}, {"host", "[::1]:80"}}, "http://127.0.0.1:8080", true},
        FormCase{"NoOrigin", {}, https, true}, FormCase{"Hidden", {{"origin", "null"}}, https, true},
        FormCase{"HiddenSameOrigin", {{"origin", "null"}, {"sec-fetch-site", "same-origin"}}, https, true},
        FormCase{"HiddenCrossSite", {{"origin", "null"}, {"sec-fetch-site", "cross-site"}}, https, false},
        FormCase{"HiddenSameSite", {{"origin", "null"}, {"sec-fetch-site", "same-site"}}, https, false},
        FormCase{"NoOriginCrossSite", {{"sec-fetch-site", "cross-site"}}, https, false}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace sealpost::test
