// SPDX-License-Identifier: Apache-2.0
// PKCS#12 files as the real programs of the field read them: import, then decrypt what openssl sealed to the pair.
#include "crypto/pkcs12.h"

#include <gmock/gmock.h>
#include <openssl/sha.h>

#include <array>
#include <cstdio>
#include <set>

#include "crypto/certificate.h"
#include "crypto/pkcs12_kdf.h"
#include "crypto/private_key.h"
#include "tests/support/gnupg_home.h"
#include "tests/support/process.h"
#include "tests/unit/crypto/key_fixture.h"

namespace sealpost {
namespace {

using test::address;
using test::read_file;
using test::run;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string plaintext = "Content-Type: text/plain\r\n\r\nThe quarterly figures.\r\n";

class Pkcs12Test : public test::KeyTest {
 protected:
  /// A pair of bob's with a real-sized CA, its file, and a message that openssl sealed to it.
  void SetUp() override {
    // Readers check dates against the machine's clock, so certificates must be of now.
    clock.advance(SystemClock().now() - clock.now());
    redis::Client redis(server.endpoint(), std::chrono::seconds(20));
    auto master = MasterKey::open(dir / "master.key", redis, random_).value();
    authority_ = std::make_unique<CertificateAuthority>(
        CertificateAuthority::open(redis, master, clock, random_, log, {KeyType::Rsa2048}).value());
    key_ = generate_key(KeyType::Rsa2048).value();
    certificate_ = parse_certificate(authority_->issue(address("bob@example.com"), key_.get()).value()).value();
    const auto pem = dir.write("bob.pem", *to_pem(certificate_.get()));
    const auto sealed = run(
        {"openssl", "cms", "-encrypt", "-binary", "-aes-256-cbc", "-outform", "DER", "-out", dir / "sealed.der", pem},
        plaintext);
    ASSERT_EQ(sealed.status, 0) << sealed.err;
  }

  std::string write_file(Pkcs12Format format, const std::string& password) {
    const Pkcs12Content content{
        key_.get(), certificate_.get(), {authority_->issuing(), authority_->root()}, "bob@example.com"};
    const auto octets = make_pkcs12(content, format, Secret::copy_of(password)).value();
    return dir.write("bob.p12", std::string(view(octets)));
  }

  SystemRandom random_;
  std::unique_ptr<CertificateAuthority> authority_;
  PkeyPtr key_;
  X509Ptr certificate_;
};

class Pkcs12Reader : public Pkcs12Test, public ::testing::WithParamInterface<Pkcs12Format> {
 protected:
  const std::string password_ = std::string(random_pkcs12_password(random_).reveal());
  std::string file() { return write_file(GetParam(), password_); }
};

INSTANTIATE_TEST_SUITE_P(Formats, Pkcs12Reader, ::testing::Values(Pkcs12Format::Modern, Pkcs12Format::Compatible),
                         [](const auto& info) { return info.param == Pkcs12Format::Modern ? "Modern" : "Compatible"; });

TEST_P(Pkcs12Reader, OpensslImportsAndDecrypts) {
  const auto p12 = file();
  const std::map<std::string, std::string> environment = {{"P12_PASSWORD", password_}};
  const auto info =
      run({"openssl", "pkcs12", "-in", p12, "-passin", "env:P12_PASSWORD", "-info", "-nodes"}, "", environment);
  ASSERT_EQ(info.status, 0) << info.err;
  EXPECT_THAT(info.out, HasSubstr("friendlyName: bob@example.com"));
  std::size_t certificates = 0;
  for (auto at = info.out.find("BEGIN CERT"); at != std::string::npos; at = info.out.find("BEGIN CERT", at + 1))
    ++certificates;
  EXPECT_EQ(certificates, 3U);
  const bool modern = GetParam() == Pkcs12Format::Modern;
  EXPECT_THAT(info.err, HasSubstr(modern ? "MAC: sha256, Iteration 100000" : "MAC: sha1"));
  EXPECT_THAT(info.err, HasSubstr(modern ? "AES-256-CBC, Iteration 100000, PRF hmacWithSHA256"
                                         : "pbeWithSHA1And3-KeyTripleDES-CBC"));
  EXPECT_THAT(info.err, Not(HasSubstr("RC2")));
  const auto pem = dir.write("key.pem", info.out);
  const auto opened = run({"openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", dir / "sealed.der",
                           "-inkey", pem, "-recip", dir / "bob.pem"});
  EXPECT_EQ(opened.out, plaintext) << opened.err;
}

TEST_P(Pkcs12Reader, WrongPasswordIsRefused) {
  const auto refused = run({"openssl", "pkcs12", "-in", file(), "-passin", "env:P12_PASSWORD", "-noout"}, "",
                           {{"P12_PASSWORD", "wrong-password"}});
  EXPECT_NE(refused.status, 0);
}

TEST_P(Pkcs12Reader, NssImportsTrustsAndDecrypts) {
  const auto store = "sql:" + dir.path().string();
  const auto empty = dir.write("empty", "\n");
  const auto pass = dir.write("password", password_ + "\n");
  ASSERT_EQ(run({"certutil", "-N", "-d", store, "-f", empty}).status, 0);
  const auto imported = run({"pk12util", "-i", file(), "-d", store, "-k", empty, "-w", pass});
  ASSERT_EQ(imported.status, 0) << imported.out << imported.err;
  const auto root = dir.write("root.pem", *to_pem(authority_->root()));
  ASSERT_EQ(run({"certutil", "-A", "-n", "root", "-t", ",C,", "-d", store, "-a", "-i", root, "-f", empty}).status, 0);
  const auto valid = run({"certutil", "-V", "-n", "bob@example.com", "-u", "R", "-d", store, "-f", empty});
  EXPECT_EQ(valid.status, 0) << valid.out << valid.err;
  const auto opened = run({"cmsutil", "-D", "-d", store, "-f", empty, "-i", dir / "sealed.der"});
  EXPECT_EQ(opened.out, plaintext) << opened.err;
}

TEST_F(Pkcs12Test, GpgsmImportsTheCompatibleFormTrustsAndDecrypts) {
  const std::string password(random_pkcs12_password(random_).reveal());
  const auto p12 = write_file(Pkcs12Format::Compatible, password);
  const auto root_der = *to_der(authority_->root());
  {
    const test::GnupgHome home;
    const auto imported = home.gpgsm({"--passphrase-fd", "0", "--import", p12}, password + "\n");
    ASSERT_EQ(imported.status, 0) << imported.err;
    // A reader that trusts the root must accept the chain: gpgsm refuses critical extensions that it does not know.
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
    SHA1(reinterpret_cast<const unsigned char*>(root_der.data()), root_der.size(), digest.data());
    std::string fingerprint;
    for (const auto octet : digest) {
      std::array<char, 3> hex{};
      std::snprintf(hex.data(), hex.size(), "%02X", octet);
      fingerprint += hex.data();
    }
    home.trust(fingerprint);
    const auto sealed =
        home.gpgsm({"--encrypt", "--recipient", "bob@example.com", "--output", dir / "own.der"}, plaintext);
    EXPECT_EQ(sealed.status, 0) << sealed.err;
    const auto opened = home.gpgsm({"--passphrase-fd", "0", "--decrypt", dir / "sealed.der"}, password + "\n");
    EXPECT_EQ(opened.out, plaintext) << opened.err;
  }
}

/// short_block.p12 was made by openssl; its password was made for it.
TEST_F(Pkcs12Test, WhatGpgsmMisreadsIsToldAndNeverMade) {
  const std::string file = TEST_DATA "/pkcs12/short_block.p12";
  const std::string password = "11eddbee634a03ac1dff";
  EXPECT_TRUE(is_misread_by_gpgsm(read_file(file), password).value());
  const test::GnupgHome home;
  EXPECT_NE(home.gpgsm({"--passphrase-fd", "0", "--import", file}, password + "\n").status, 0) << "no longer needed";

  const auto key = generate_key(KeyType::P256).value();
  const auto certificate = parse_certificate(authority_->issue(address("bob@example.com"), key.get()).value()).value();
  const Pkcs12Content content{key.get(), certificate.get(), {}, "bob@example.com"};
  for (int i = 0; i < 300; ++i) {  // without a look at them, five would be misread
    const Secret random = random_pkcs12_password(random_);
    const auto made = make_pkcs12(content, Pkcs12Format::Compatible, random).value();
    ASSERT_FALSE(is_misread_by_gpgsm(view(made), random.reveal()).value());
  }
}

TEST_F(Pkcs12Test, RandomPasswordsAreReadableAndLong) {
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const auto password = random_pkcs12_password(random_);
    EXPECT_THAT(std::string(password.reveal()), ::testing::MatchesRegex("([2-9a-km-np-z]{4}-){4}[2-9a-km-np-z]{4}"));
    seen.insert(std::string(password.reveal()));
  }
  EXPECT_EQ(seen.size(), 200U);
}

struct OwnPassword {
  std::string name;
  Pkcs12Format format;
  std::string password;
  bool accepted;
};
std::ostream& operator<<(std::ostream& out, const OwnPassword& password) { return out << password.name; }

class OwnPasswordTest : public ::testing::TestWithParam<OwnPassword> {};

TEST_P(OwnPasswordTest, IsJudged) {
  const auto status = check_own_password(GetParam().format, Secret::copy_of(GetParam().password));
  EXPECT_EQ(status.ok(), GetParam().accepted);
  EXPECT_TRUE(status || status.error().kind == ErrorKind::Invalid);
}

INSTANTIATE_TEST_SUITE_P(
    Passwords, OwnPasswordTest,
    ::testing::Values(OwnPassword{"TwelveCharacters", Pkcs12Format::Modern, "abcdefghijkl", true},
                      OwnPassword{"Eleven", Pkcs12Format::Modern, "abcdefghijk", false},
                      OwnPassword{"TwelveUmlauts", Pkcs12Format::Modern, "äöüäöüäöüäöü", true},
                      OwnPassword{"SixUmlautsAreTwelveOctets", Pkcs12Format::Modern, "äöüäöü", false},
                      OwnPassword{"LineBreak", Pkcs12Format::Modern, "abcdefghijkl\n", false},
                      OwnPassword{"NulOctet", Pkcs12Format::Modern, std::string("abcdefghijkl\0m", 14), false},
                      OwnPassword{"NotUtf8", Pkcs12Format::Modern, "abcdefghijkl\xff", false},
                      OwnPassword{"TooLong", Pkcs12Format::Modern, std::string(257, 'a'), false},
                      OwnPassword{"Compatible", Pkcs12Format::Compatible, "a-very-long-password", false}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sealpost
