// SPDX-License-Identifier: Apache-2.0
// Revocation lists as openssl reads them, and certificates that name where one is found.
#include "crypto/revocation_list.h"

#include <gmock/gmock.h>

#include <ostream>

#include "crypto/certificate.h"
#include "crypto/private_key.h"
#include "tests/support/gnupg_home.h"
#include "tests/support/process.h"
#include "tests/unit/crypto/key_fixture.h"

namespace sealpost {
namespace {

using namespace std::string_literals;
using test::address;
using test::run;
using ::testing::HasSubstr;
using ::testing::Not;

class RevocationListTest : public test::KeyTest {
 protected:
  static inline const std::string url = "https://mail.example.com/seal,post/v1/crl";
  redis::Client redis_{server.endpoint(), std::chrono::seconds(20)};
  SystemRandom random_;
  MasterKey master_{MasterKey::open(dir / "master.key", redis_, random_).value()};
  CertificateAuthority authority_{
      CertificateAuthority::open(redis_, master_, clock, random_, log, {KeyType::P256, url}).value()};
  std::string root_ = dir.write("root.pem", to_pem(authority_.root()).value());
  std::string issuing_ = dir.write("issuing.pem", to_pem(authority_.issuing()).value());

  std::string issue(const std::string& mailbox, KeyType type = KeyType::P256) {
    return authority_.issue(address(mailbox), generate_key(type)->get()).value();
  }
  static std::string serial_of(const std::string& der) {
    const auto certificate = parse_certificate(der).value();
    const auto* serial = X509_get0_serialNumber(certificate.get());
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)),
            static_cast<std::size_t>(ASN1_STRING_length(serial))};
  }
  std::string list(const std::vector<RevokedCertificate>& revoked) {
    return authority_.revocation_list(revoked, 7).value();
  }
  [[nodiscard]] static std::string text_of(const std::string& crl) {
    return run({"openssl", "crl", "-inform", "DER", "-noout", "-text"}, crl).out;
  }
  /// What `openssl verify -crl_check` says of a certificate.
  test::Finished verify(const std::string& certificate, const std::string& crl) {
    const auto pem = run({"openssl", "crl", "-inform", "DER"}, crl).out;
    return run({"openssl", "verify", "-crl_check", "-attime", std::to_string(to_milliseconds(clock.now()) / 1000),
                "-CAfile", root_, "-untrusted", issuing_, "-CRLfile", dir.write("crl.pem", pem),
                dir.write("leaf.pem", to_pem(certificate).value())});
  }
};

TEST_F(RevocationListTest, OpensslRefusesWhatIsRevokedAndNothingElse) {
  const auto bad = issue("bad@example.com");
  const auto good = issue("good@example.com");
  const auto crl = list({{serial_of(bad), clock.now(), RevocationReason::KeyCompromise}});
  const auto signed_by = run({"openssl", "crl", "-inform", "DER", "-noout", "-verify", "-CAfile", issuing_}, crl);
  EXPECT_THAT(signed_by.err, HasSubstr("verify OK"));
  EXPECT_THAT(verify(bad, crl).err, HasSubstr("certificate revoked"));
  EXPECT_EQ(verify(good, crl).status, 0) << verify(good, crl).err;
  EXPECT_EQ(verify(bad, list({})).status, 0) << "an empty list is a list";
}

TEST_F(RevocationListTest, AnothersSignatureIsNotBelieved) {
  const auto forged =
      make_revocation_list({}, authority_.issuing(), generate_key(KeyType::P256)->get(), 7, clock.now());
  ASSERT_TRUE(forged);
  EXPECT_NE(verify(issue("good@example.com"), *forged).status, 0);
}

TEST_F(RevocationListTest, SaysWhenWhoseAndWhichNumber) {
  const auto text = text_of(list({}));
  EXPECT_THAT(text, HasSubstr("Version 2 (0x1)"));
  EXPECT_THAT(text, HasSubstr("Issuer: O = Sealpost, CN = Sealpost Issuing CA"));
  EXPECT_THAT(text, HasSubstr("Last Update: Sep 21 14:03:20 2026 GMT")) << "ten minutes ago, for slow clocks";
  EXPECT_THAT(text, HasSubstr("Next Update: Sep 28 14:13:20 2026 GMT"));
  EXPECT_THAT(text, HasSubstr("X509v3 Authority Key Identifier"));
  EXPECT_THAT(text, HasSubstr("X509v3 CRL Number: \n                7\n"));
  EXPECT_THAT(text, HasSubstr("No Revoked Certificates."));
}

TEST_F(RevocationListTest, AfterSevenDaysItIsTooOld) {
  const auto good = issue("good@example.com");
  const auto crl = list({});
  clock.advance(std::chrono::hours(7 * 24) - std::chrono::seconds(1));
  EXPECT_EQ(verify(good, crl).status, 0);
  clock.advance(std::chrono::seconds(2));
  EXPECT_THAT(verify(good, crl).err, HasSubstr("CRL has expired"));
}

struct ReasonCase {
  const char* name;
  RevocationReason reason;
  const char* shown;
};
void PrintTo(const ReasonCase& value, std::ostream* out) { *out << value.name; }

class RevocationReasons : public RevocationListTest, public ::testing::WithParamInterface<ReasonCase> {};

TEST_P(RevocationReasons, IsShown) {
  const auto text = text_of(list({{"\x01\x02", clock.now(), GetParam().reason}}));
  EXPECT_THAT(text, HasSubstr("Serial Number: 0102\n        Revocation Date: Sep 21 14:13:20 2026 GMT\n"));
  if (GetParam().shown == nullptr) {
    EXPECT_THAT(text, Not(HasSubstr("Reason Code")));
  } else {
    EXPECT_THAT(text, HasSubstr("X509v3 CRL Reason Code: \n                "s + GetParam().shown + "\n"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Reasons, RevocationReasons,
    ::testing::Values(ReasonCase{"Unspecified", RevocationReason::Unspecified, nullptr},
                      ReasonCase{"KeyCompromise", RevocationReason::KeyCompromise, "Key Compromise"},
                      ReasonCase{"AffiliationChanged", RevocationReason::AffiliationChanged, "Affiliation Changed"},
                      ReasonCase{"Superseded", RevocationReason::Superseded, "Superseded"},
                      ReasonCase{"CessationOfOperation", RevocationReason::CessationOfOperation,
                                 "Cessation Of Operation"}),
    [](const auto& test) { return test.param.name; });

TEST_F(RevocationListTest, OneSerialStandsOnceWithTheEarlierTime) {
  const auto earlier = clock.now() - std::chrono::hours(24);
  const auto text = text_of(list({{"\x7f", clock.now(), RevocationReason::Superseded},
                                  {"\0\x7f"s, earlier, RevocationReason::KeyCompromise},
                                  {"\x7f", clock.now(), RevocationReason::Superseded}}));
  EXPECT_THAT(text, HasSubstr("Serial Number: 7F\n        Revocation Date: Sep 20 14:13:20 2026 GMT\n"));
  EXPECT_EQ(text.find("Serial Number"), text.rfind("Serial Number"));
}

TEST_F(RevocationListTest, SerialsThatNoCertificateHasAreRefused) {
  for (const std::string& serial : {""s, "\0"s, std::string(21, '\x01')}) {
    const auto made = authority_.revocation_list({{serial, clock.now()}}, 7);
    ASSERT_FALSE(made) << serial.size();
    EXPECT_EQ(made.error().kind, ErrorKind::Invalid);
  }
}

TEST_F(RevocationListTest, RecipientsCertificateNamesWhereItIsFound) {
  const auto text = [](const std::string& der) {
    return run({"openssl", "x509", "-inform", "DER", "-noout", "-text"}, der).out;
  };
  const auto shown = text(issue("bob@example.com"));
  EXPECT_THAT(shown, HasSubstr("X509v3 CRL Distribution Points: \n                Full Name:\n"));
  EXPECT_THAT(shown, HasSubstr("URI:" + url + "\n"));
  const auto signer = authority_.issue_signer(address("relay@example.com"), generate_key(KeyType::P256)->get());
  EXPECT_THAT(text(*signer), Not(HasSubstr("CRL Distribution")));
  auto silent = CertificateAuthority::load(redis_, master_, clock, random_).value();
  const auto unnamed = silent.issue(address("bob@example.com"), generate_key(KeyType::P256)->get());
  EXPECT_THAT(text(*unnamed), Not(HasSubstr("CRL Distribution")));
}

TEST_F(RevocationListTest, GpgsmAndNssTakeACertificateThatNamesIt) {
  clock.advance(std::chrono::duration_cast<Duration>(SystemClock().now() - clock.now()));
  // A CA of their own time, since both look at the machine's clock.
  ASSERT_TRUE(redis_.command({"DEL", "keys:ca"}));
  auto authority = CertificateAuthority::open(redis_, master_, clock, random_, log, {KeyType::Rsa2048, url}).value();
  const auto key = generate_key(KeyType::Rsa2048).value();
  const auto leaf = to_pem(authority.issue(address("bob@example.com"), key.get()).value()).value();
  const auto chain = authority.pem().value();
  const test::GnupgHome home;
  const auto imported = home.gpgsm({"--import"}, leaf + chain);
  EXPECT_EQ(imported.status, 0) << imported.err;
  EXPECT_THAT(home.gpgsm({"--dump-cert", "bob@example.com"}).out, HasSubstr(url));
  const std::string database = "sql:" + dir.path().string();
  ASSERT_EQ(run({"certutil", "-N", "-d", database, "--empty-password"}).status, 0);
  const auto add = [&](const std::string& name, const std::string& trust, const std::string& pem) {
    return run({"certutil", "-A", "-d", database, "-n", name, "-t", trust, "-i", dir.write(name, pem)}).status;
  };
  EXPECT_EQ(add("root", ",C,", to_pem(authority.root()).value()), 0);
  EXPECT_EQ(add("issuing", ",,", to_pem(authority.issuing()).value()), 0);
  EXPECT_EQ(add("bob", ",,", leaf), 0);
  const auto valid = run({"certutil", "-V", "-d", database, "-n", "bob", "-u", "R"});
  EXPECT_EQ(valid.status, 0) << valid.out << valid.err;
}

}  // namespace
}  // namespace sealpost
