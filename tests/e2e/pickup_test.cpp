// SPDX-License-Identifier: Apache-2.0
// Notification and pickup of a whole relay: what a crash in between leaves, locked links, attached key files, HTTPS and
// proxies.
#include <gtest/gtest.h>

#include <atomic>
#include <regex>
#include <thread>

#include "base/encoding.h"
#include "base/redis/client.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/mail_parser.h"

namespace sealpost::test {
namespace {

const std::string json_code_begin = R"({"code":")";

std::string body_of_code(const std::string& code) { return json_code_begin + code + "\"}"; }

/// Addresses that were given a pair.
std::vector<std::string> assigned_addresses(const RelayFixture& relay) {
  redis::Endpoint endpoint;
  endpoint.unix_path = relay.state_dir() + "/redis.sock";
  redis::Client redis(std::move(endpoint), std::chrono::seconds(10));
  const auto names = redis.command({"KEYS", "keys:*:address:*"}).value();
  std::vector<std::string> addresses;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name(names[i].text());
    addresses.push_back(name.substr(name.find(":address:") + 9));
  }
  return addresses;
}

/// Sends messages to eight new addresses each until the relay is gone.
void submit_until_killed(const RelayFixture& relay, const std::string& prefix, const std::atomic<bool>& killed) {
  auto sender = Submitter::logged_in(relay);
  for (int n = 0; !killed; ++n) {
    std::vector<std::string> recipients;
    for (int i = 0; i < 8; ++i) recipients.push_back(prefix + std::to_string(8 * n + i) + "@example.net");
    if (!sender.submit("alice@example.com", recipients, message("x", "y")).starts_with("250")) return;
  }
}

TEST(PickupCrash, EveryAssignedPairHasExactlyOneNotification) {
  // Pairs are assigned before the message is put, and the notification follows the put: a kill in the middle of many
  // messages falls between them.
  RelayFixture relay(RelayFixture::Settings{{"crypto.key_type", "p256"}, {"keys.pool_size", "0"}});
  constexpr int lives = 3;
  for (int life = 0; life < lives; ++life) {
    std::atomic<bool> killed{false};
    const std::size_t before = assigned_addresses(relay).size();
    std::jthread sender([&] { submit_until_killed(relay, "life" + std::to_string(life) + "-", killed); });
    while (assigned_addresses(relay).size() < before + 12) std::this_thread::yield();
    relay.kill();
    killed = true;
    sender.join();
    relay.start();
  }
  const auto addresses = assigned_addresses(relay);
  EXPECT_GE(addresses.size(), std::size_t{12} * lives);
  for (const auto& address : addresses) EXPECT_GE(relay.notifications(address, 1).size(), 1U) << address;
  ASSERT_EQ(relay.stop(), 0);
  for (const auto& address : addresses) EXPECT_EQ(relay.notifications(address, 1).size(), 1U) << address;
}

class PickupRelay : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    relay = std::make_unique<RelayFixture>(RelayFixture::Settings{{"notify.mode", "attach"},
                                                                  {"http.public_url", "https://relay.example.org"},
                                                                  {"http.listen_tls", "127.0.0.1:0"},
                                                                  {"http.trusted_proxies", "127.0.0.1"}});
  }
  static void TearDownTestSuite() { relay.reset(); }

  static std::string notified(const std::string& recipient) {
    auto sender = Submitter::logged_in(*relay);
    EXPECT_TRUE(sender.submit("alice@example.com", {recipient}, message("x", "y")).starts_with("250"));
    return relay->notifications(recipient, 1).at(0);
  }
  /// After wrong codes, as late as the answer says.
  static int open(const LinkAndCode& link, const std::map<std::string, std::string>& fields = {}) {
    while (true) {
      const auto answer = relay->http("POST", "/v1/pickup/" + link.token + "/session", body_of_code(link.code), fields);
      if (answer.status != 429) return answer.status;
      std::this_thread::sleep_for(std::chrono::seconds(std::stoi(answer.fields.at("retry-after"))));
    }
  }
  static std::unique_ptr<RelayFixture> relay;
};

std::unique_ptr<RelayFixture> PickupRelay::relay;

TEST_F(PickupRelay, LockedLinkIsReplacedByANewCode) {
  const std::string first_file = notified("locked@example.net");
  const auto first = read_notification(first_file);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(open({first.token, "ZZZZ-ZZZZ-ZZZZ"}), 403);
  EXPECT_EQ(open(first), 423);
  EXPECT_EQ(relay->http("POST", "/v1/pickup/resend", R"({"address":"LOCKED@example.net"})").status, 202);
  auto files = relay->notifications("locked@example.net", 2);
  ASSERT_EQ(files.size(), 2U);
  const auto second = read_notification(files[0] == first_file ? files[1] : files[0]);
  EXPECT_EQ(open(second), 200);
  EXPECT_EQ(open(first), 423);
}

TEST_F(PickupRelay, RefusedMessageAssignsNothing) {
  auto sender = Submitter::logged_in(*relay);
  const std::string mail = message(std::string(2000, 'x'), "y");
  EXPECT_TRUE(sender.submit("alice@example.com", {"refused@example.net"}, mail).starts_with("550 5.6.0"));
  EXPECT_NE(relay->ctl({"key", "show", "refused@example.net"}).status, 0);
}

TEST_F(PickupRelay, EarlierCodeStaysValidBesideANewOne) {
  const std::string first_file = notified("two@example.net");
  EXPECT_EQ(relay->http("POST", "/pickup/resend", "address=two%40example.net").status, 202);
  for (const auto& file : relay->notifications("two@example.net", 2)) EXPECT_EQ(open(read_notification(file)), 200);
}

TEST_F(PickupRelay, AttachedKeyFileOpensWithThePasswordOfThePage) {
  const std::string file = notified("attached@example.net");
  const auto mail = parse_mail(read_file(file));
  EXPECT_EQ(mail.structure,
            "multipart/signed(multipart/mixed(multipart/alternative(text/plain,text/html),application/x-pkcs12),"
            "application/pkcs7-signature)");
  const auto link = read_notification(file);
  const auto entered = relay->http("POST", "/pickup/" + link.token + "/session", "code=" + link.code);
  ASSERT_EQ(entered.status, 303);
  const std::string cookie = entered.fields.at("set-cookie");
  const auto page = relay->http("GET", "/pickup/" + link.token, {}, {{"Cookie", cookie.substr(0, cookie.find(';'))}});
  std::smatch password;
  ASSERT_TRUE(std::regex_search(page.body, password, std::regex("class=\"password\"><code>([^<]+)</code>")))
      << page.body;
  EXPECT_NE(page.body.find("How to import it"), std::string::npos);
  EXPECT_EQ(relay->ctl({"key", "show", "attached@example.net"}).out.find("picked up:   -"), std::string::npos);
  const TempDir place;
  const std::string path = place.write("attached.p12", mail.parts.at(2).body);
  const auto opened = run({"openssl", "pkcs12", "-in", path, "-passin", "stdin", "-nodes"}, password[1].str() + "\n");
  EXPECT_EQ(opened.status, 0) << opened.err;
  const PickedUp key{place.write("key.pem", opened.out), path, password[1].str()};
  EXPECT_NE(relay->decrypt(relay->sealed_mail("attached@example.net", 1).at(0), key).find("\r\n\r\ny\r\n"),
            std::string::npos);
}

TEST_F(PickupRelay, CookieTravelsOverHttpsOnly) {
  const auto link = read_notification(notified("https@example.net"));
  const std::string url = "https://127.0.0.1:" + std::to_string(relay->port("https")) + "/pickup/" + link.token;
  const auto entered = run({"curl", "-sSki", url + "/session", "-d", "@-"}, "code=" + link.code);
  ASSERT_EQ(entered.status, 0) << entered.err;
  EXPECT_TRUE(entered.out.starts_with("HTTP/1.1 303")) << entered.out;
  EXPECT_TRUE(
      std::regex_search(entered.out, std::regex("\r\nSet-Cookie: [^\r]*; HttpOnly; SameSite=Strict; Secure\r\n")))
      << entered.out;
}

TEST_F(PickupRelay, TrustedProxyMustSayHttps) {
  const auto link = read_notification(notified("proxied@example.net"));
  EXPECT_EQ(open(link, {{"X-Forwarded-For", "203.0.113.7"}, {"X-Forwarded-Proto", "http"}}), 403);
  EXPECT_EQ(open(link, {{"X-Forwarded-For", "203.0.113.7"}}), 403);
  EXPECT_EQ(open(link, {{"X-Forwarded-For", "203.0.113.7"}, {"X-Forwarded-Proto", "https"}}), 200);
}

}  // namespace
}  // namespace sealpost::test
