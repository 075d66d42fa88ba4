// SPDX-License-Identifier: Apache-2.0
// Whoever takes Redis' files, its memory, state_dir and all logs finds no plaintext and nothing that picks a key up,
// and neither does who looks into the relay's memory when the work is done: canaries of every kind of secret are looked
// for everywhere, and things that may stand there prove that the search finds what is there.
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/encoding.h"
#include "base/openssl.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/build.h"
#include "tests/support/eventually.h"
#include "tests/support/smtp_server.h"

namespace sealpost::test {
namespace {

struct Canary {
  std::string name;
  std::string octets;
};

/// The numbers that make a private key, as they stand in any encoding of it.
std::vector<Canary> numbers_of(const std::string& pem) {
  const BioPtr memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const PkeyPtr key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr));
  std::vector<Canary> numbers;
  for (const char* name : {OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2}) {
    BIGNUM* raw = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key.get(), name, &raw), 1) << name;
    const BignumPtr number(raw);
    std::string octets(static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
    BN_bn2bin(number.get(), reinterpret_cast<unsigned char*>(octets.data()));
    numbers.push_back({std::string("private key: ") + name, octets});
  }
  return numbers;
}

/// All that the process may write to, as it stands in its memory now.
std::string memory_of(int pid) {
  const std::string place = "/proc/" + std::to_string(pid);
  std::ifstream maps(place + "/maps");
  std::ifstream memory(place + "/mem", std::ios::binary);
  std::string all;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::string range;
    std::string rights;
    words >> range >> rights;
    if (!rights.starts_with("rw")) continue;
    const auto begin = std::stoull(range, nullptr, 16);
    const auto end = std::stoull(range.substr(range.find('-') + 1), nullptr, 16);
    std::string piece(end - begin, '\0');
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(begin));
    memory.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    all.append(piece, 0, static_cast<std::size_t>(std::max<std::streamsize>(memory.gcount(), 0)));
  }
  return all;
}

/// Everything is told to a next hop that takes mail until it is told not to.
class CanaryTest : public testing::Test {
 protected:
  CanaryTest() {
    add("password of the next hop", hop_password);
    add("account's password", RelayFixture::password);
  }

  static SmtpServer::Options with_login() {
    SmtpServer::Options options;
    options.extensions = {"AUTH PLAIN"};  // without PIPELINING nothing follows a MAIL that is refused
    return options;
  }
  RelayFixture::Settings settings() const {
    return {{"log.level", "debug"},
            {"crypto.key_type", "rsa2048"},
            {"delivery.route", "smtp://127.0.0.1:" + std::to_string(hop.port())},
            {"delivery.username", "relay"},
            {"delivery.password_file", files.write("hop", hop_password + "\n")},
            {"delivery.retry", "1h"}};
  }

  void add(const std::string& name, const std::string& octets) { canaries.push_back({name, octets}); }
  /// Sends a mail of canaries; what the relay says to it.
  std::string submit(const std::string& mark, const std::string& to, const std::string& from = "alice@example.com") {
    const auto canary = [&](const std::string& what) {
      const std::string octets = "CANARY-" + what + "-" + mark;
      add(what + " of the mail " + mark, octets);
      return octets;
    };
    return Submitter::logged_in(relay).submit(
        "alice@example.com", {to},
        "From: " + canary("NAME") + " <" + from + ">\r\nSubject: " + canary("SUBJECT") +
            "\r\nX-Note: " + canary("FIELD") + "\r\n\r\n" + canary("BODY") + "-plaintext\r\n");
  }
  /// What the next hop took for the address and has such a line; a file of it.
  std::string taken(const std::string& to, const std::string& line) {
    for (const auto& mail : hop.messages()) {
      if (mail.find(to) != std::string::npos && mail.find(line) != std::string::npos) {
        return files.write(to, mail);
      }
    }
    return {};
  }
  /// The secrets of an address' notification that has arrived, and of its pickup.
  void pick_up(const std::string& address) {
    const std::string notification = taken(address, "Subject: Your key for encrypted mail");
    ASSERT_NE(notification, "") << address;
    const auto [token, code] = read_notification(notification);
    add("token of the link", token);
    add("code", code);
    add("code without dashes", code.substr(0, 4) + code.substr(5, 4) + code.substr(10, 4));
    const auto opened = relay.http("POST", "/v1/pickup/" + token + "/session", R"({"code":")" + code + "\"}");
    ASSERT_EQ(opened.status, 200) << opened.body;
    add("session",
        Poco::JSON::Parser().parse(opened.body).extract<Poco::JSON::Object::Ptr>()->getValue<std::string>("session"));
    const auto key = relay.pick_up(notification);
    add("password of the key file", key.password);
    for (auto& number : numbers_of(read_file(key.pem_file))) canaries.push_back(std::move(number));
  }
  void use_a_token() {
    const auto made = relay.ctl({"token", "create", RelayFixture::account, "--scope", "keys", "--json"});
    ASSERT_EQ(made.status, 0) << made.err;
    const auto token =
        Poco::JSON::Parser().parse(made.out).extract<Poco::JSON::Object::Ptr>()->getValue<std::string>("token");
    EXPECT_EQ(relay.http("GET", "/v1/keys/bob@example.net", {}, {{"Authorization", "Bearer " + token}}).status, 200);
    add("API token", token);
  }
  /// By HTTP, taken and refused, with a key that tells repetitions apart.
  void submit_json() {
    const auto made = relay.ctl({"token", "create", RelayFixture::account, "--json"});
    const auto token =
        Poco::JSON::Parser().parse(made.out).extract<Poco::JSON::Object::Ptr>()->getValue<std::string>("token");
    add("API token of submissions", token);
    const auto canary = [&](const std::string& what) {
      add(what + " of a message by HTTP", "CANARY-" + what + "-HTTP");
      return "CANARY-" + what + "-HTTP";
    };
    const std::map<std::string, std::string> fields = {{"Authorization", "Bearer " + token},
                                                       {"Content-Type", "application/json"},
                                                       {"Idempotency-Key", canary("IDEMPOTENCY-KEY")}};
    const std::string message = R"(,"to":["bob@example.net"],"subject":")" + canary("SUBJECT") + R"(","text":")" +
                                canary("TEXT") + R"(","html":")" + canary("HTML") +
                                R"(","attachments":[{"filename":")" + canary("FILENAME") + R"(","content":")" +
                                to_base64(canary("ATTACHMENT")) + R"("}]})";
    EXPECT_EQ(relay.http("POST", "/v1/messages", R"({"from":"a@example.com")" + message, fields).status, 202);
    EXPECT_EQ(relay.http("POST", "/v1/messages", R"({"from":"a@example.com")" + message, fields).status, 202);
    EXPECT_EQ(relay.http("POST", "/v1/messages", R"({"from":"a@other.example")" + message, fields).status, 403);
  }
  /// One that nobody answers for: its events wait.
  void add_a_webhook() {
    const std::string url = "https://webhook.invalid/CANARY-WEBHOOK-PATH";
    const auto made = relay.ctl({"webhook", "add", RelayFixture::account, url, "--json"});
    ASSERT_EQ(made.status, 0) << made.err;
    const auto key =
        Poco::JSON::Parser().parse(made.out).extract<Poco::JSON::Object::Ptr>()->getValue<std::string>("key");
    canaries.push_back({"signing key of a webhook", from_base64(key.substr(6)).value()});
    at_rest_only = {"signing key of a webhook", "URL of a webhook"};
    add("URL of a webhook", "CANARY-WEBHOOK-PATH");
  }
  /// Mail that was delivered, its key picked up; refused; and one that waits with its notification.
  void do_everything() {
    ASSERT_NO_FATAL_FAILURE(add_a_webhook());
    ASSERT_TRUE(submit("1", "bob@example.net").starts_with("250"));
    ASSERT_TRUE(hop.wait_for(".", 2)) << relay.log();
    ASSERT_NO_FATAL_FAILURE(pick_up("bob@example.net"));
    ASSERT_TRUE(hop.wait_for(".", 3)) << "of which the address is told, too";
    submit_json();
    ASSERT_TRUE(hop.wait_for(".", 4));
    use_a_token();
    EXPECT_EQ(submit("2", "bob@example.net", "ceo@other.example").substr(0, 9), "550 5.7.1");
    hop.answer("MAIL", {"450 4.2.1 not now"});
    ASSERT_TRUE(submit("3", "dora@example.net").starts_with("250"));
    ASSERT_TRUE(eventually([&] { return relay.deliveries("dora@example.net", "deferred") == 2; })) << relay.log();
  }
  /// Lets what waits go, and learns its secrets.
  void let_go() {
    hop.answer("MAIL", {"250 ok"});
    ASSERT_EQ(relay.ctl({"queue", "retry", "--recipient", "dora@example.net"}).status, 0);
    ASSERT_TRUE(hop.wait_for(".", 6)) << relay.log();
    ASSERT_NO_FATAL_FAILURE(pick_up("dora@example.net"));
    ASSERT_TRUE(hop.wait_for(".", 7));
  }

  void expect_absent(const std::string& haystack, const std::string& where) const {
    for (const auto& canary : canaries) {
      EXPECT_EQ(haystack.find(canary.octets), std::string::npos) << canary.name << " in " << where;
      const std::string base64 = to_base64(canary.octets).substr(0, canary.octets.size() / 3 * 4);
      EXPECT_EQ(haystack.find(base64), std::string::npos) << canary.name << " as base64 in " << where;
      EXPECT_EQ(haystack.find(to_hex(canary.octets)), std::string::npos) << canary.name << " as hex in " << where;
    }
  }

  const std::string hop_password = "CANARY-HOP-PASSWORD-66310";
  std::vector<Canary> canaries;
  std::set<std::string> at_rest_only;  ///< the relay works with them all the time
  const TempDir files;
  SmtpServer hop{with_login()};
  RelayFixture relay{settings()};
};

TEST_F(CanaryTest, AreNowhereAtRest) {
  ASSERT_NO_FATAL_FAILURE(do_everything());
  const std::string memory = memory_of(relay.redis_pid());
  ASSERT_NO_FATAL_FAILURE(let_go());
  EXPECT_NE(memory.find("dora@example.net"), std::string::npos) << "an address may stand there: the search works";
  expect_absent(memory, "Redis' memory while mail and notification wait");
  ASSERT_EQ(relay.stop(), 0);
  std::string everything;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(relay.state_dir())) {
    if (!entry.is_regular_file()) continue;
    const std::string content = read_file(entry.path());
    expect_absent(content, entry.path());
    if (entry.path().filename() != "tls.key") {
      EXPECT_EQ(content.find("PRIVATE KEY"), std::string::npos) << entry.path();
    }
    everything += content;
  }
  EXPECT_NE(everything.find("dora@example.net"), std::string::npos) << "the append-only file was read";
  const std::string log = relay.log();
  expect_absent(log, "the log");
  EXPECT_NE(log.find("dora@example.net"), std::string::npos);
}

TEST_F(CanaryTest, OfContentAndCredentialsAreGoneFromTheRelaysMemoryOnceTheWorkIsDone) {
  if (sanitized()) GTEST_SKIP() << "sanitizers map terabytes, and keep what was freed";
  ASSERT_NO_FATAL_FAILURE(do_everything());
  ASSERT_NO_FATAL_FAILURE(let_go());
  const std::string memory = memory_of(relay.pid());
  EXPECT_NE(memory.find("example.net"), std::string::npos) << "the search works";
  std::erase_if(canaries, [&](const Canary& canary) {
    return canary.octets == hop_password || at_rest_only.contains(canary.name);  // they are still needed
  });
  expect_absent(memory, "sealpostd's memory");
}

}  // namespace
}  // namespace sealpost::test
