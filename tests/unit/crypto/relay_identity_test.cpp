// SPDX-License-Identifier: Apache-2.0
// The relay's signing pair: one for all nodes, good for signatures alone, replaced in time, and useless to whoever
// alters it.
#include "crypto/relay_identity.h"

#include <gmock/gmock.h>

#include <future>
#include <msgpack.hpp>
#include <set>

#include "crypto/certificate.h"
#include "tests/support/process.h"
#include "tests/unit/crypto/key_fixture.h"

namespace sealpost {
namespace {

using test::address;
using test::run;
using ::testing::HasSubstr;

class RelayIdentityTest : public test::KeyTest {
 protected:
  static inline const std::string mailbox = "Relay@example.org";
  static inline const std::string key = "keys:signer:relay@example.org";
  redis::Client redis_{server.endpoint(), std::chrono::seconds(20)};
  SystemRandom random_;
  MasterKey master_{MasterKey::open(dir / "master.key", redis_, random_).value()};
  CertificateAuthority authority_{
      CertificateAuthority::open(redis_, master_, clock, random_, log, {KeyType::P256}).value()};

  Result<RelayIdentity> open(const std::string& from = mailbox, KeyType type = KeyType::P256) {
    return RelayIdentity::open(redis_, master_, authority_, address(from), clock, log, type);
  }
  using Stored = std::tuple<std::string, std::string>;
  Stored stored(const std::string& name = key) {
    const auto reply = redis_.command({"GET", name}).value();
    return msgpack::unpack(reply.text().data(), reply.text().size()).get().as<Stored>();
  }
  void store(const Stored& record) {
    msgpack::sbuffer packed;
    msgpack::pack(packed, record);
    ASSERT_TRUE(redis_.command({"SET", key, std::string(packed.data(), packed.size())}));
  }
  void expect_altered() {
    const auto opened = open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, ErrorKind::Permanent);
  }
};

TEST_F(RelayIdentityTest, CertificateIsForSignaturesOfThatAddress) {
  const auto text = run({"openssl", "x509", "-inform", "DER", "-noout", "-text"}, open()->certificate()).out;
  EXPECT_THAT(text, HasSubstr("X509v3 Key Usage: critical\n                Digital Signature\n"));
  EXPECT_THAT(text, HasSubstr("E-mail Protection\n"));
  EXPECT_THAT(text, HasSubstr("email:" + address(mailbox).san_value() + "\n"));
  EXPECT_THAT(text, HasSubstr("CA:FALSE"));
}

class RelayIdentityOf : public RelayIdentityTest, public ::testing::WithParamInterface<KeyType> {};

TEST_P(RelayIdentityOf, OpensslVerifiesWhatItSigns) {
  const auto identity = open(mailbox, GetParam());
  ASSERT_TRUE(identity);
  const auto signature = identity->sign_detached("A receipt.\r\n");
  ASSERT_TRUE(signature) << signature.error().internal_detail;
  const auto verify = [&](const std::string& content) {
    return run({"openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", dir.write("signature", *signature),
                "-content", dir.write("content", content), "-CAfile",
                dir.write("root.pem", to_pem(authority_.root()).value()), "-purpose", "smimesign", "-attime",
                std::to_string(to_milliseconds(clock.now()) / 1000)});
  };
  EXPECT_EQ(verify("A receipt.\r\n").status, 0) << verify("A receipt.\r\n").err;
  EXPECT_NE(verify("A receipt!\r\n").status, 0);
}

INSTANTIATE_TEST_SUITE_P(Keys, RelayIdentityOf, ::testing::Values(KeyType::P256, KeyType::Rsa2048));

TEST_F(RelayIdentityTest, SignatureIsOfTheClocksTime) {
  const auto signature = open()->sign_detached("x").value();
  const auto shown = run({"openssl", "cms", "-cmsout", "-noout", "-print", "-inform", "DER"}, signature).out;
  EXPECT_THAT(shown, HasSubstr("UTCTIME:Sep 21 14:13:20 2026 GMT"));
}

TEST_F(RelayIdentityTest, NodesThatStartAtOnceAgreeOnOne) {
  std::vector<std::future<std::string>> nodes;
  nodes.reserve(8);
  for (int i = 0; i < 8; ++i) {
    nodes.push_back(std::async(std::launch::async, [this] { return open()->certificate(); }));
  }
  std::set<std::string> seen;
  for (auto& node : nodes) seen.insert(node.get());
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_EQ(open()->certificate(), *seen.begin()) << "and so do later ones";
}

TEST_F(RelayIdentityTest, EachAddressHasOneOfItsOwn) {
  EXPECT_NE(open()->certificate(), open("other@example.org")->certificate());
  EXPECT_EQ(open("relay@example.org")->certificate(), open()->certificate()) << "whatever its spelling";
}

TEST_F(RelayIdentityTest, IsReplacedWhenLessThanAYearIsLeft) {
  const auto first = open()->certificate();
  clock.advance(std::chrono::hours(24 * (3652 - 365)));
  EXPECT_EQ(open()->certificate(), first) << "a year to the day";
  clock.advance(std::chrono::minutes(1));
  std::vector<std::future<std::string>> nodes;
  nodes.reserve(4);
  for (int i = 0; i < 4; ++i) {
    nodes.push_back(std::async(std::launch::async, [this] { return open()->certificate(); }));
  }
  std::set<std::string> seen;
  for (auto& node : nodes) seen.insert(node.get());
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_FALSE(seen.contains(first));
}

TEST_F(RelayIdentityTest, IsReplacedUnderAnotherCa) {
  const auto first = open()->certificate();
  ASSERT_TRUE(redis_.command({"DEL", "keys:ca"}));
  auto other = CertificateAuthority::open(redis_, master_, clock, random_, log, {KeyType::P256}).value();
  const auto second =
      RelayIdentity::open(redis_, master_, other, address(mailbox), clock, log, KeyType::P256)->certificate();
  EXPECT_NE(second, first);
  EXPECT_EQ(X509_verify(parse_certificate(second)->get(), X509_get0_pubkey(other.issuing())), 1);
}

TEST_F(RelayIdentityTest, AlteredOrMovedPairDoesNotOpen) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(open("other@example.org"));
  const auto mine = stored();
  const auto others = stored("keys:signer:other@example.org");
  store(others);
  expect_altered();
  store({std::get<0>(others), std::get<1>(mine)});
  expect_altered();
  store({std::get<0>(mine), std::get<1>(others)});
  expect_altered();
  ASSERT_TRUE(redis_.command({"SET", key, "garbage"}));
  expect_altered();
  store(mine);
  EXPECT_TRUE(open());
}

TEST_F(RelayIdentityTest, NoPrivateKeyStandsInRedisInClear) {
  ASSERT_TRUE(open());
  const auto [certificate, wrapped] = stored();
  const auto context = "relay@example.org " + certificate_fingerprint(certificate);
  EXPECT_TRUE(master_.unwrap(Purpose::SignerKey, context, wrapped));
  EXPECT_FALSE(master_.unwrap(Purpose::CaKey, context, wrapped));
}

TEST_F(RelayIdentityTest, AddressThatNoCertificateCanNameIsRefused) {
  const auto opened = open("\"two words\"@example.org");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::Invalid);
}

}  // namespace
}  // namespace sealpost
