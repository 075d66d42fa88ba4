// SPDX-License-Identifier: Apache-2.0
// notify.code_to = sender with a whole relay: over REST and SMTP the recipient's mail holds no code, the sender's does,
// and the two together give the key.
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "base/encoding.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/mail_parser.h"

namespace sealpost::test {
namespace {

using Poco::JSON::Object;

class CodeToSenderRelay : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    relay = std::make_unique<RelayFixture>(
        RelayFixture::Settings{{"notify.code_to", "sender"}, {"crypto.key_type", "rsa2048"}});
  }
  static void TearDownTestSuite() { relay.reset(); }

  static Object::Ptr parse(const std::string& text) { return Poco::JSON::Parser().parse(text).extract<Object::Ptr>(); }
  static std::map<std::string, std::string> basic() {
    return {{"Authorization", "Basic " + to_base64(std::string(RelayFixture::account) + ":" + RelayFixture::password)},
            {"Content-Type", "application/json"}};
  }
  /// The mail with which the sender gets the code for this recipient.
  static std::string code_for(const std::string& sender, const std::string& recipient) {
    for (std::size_t count = 1;; ++count) {
      const auto files = relay->mail(sender, count);
      if (files.size() < count) return "no mail";
      for (const auto& file : files) {
        const std::string text = parse_mail(read_file(file)).parts.at(0).body;
        if (text.find(recipient) == std::string::npos) continue;
        return text.substr(text.find("\nAuthentication code: ") + 22, 14);
      }
    }
  }
  static std::string token_of(const std::string& notification) {
    const std::string raw = read_file(notification);
    EXPECT_EQ(raw.find("Authentication code"), std::string::npos) << raw;
    std::smatch token;
    EXPECT_TRUE(std::regex_search(raw, token, std::regex("\nLink: https?://[^/]+/pickup/([A-Za-z0-9_-]+)\r?\n")))
        << raw;
    return token[1];
  }
  static int open(const std::string& token, const std::string& code) {
    return relay->http("POST", "/v1/pickup/" + token + "/session", R"({"code":")" + code + "\"}").status;
  }
  static std::unique_ptr<RelayFixture> relay;
};

std::unique_ptr<RelayFixture> CodeToSenderRelay::relay;

TEST_F(CodeToSenderRelay, OverHttpTheAnswerAndAMailTellTheCode) {
  auto fields = basic();
  fields["Idempotency-Key"] = "order-1";
  const std::string body = R"({"from":"rest@example.com","to":["bob@example.net"],"subject":"x","text":"hello"})";
  const auto answer = relay->http("POST", "/v1/messages", body, fields);
  ASSERT_EQ(answer.status, 202) << answer.body;
  const auto key = parse(answer.body)->getArray("recipients")->getObject(0)->getObject("key");
  EXPECT_TRUE(key->getValue<bool>("assigned"));
  const auto code = key->getValue<std::string>("code");
  const auto again = relay->http("POST", "/v1/messages", body, fields);
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(again.fields.at("idempotency-replayed"), "true");
  EXPECT_EQ(again.body.find("\"code\""), std::string::npos) << again.body;

  const std::string token = token_of(relay->notifications("bob@example.net", 1).at(0));
  EXPECT_EQ(code_for("rest@example.com", "bob@example.net"), code);
  const TempDir told;
  const auto picked_up = relay->pick_up(told.write(
      "told", "\nLink: https://relay.example.org/pickup/" + token + "\nAuthentication code: " + code + "\n"));
  EXPECT_NE(relay->decrypt(relay->sealed_mail("bob@example.net", 1).at(0), picked_up).find("hello"), std::string::npos);
  EXPECT_EQ(relay->log().find(code), std::string::npos);
}

TEST_F(CodeToSenderRelay, OverSmtpAMailTellsTheCodeAndANewOneComesBesideIt) {
  auto sender = Submitter::logged_in(*relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"carol@example.net"}, message("x", "hello")).starts_with("250"));
  const std::string notification = relay->notifications("carol@example.net", 1).at(0);
  const std::string code = code_for("alice@example.com", "carol@example.net");
  const std::string token = token_of(notification);
  EXPECT_EQ(open(token, code), 200);

  EXPECT_EQ(relay->http("POST", "/v1/pickup/resend", R"({"address":"carol@example.net"})").status, 202);
  const auto notifications = relay->notifications("carol@example.net", 2);
  ASSERT_EQ(notifications.size(), 2U);
  const auto& newer = notifications[0] == notification ? notifications[1] : notifications[0];
  const auto mails = relay->mail("alice@example.com", 2);
  ASSERT_EQ(mails.size(), 2U);
  int opened = 0;
  for (const auto& mail : mails) {
    const std::string text = parse_mail(read_file(mail)).parts.at(0).body;
    const std::string told = text.substr(text.find("\nAuthentication code: ") + 22, 14);
    if (told != code) opened += open(token_of(newer), told) == 200 ? 1 : 0;
  }
  EXPECT_EQ(opened, 1) << "the new code opens the new link";
  EXPECT_EQ(open(token, code), 200) << "and the earlier ones go on";
}

TEST_F(CodeToSenderRelay, TheKeyServerAndTheOperatorsToolTellTheCode) {
  const auto put = relay->http("PUT", "/v1/keys/dave@example.net", {}, basic());
  ASSERT_EQ(put.status, 201) << put.body;
  EXPECT_EQ(
      open(token_of(relay->notifications("dave@example.net", 1).at(0)), parse(put.body)->getValue<std::string>("code")),
      200);
  const auto made = relay->ctl({"key", "assign", "erin@example.net", "--json"});
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_EQ(
      open(token_of(relay->notifications("erin@example.net", 1).at(0)), parse(made.out)->getValue<std::string>("code")),
      200);
}

TEST_F(CodeToSenderRelay, TheOperatorIsToldWhereANewCodeWent) {
  ASSERT_EQ(relay->ctl({"key", "assign", "nobody-wrote@example.net"}).status, 0);
  const auto before = token_of(relay->notifications("nobody-wrote@example.net", 1).at(0));
  const auto told = relay->ctl({"key", "resend", "nobody-wrote@example.net", "--json"});
  ASSERT_EQ(told.status, 0) << told.err;
  std::set<std::string> tokens;
  for (const auto& file : relay->notifications("nobody-wrote@example.net", 2)) tokens.insert(token_of(file));
  tokens.erase(before);
  ASSERT_EQ(tokens.size(), 1U);
  EXPECT_EQ(open(*tokens.begin(), parse(told.out)->getValue<std::string>("code")), 200);

  auto sender = Submitter::logged_in(*relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"nobody-wrote@example.net"}, message("x", "y")).starts_with("250"));
  const auto after = relay->ctl({"key", "resend", "nobody-wrote@example.net"});
  EXPECT_NE(after.out.find("A new link is on its way to nobody-wrote@example.net, and its code to alice@example.com."),
            std::string::npos)
      << after.out << after.err;
  EXPECT_EQ(code_for("alice@example.com", "nobody-wrote@example.net").size(), 14U);
}

}  // namespace
}  // namespace sealpost::test
