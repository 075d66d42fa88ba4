// SPDX-License-Identifier: Apache-2.0
// The CA: what its certificates say to openssl, one CA for all nodes, and what happens when somebody altered it.
#include "crypto/certificate_authority.h"

#include <gmock/gmock.h>

#include <future>
#include <msgpack.hpp>
#include <set>

#include "crypto/certificate.h"
#include "crypto/certificate_builder.h"
#include "crypto/private_key.h"
#include "tests/support/process.h"
#include "tests/unit/crypto/key_fixture.h"

namespace sealpost {
namespace {

using test::address;
using test::run;
using ::testing::HasSubstr;
using ::testing::Not;

class CertificateAuthorityTest : public test::KeyTest {
 protected:
  redis::Client redis_{server.endpoint(), std::chrono::seconds(20)};
  SystemRandom random_;
  MasterKey master_{MasterKey::open(dir / "master.key", redis_, random_).value()};

  CertificateAuthority open(KeyType type = KeyType::P256) {
    return CertificateAuthority::open(redis_, master_, clock, random_, log, {type}).value();
  }
  static std::string text_of(const std::string& der) {
    const auto shown = run({"openssl", "x509", "-inform", "DER", "-noout", "-text"}, der);
    EXPECT_EQ(shown.status, 0) << shown.err;
    return shown.out;
  }
  using Stored = std::tuple<std::string, std::string, std::string, std::string>;
  Stored stored() {
    const auto reply = redis_.command({"GET", "keys:ca"}).value();
    return msgpack::unpack(reply.text().data(), reply.text().size()).get().as<Stored>();
  }
  PkeyPtr root_key() {
    const auto [root, wrapped, issuing, issuing_key] = stored();
    const auto plain = master_.unwrap(Purpose::CaKey, "root " + certificate_fingerprint(root), wrapped).value();
    return parse_private_key(view(plain)).value();
  }
  std::string issue(CertificateAuthority& authority, std::string_view mailbox, KeyType type = KeyType::P256) {
    const auto key = generate_key(type).value();
    return authority.issue(address(mailbox), key.get()).value();
  }
};

TEST_F(CertificateAuthorityTest, OpensslVerifiesTheChainForEncryptedMail) {
  auto authority = open(KeyType::Rsa3072);
  const auto leaf =
      dir.write("leaf.pem", *to_pem(parse_certificate(issue(authority, "bob@example.com", KeyType::Rsa2048))->get()));
  const auto root = dir.write("root.pem", *to_pem(authority.root()));
  const auto issuing = dir.write("issuing.pem", *to_pem(authority.issuing()));
  const std::string at = std::to_string(to_milliseconds(clock.now()) / 1000);
  const auto verify = [&](const std::vector<std::string>& more) {
    std::vector<std::string> argv = {"openssl", "verify", "-x509_strict", "-attime", at,
                                     "-CAfile", root,     "-untrusted",   issuing};
    argv.insert(argv.end(), more.begin(), more.end());
    argv.push_back(leaf);
    return run(argv);
  };
  EXPECT_EQ(verify({"-purpose", "smimeencrypt"}).status, 0) << verify({"-purpose", "smimeencrypt"}).err;
  EXPECT_EQ(verify({"-purpose", "smimesign", "-verify_email", "bob@example.com"}).status, 0);
  EXPECT_NE(verify({"-purpose", "sslserver"}).status, 0);
  EXPECT_NE(verify({"-verify_email", "eve@example.com"}).status, 0);
}

TEST_F(CertificateAuthorityTest, RootForbidsHostNames) {
  auto authority = open();
  const auto key = generate_key(KeyType::P256).value();
  // What a thief of the issuing key would make: a certificate of a web server.
  const auto rogue = CertificateBuilder(key.get(), authority.root())
                         .serial(random_)
                         .validity(clock.now() - std::chrono::hours(1), clock.now() + std::chrono::hours(1))
                         .subject("rogue")
                         .extension(NID_basic_constraints, "critical,CA:FALSE")
                         .extension(NID_subject_alt_name, "DNS:www.example.com")
                         .sign(root_key().get());
  const auto leaf = dir.write("rogue.pem", *to_pem(parse_certificate(*rogue)->get()));
  const auto root = dir.write("root.pem", *to_pem(authority.root()));
  const auto verified =
      run({"openssl", "verify", "-attime", std::to_string(to_milliseconds(clock.now()) / 1000), "-CAfile", root, leaf});
  EXPECT_NE(verified.status, 0);
  EXPECT_THAT(verified.err + verified.out, HasSubstr("excluded subtree violation"));
}

TEST_F(CertificateAuthorityTest, CaCertificatesSayWhatTheContractSays) {
  auto authority = open(KeyType::Rsa3072);
  const auto root = text_of(*to_der(authority.root()));
  EXPECT_THAT(root, HasSubstr("Public-Key: (3072 bit)"));
  EXPECT_THAT(root, HasSubstr("CA:TRUE\n"));
  EXPECT_THAT(root, HasSubstr("X509v3 Name Constraints:"));
  EXPECT_THAT(root, HasSubstr("Excluded:"));
  EXPECT_THAT(root, HasSubstr("IP:0.0.0.0/0.0.0.0"));
  const auto issuing = text_of(*to_der(authority.issuing()));
  EXPECT_THAT(issuing, HasSubstr("CA:TRUE, pathlen:0"));
  EXPECT_THAT(issuing, HasSubstr("Certificate Sign, CRL Sign\n"));
  EXPECT_THAT(issuing, HasSubstr("E-mail Protection\n"));
}

TEST_F(CertificateAuthorityTest, RecipientCertificateSaysWhatTheContractSays) {
  auto authority = open();
  const auto text = text_of(issue(authority, "Bob@Example.COM", KeyType::Rsa2048));
  EXPECT_THAT(text, HasSubstr("CA:FALSE"));
  EXPECT_THAT(text, HasSubstr("Digital Signature, Key Encipherment\n"));
  EXPECT_THAT(text, HasSubstr("E-mail Protection\n"));
  EXPECT_THAT(text, HasSubstr("email:" + address("Bob@Example.COM").san_value()));
  EXPECT_THAT(text, HasSubstr("X509v3 Authority Key Identifier"));
  EXPECT_THAT(text, HasSubstr("X509v3 Subject Key Identifier"));
  EXPECT_THAT(text, HasSubstr("Subject: CN = " + address("Bob@Example.COM").san_value()));
  EXPECT_THAT(text, Not(HasSubstr("Subject Alternative Name: critical")));
  EXPECT_THAT(text_of(issue(authority, "bob@example.com", KeyType::P256)),
              HasSubstr("Digital Signature, Key Agreement\n"));
}

TEST_F(CertificateAuthorityTest, LongAddressHasAnEmptySubjectAndACriticalName) {
  auto authority = open();
  const std::string mailbox = std::string(60, 'a') + "@" + std::string(40, 'b') + ".example.com";
  const auto text = text_of(issue(authority, mailbox));
  EXPECT_THAT(text, HasSubstr("Subject: \n"));
  EXPECT_THAT(text, HasSubstr("Subject Alternative Name: critical\n"));
  EXPECT_THAT(text, HasSubstr("email:" + mailbox));
}

TEST_F(CertificateAuthorityTest, UnicodeLocalPartStandsAsSmtpUtf8Mailbox) {
  auto authority = open();
  const auto der = issue(authority, "jürgen@example.com");
  EXPECT_THAT(text_of(der), HasSubstr("othername: SmtpUTF8Mailbox"));
  EXPECT_THAT(text_of(der), Not(HasSubstr("email:")));
  EXPECT_NE(der.find("jürgen@example.com"), std::string::npos);
}

TEST_F(CertificateAuthorityTest, SerialsAreRandomAndPositive) {
  auto authority = open();
  std::set<std::string> serials;
  for (int i = 0; i < 50; ++i) {
    const auto certificate = parse_certificate(issue(authority, "a@example.com")).value();
    const BignumPtr serial(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate.get()), nullptr));
    EXPECT_FALSE(BN_is_negative(serial.get()));
    EXPECT_LE(BN_num_bits(serial.get()), 127);
    EXPECT_GT(BN_num_bits(serial.get()), 90);
    serials.insert(certificate_fingerprint(*to_der(certificate.get())));
  }
  EXPECT_EQ(serials.size(), 50U);
}

TEST_F(CertificateAuthorityTest, ValidTenYearsFromALittleEarlierAndNeverBeyondTheIssuer) {
  auto authority = open();
  const auto expect_days = [&](long days) {
    const auto certificate = parse_certificate(issue(authority, "a@example.com")).value();
    time_t now = to_milliseconds(clock.now()) / 1000;
    EXPECT_EQ(X509_cmp_time(X509_get0_notBefore(certificate.get()), &now), -1);
    time_t before_end = now + days * 86400 - 60;
    time_t behind_end = now + days * 86400 + 60;
    EXPECT_EQ(X509_cmp_time(X509_get0_notAfter(certificate.get()), &before_end), 1);
    EXPECT_EQ(X509_cmp_time(X509_get0_notAfter(certificate.get()), &behind_end), -1);
  };
  expect_days(3652);
  clock.advance(std::chrono::hours(24 * (10957 - 100)));
  expect_days(100);
  clock.advance(std::chrono::hours(24 * 101));
  const auto key = generate_key(KeyType::P256).value();
  EXPECT_FALSE(authority.issue(address("a@example.com"), key.get()));
}

TEST_F(CertificateAuthorityTest, NodesThatStartAtOnceAgreeOnOne) {
  std::vector<std::future<std::string>> nodes;
  nodes.reserve(8);
  for (int i = 0; i < 8; ++i) {
    nodes.push_back(std::async(std::launch::async, [this] { return *open().pem(); }));
  }
  std::set<std::string> seen;
  for (auto& node : nodes) seen.insert(node.get());
  EXPECT_EQ(seen.size(), 1U);
}

TEST_F(CertificateAuthorityTest, LoadFindsWhatOpenMade) {
  EXPECT_EQ(CertificateAuthority::load(redis_, master_, clock, random_).error().kind, ErrorKind::NotFound);
  const auto pem = *open().pem();
  EXPECT_EQ(*CertificateAuthority::load(redis_, master_, clock, random_)->pem(), pem);
}

TEST_F(CertificateAuthorityTest, AnotherMasterKeyCannotUseIt) {
  open();
  ASSERT_TRUE(MasterKey::create(dir / "other.key", random_));
  auto other = MasterKey::load(dir / "other.key", random_).value();
  auto opened = CertificateAuthority::open(redis_, other, clock, random_, log, {KeyType::P256});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::Permanent);
}

TEST_F(CertificateAuthorityTest, SwappedCertificatesAreNoticed) {
  open();
  const auto real = stored();
  ASSERT_TRUE(redis_.command({"DEL", "keys:ca"}));
  open();
  const auto other = stored();
  const auto refused = [&](const Stored& forged) {
    msgpack::sbuffer packed;
    msgpack::pack(packed, forged);
    EXPECT_TRUE(redis_.command({"SET", "keys:ca", std::string(packed.data(), packed.size())}));
    const auto loaded = CertificateAuthority::load(redis_, master_, clock, random_);
    return !loaded && loaded.error().kind == ErrorKind::Permanent;
  };
  const auto& [root, root_key, issuing, issuing_key] = real;
  EXPECT_TRUE(refused({std::get<0>(other), root_key, issuing, issuing_key}));
  EXPECT_TRUE(refused({root, root_key, std::get<2>(other), issuing_key}));
  EXPECT_TRUE(refused({root, root_key, issuing, std::get<3>(other)}));
  std::string other_words = root;
  const auto name = other_words.find("Sealpost Root CA");
  ASSERT_NE(name, std::string::npos);
  other_words.replace(other_words.rfind("Sealpost Root CA"), 8, "Postseal");  // the subject; the key stays
  EXPECT_TRUE(refused({other_words, root_key, issuing, issuing_key}));
  EXPECT_FALSE(refused(real));
  ASSERT_TRUE(redis_.command({"SET", "keys:ca", "garbage"}));
  EXPECT_EQ(CertificateAuthority::load(redis_, master_, clock, random_).error().kind, ErrorKind::Permanent);
}

}  // namespace
}  // namespace sealpost
