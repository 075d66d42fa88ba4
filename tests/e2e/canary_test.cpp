// SPDX-License-Identifier: Apache-2.0
// Whoever takes Redis' files, its memory, state_dir and all logs finds no plaintext and nothing that picks a key up:
// canaries of every kind of secret are looked for everywhere, and things that may stand there prove that the search
// finds what is there.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/encoding.h"
#include "base/openssl.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"

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

class CanaryTest : public testing::Test {
 protected:
  /// Everything that is not to be found, once a mail was delivered, one waits, and a key was picked up.
  std::vector<Canary> make_canaries() {
    auto sender = Submitter::logged_in(relay);
    const std::string mail =
        "From: Alice CANARY-NAME-7 <alice@example.com>\r\nSubject: CANARY-SUBJECT-81724\r\n"
        "X-Note: CANARY-FIELD-4711\r\n\r\nCANARY-BODY-55120-plaintext\r\n";
    EXPECT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, mail).starts_with("250"));
    const std::string notification = relay.notifications("bob@example.net", 1).at(0);
    relay.sealed_mail("bob@example.net", 1);
    const auto link = read_notification(notification);
    const auto key = relay.pick_up(notification);
    std::vector<Canary> canaries = numbers_of(read_file(key.pem_file));
    const std::string digits = link.code.substr(0, 4) + link.code.substr(5, 4) + link.code.substr(10, 4);
    canaries.insert(canaries.end(), {{"display name", "CANARY-NAME-7"},
                                     {"subject", "CANARY-SUBJECT-81724"},
                                     {"header field", "CANARY-FIELD-4711"},
                                     {"body", "CANARY-BODY-55120-plaintext"},
                                     {"account's password", RelayFixture::password},
                                     {"token of the link", link.token},
                                     {"code", link.code},
                                     {"code without dashes", digits},
                                     {"password of the key file", key.password}});
    return canaries;
  }

  static void expect_absent(const std::string& haystack, const std::vector<Canary>& canaries,
                            const std::string& where) {
    for (const auto& canary : canaries) {
      EXPECT_EQ(haystack.find(canary.octets), std::string::npos) << canary.name << " in " << where;
      const std::string base64 = to_base64(canary.octets).substr(0, canary.octets.size() / 3 * 4);
      EXPECT_EQ(haystack.find(base64), std::string::npos) << canary.name << " as base64 in " << where;
      EXPECT_EQ(haystack.find(to_hex(canary.octets)), std::string::npos) << canary.name << " as hex in " << where;
    }
  }

  RelayFixture relay{RelayFixture::Settings{{"log.level", "debug"}}};
};

TEST_F(CanaryTest, AreNowhereAtRest) {
  const auto canaries = make_canaries();
  const std::string memory = memory_of(relay.redis_pid());
  EXPECT_NE(memory.find("bob@example.net"), std::string::npos) << "an address may stand there: the search works";
  expect_absent(memory, canaries, "Redis' memory");
  ASSERT_EQ(relay.stop(), 0);
  std::string everything;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(relay.state_dir())) {
    if (!entry.is_regular_file()) continue;
    const std::string content = read_file(entry.path());
    expect_absent(content, canaries, entry.path());
    if (entry.path().filename() != "tls.key") {
      EXPECT_EQ(content.find("PRIVATE KEY"), std::string::npos) << entry.path();
    }
    everything += content;
  }
  EXPECT_NE(everything.find("bob@example.net"), std::string::npos) << "the append-only file was read";
  const std::string log = relay.log();
  expect_absent(log, canaries, "the log");
  EXPECT_NE(log.find("bob@example.net"), std::string::npos);
}

}  // namespace
}  // namespace sealpost::test
