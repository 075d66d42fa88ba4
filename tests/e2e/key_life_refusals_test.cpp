// SPDX-License-Identifier: Apache-2.0
// What is no way to change a recipient's keys: bad uploads, sessions of others, forms from elsewhere, addresses with
// line ends, and link scanners. Each is told what is wrong, and changes nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <regex>
#include <set>

#include "tests/e2e/key_life_relay.h"

namespace sealpost::test {
namespace {

using testing::HasSubstr;

using Fields = std::map<std::string, std::string>;
constexpr const char* form_type = "application/x-www-form-urlencoded";
constexpr const char* parts_type = "multipart/form-data; boundary=part";

std::string part(const std::string& name, const std::string& value) {
  return "--part\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}

class KeyLifeRefusals : public KeyLifeRelay {
 protected:
  static void SetUpTestSuite() {
    KeyLifeRelay::SetUpTestSuite();
    bob = std::make_unique<Recipient>(*relay, "bob@example.net");
    eve = std::make_unique<Recipient>(*relay, "eve@example.net");
    own = std::make_unique<OwnCertificate>(OwnCertificate::Recipe{.address = "bob@example.net"});
  }
  static void TearDownTestSuite() {
    own.reset();
    eve.reset();
    bob.reset();
  }
  void SetUp() override { before = bob->snapshot(); }
  void TearDown() override { EXPECT_EQ(bob->snapshot(), before); }

  static std::string page(const std::string& name = {}) {
    return "/pickup/" + bob->link().token + (name.empty() ? "" : "/" + name);
  }
  /// The cookie of a visit.
  static std::string cookie_of(const Recipient& whom) {
    const auto entered = relay->http("POST", "/pickup/" + whom.link().token + "/session", "code=" + whom.link().code);
    const std::string set = entered.fields.at("set-cookie");
    return set.substr(0, set.find(';'));
  }
  static std::string csrf_of(const std::string& html) {
    std::smatch found;
    return std::regex_search(html, found, std::regex("name=\"csrf\" value=\"([^\"]+)\"")) ? found[1].str()
                                                                                          : std::string();
  }
  /// A large body, of which the answer may come before its end.
  static Finished put_large(const std::string& octets) {
    const TempDir place;
    return run({"curl", "-sS", "-X", "PUT", "--data-binary", "@" + place.write("body", octets), "-H",
                "Authorization: Bearer " + bob->session(), "-H", "Expect:", "-w", "\n%{http_code} %{content_type}",
                "http://127.0.0.1:" + std::to_string(relay->port("http")) + "/v1/pickup/" + bob->link().token +
                    "/certificate"});
  }

  static std::unique_ptr<Recipient> bob;
  static std::unique_ptr<Recipient> eve;
  static std::unique_ptr<OwnCertificate> own;
  std::string before;
};

std::unique_ptr<Recipient> KeyLifeRefusals::bob;
std::unique_ptr<Recipient> KeyLifeRefusals::eve;
std::unique_ptr<OwnCertificate> KeyLifeRefusals::own;

TEST_F(KeyLifeRefusals, UploadsThatAreNoUsableCertificate) {
  const OwnCertificate authority({.address = "bob@example.net", .authority = true});
  const OwnCertificate foreign({.address = "carol@example.net"});
  const OwnCertificate ended({.address = "bob@example.net", .ends = std::chrono::seconds(-60)});
  const OwnCertificate future({.address = "bob@example.net", .begins = std::chrono::seconds(3600)});
  std::string many;
  for (int i = 0; i < 21; ++i) many += OwnCertificate({.address = "bob@example.net"}).pem();
  const std::string whole = own->der();
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"private_key", own->pem() + own->private_key()},
      {"private_key", own->private_key()},
      {"too_many", many},
      {"wrong_address", foreign.pem()},
      {"expired", ended.pem()},
      {"not_yet_valid", future.pem()},
      {"ca_certificate", authority.pem()},
      {"malformed", whole.substr(0, whole.size() - 9)},
      {"no_certificate", ""},
      {"no_certificate", "Dear relay, please use my certificate."},
  };
  for (const auto& [check, octets] : cases) {
    const auto answer = bob->upload(octets);
    EXPECT_EQ(answer.status, 422) << check;
    EXPECT_EQ(answer.fields.at("content-type"), "application/problem+json");
    const auto problem = json_of(answer.body);
    EXPECT_EQ(problem->getValue<std::string>("check"), check) << answer.body;
    EXPECT_FALSE(problem->getValue<std::string>("detail").empty());
  }
}

TEST_F(KeyLifeRefusals, UploadsThatAreTooLarge) {
  std::string thousand;
  for (int i = 0; i < 1000; ++i) thousand += own->pem();
  for (const auto& octets : {thousand, std::string(10'000'000, 'x')}) {
    const auto answer = put_large(octets);
    EXPECT_THAT(answer.out, HasSubstr("\n413 application/problem+json")) << answer.err;
  }
}

TEST_F(KeyLifeRefusals, AnUploadedPrivateKeyIsNowhere) {
  const std::string key = own->private_key();
  const std::string inside = key.substr(key.find('\n') + 1, 60);
  EXPECT_EQ(bob->upload(key).status, 422);
  EXPECT_EQ(relay->log().find(inside), std::string::npos);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(relay->state_dir())) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(read_file(entry.path()).find(inside), std::string::npos) << entry.path();
  }
}

TEST_F(KeyLifeRefusals, SessionsOfAnotherLink) {
  for (const auto& session : {eve->session(), std::string("x"), std::string()}) {
    const Fields fields = {{"Authorization", "Bearer " + session}};
    for (const auto& [method, what] : std::vector<std::pair<std::string, std::string>>{
             {"POST", "keep"}, {"POST", "forget"}, {"PUT", "certificate"}, {"POST", "pkcs12"}}) {
      const std::string body = what == "pkcs12" ? R"({"format":"modern"})" : "{}";
      const auto answer = relay->http(method, "/v1/pickup/" + bob->link().token + "/" + what, body, fields);
      EXPECT_EQ(answer.status, 401) << what;
      EXPECT_EQ(answer.fields.at("content-type"), "application/problem+json");
    }
  }
  const Fields hers = {{"Cookie", cookie_of(*eve)}};
  for (const char* name : {"keys", "keep", "certificate", "forget", "receipt", "file"}) {
    EXPECT_EQ(relay->http("GET", page(name), {}, hers).status, 401) << name;
  }
  EXPECT_EQ(eve->keep(bob->first()).status, 404) << "another's key by its fingerprint";
  EXPECT_EQ(eve->forget(bob->first()).status, 404);
}

TEST_F(KeyLifeRefusals, FormsWithoutTheVisitsMarkOrFromElsewhere) {
  const std::string cookie = cookie_of(*bob);
  const std::string csrf = csrf_of(relay->http("GET", page("forget"), {}, {{"Cookie", cookie}}).body);
  ASSERT_FALSE(csrf.empty());
  const std::string hers =
      csrf_of(relay->http("GET", "/pickup/" + eve->link().token + "/forget", {}, {{"Cookie", cookie_of(*eve)}}).body);
  ASSERT_FALSE(hers.empty());
  const auto refused = [&](const std::string& name, const std::string& type, const std::string& body, Fields fields) {
    fields.insert({{"Cookie", cookie}, {"Content-Type", type}});
    const auto answer = relay->http("POST", page(name), body, fields);
    EXPECT_EQ(answer.status, 403) << name;
    EXPECT_THAT(answer.fields.at("content-type"), HasSubstr("text/html"));
  };
  for (const auto& mark : {std::string(), hers, std::string("x")}) {
    const std::string field = mark.empty() ? std::string() : "&csrf=" + mark;
    refused("keep", form_type, "fingerprint=" + field, {});
    refused("forget", form_type, "confirm=yes" + field, {});
    refused("certificate/confirm", form_type, "code=AAAA-AAAA-AAAA" + field, {});
    refused("certificate", parts_type, part("csrf", mark) + part("certificate", own->pem()) + "--part--\r\n", {});
  }
  const std::vector<Fields> elsewhere = {{{"Origin", "https://elsewhere.example"}},
                                         {{"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}},
                                         {{"Sec-Fetch-Site", "same-site"}}};
  for (const auto& fields : elsewhere) {
    refused("keep", form_type, "csrf=" + csrf, fields);
    refused("forget", form_type, "confirm=yes&csrf=" + csrf, fields);
  }
}

TEST_F(KeyLifeRefusals, APageSaysWhatIsWrongWithAnUpload) {
  const std::string cookie = cookie_of(*bob);
  const std::string csrf = csrf_of(relay->http("GET", page("certificate"), {}, {{"Cookie", cookie}}).body);
  for (const auto& octets : {own->private_key(), std::string(), std::string("\x30\x82\x01")}) {
    const auto answer =
        relay->http("POST", page("certificate"), part("csrf", csrf) + part("certificate", octets) + "--part--\r\n",
                    {{"Cookie", cookie}, {"Content-Type", parts_type}});
    EXPECT_EQ(answer.status, 422);
    EXPECT_THAT(answer.body, HasSubstr("role=\"alert\""));
    EXPECT_THAT(answer.body, testing::Not(HasSubstr("PRIVATE KEY-----")));
  }
}

TEST_F(KeyLifeRefusals, LineEndsInAnAddressAreNoHeaderFields) {
  const std::vector<std::string> bodies = {R"({"address":"bob@example.net\r\nBcc: mallory@example.net"})",
                                           R"({"address":"bob@example.net\nTo: mallory@example.net"})",
                                           R"({"address":"bob@example.net, mallory@example.net"})",
                                           R"({"address":"<bob@example.net> mallory@example.net"})"};
  for (const auto& body : bodies) EXPECT_EQ(relay->http("POST", "/v1/pickup/resend", body).status, 202);
  EXPECT_EQ(relay->http("POST", "/pickup/resend", "address=bob%40example.net%0d%0aBcc%3a+mallory%40example.net").status,
            202);
  // They are answered in their order: this one after all of those.
  EXPECT_EQ(relay->http("POST", "/v1/pickup/resend", R"({"address":"bob@example.net"})").status, 202);
  EXPECT_EQ(relay->notifications("bob@example.net", 2).size(), 2U);
  EXPECT_EQ(bob->count("Your key for encrypted mail"), 2U);
  EXPECT_EQ(relay->deliveries("mallory@example.net"), 0U);
  EXPECT_FALSE(std::filesystem::exists(relay->directory() / "mail/mallory@example.net"));
}

/// Fetches every link of every page, as scanners of mail do, from the link of a notification on.
class Scanner final {
 public:
  Scanner(const RelayFixture& relay, Fields fields) : relay_(relay), fields_(std::move(fields)) {}

  void visit(const std::string& start) {
    std::deque<std::string> open = {start};
    while (!open.empty()) {
      const std::string path = open.front();
      open.pop_front();
      if (!seen_.insert(path).second) continue;
      static_cast<void>(relay_.http("HEAD", path, {}, fields_));
      const std::string html = relay_.http("GET", path, {}, fields_).body;
      for (auto& next : all(html, "(?:href|src|action)=\"([^\"#]+)")) open.push_back(std::move(next));
      remember_forms(html);
    }
  }
  /// Presses every button that it saw, with nothing typed: fields have what the page gives them.
  void submit_all() const {
    Fields fields = fields_;
    fields["Content-Type"] = "application/x-www-form-urlencoded";
    for (const auto& [form, body] : forms_) static_cast<void>(relay_.http("POST", form, body, fields));
  }
  [[nodiscard]] const std::set<std::string>& seen() const { return seen_; }
  [[nodiscard]] const std::map<std::string, std::string>& forms() const { return forms_; }

 private:
  void remember_forms(const std::string& html) {
    static const std::regex form("<form method=\"post\" action=\"([^\"]+)\"[^]*?</form>");
    static const std::regex input("<input[^>]* name=\"([^\"]+)\"[^>]*>");
    static const std::regex value(" value=\"([^\"]*)\"");
    for (std::sregex_iterator at(html.begin(), html.end(), form), end; at != end; ++at) {
      const std::string block = at->str();
      std::string body;
      for (std::sregex_iterator field(block.begin(), block.end(), input); field != end; ++field) {
        const std::string tag = field->str();
        const bool choice =
            tag.find("type=\"radio\"") != std::string::npos || tag.find("type=\"checkbox\"") != std::string::npos;
        if (choice && tag.find(" checked") == std::string::npos) continue;
        std::smatch preset;
        const bool has_value = std::regex_search(tag, preset, value);
        body += (body.empty() ? "" : "&") + (*field)[1].str() + "=" + (has_value ? preset[1].str() : "");
      }
      forms_[(*at)[1]] = body;
    }
  }
  /// Paths at the relay.
  static std::vector<std::string> all(const std::string& html, const std::string& pattern) {
    std::vector<std::string> found;
    const std::regex regex(pattern);
    for (std::sregex_iterator at(html.begin(), html.end(), regex), end; at != end; ++at) {
      std::string target = std::regex_replace((*at)[1].str(), std::regex("^https?://[^/]+"), "");
      if (target.starts_with("/")) found.push_back(std::move(target));
    }
    return found;
  }
  const RelayFixture& relay_;
  Fields fields_;
  std::set<std::string> seen_;
  std::map<std::string, std::string> forms_;  ///< where to, and what is sent
};

TEST_F(KeyLifeRefusals, AScannerChangesNothingWithLinksNorWithButtons) {
  Scanner scanner(*relay, {});
  scanner.visit(page());
  EXPECT_EQ(scanner.forms().at(page("session")), "code=");
  EXPECT_EQ(scanner.forms().at("/pickup/resend"), "address=");
  for (int i = 0; i < 10; ++i) scanner.submit_all();
  // Those that it cannot see, too.
  for (const char* form : {"keep", "certificate", "forget", "pkcs12"}) {
    EXPECT_EQ(relay->http("POST", page(form)).status, 401) << form;
  }
  EXPECT_EQ(relay->http("POST", page("certificate/confirm")).status, 404) << "nothing waits for its code";
  const Recipient& reader = *bob;
  EXPECT_EQ(
      relay->http("POST", "/v1/pickup/" + reader.link().token + "/session", R"({"code":")" + reader.link().code + "\"}")
          .status,
      200)
      << "no attempt was used up";
}

TEST_F(KeyLifeRefusals, LinksOfAVisitChangeNothing) {
  Scanner scanner(*relay, {{"Cookie", cookie_of(*bob)}});
  scanner.visit(page());
  for (const char* name : {"keys", "keep", "certificate", "forget"})
    EXPECT_TRUE(scanner.seen().contains(page(name))) << name;
  EXPECT_GE(scanner.forms().size(), 4U);
}

}  // namespace
}  // namespace sealpost::test
