// SPDX-License-Identifier: Apache-2.0
// Sealing for one and for many: each result opens with its own key only, byte for byte, and tells nothing of the other
// recipients.
#include "crypto/sealer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <memory>
#include <ostream>

#include "base/openssl.h"
#include "crypto/certificate.h"
#include "crypto/der.h"
#include "tests/unit/crypto/seal_fixture.h"

namespace sealpost {
namespace {

using namespace std::string_literals;
using test::cms_of;
using test::openssl_decrypt;
using test::Recipient;
using ::testing::HasSubstr;
using ::testing::Not;

const Sealer::Additions additions{"Received: by relay\r\n", "Message-ID: <1@relay>\r\nDate: now\r\n"};
const std::string text =
    "From: a@example.com\r\nSubject: clear\r\nBcc: hidden\r\nContent-Type: text/html\r\n\r\n<p>CANARY\r\n";

class SealerTest : public ::testing::TestWithParam<ContentCipher> {
 protected:
  static void SetUpTestSuite() {
    if (!recipients_.empty()) return;
    recipients_.push_back(test::make_recipient("rsa one", KeyType::Rsa2048));
    recipients_.push_back(test::make_recipient("ec one", KeyType::P256));
    recipients_.push_back(test::make_recipient("rsa two", KeyType::Rsa2048));
    recipients_.push_back(test::make_recipient("ec two", KeyType::P256));
  }
  static void TearDownTestSuite() { recipients_.clear(); }

  [[nodiscard]] Result<SealedMessage> seal(const std::string& message, std::vector<std::size_t> who) const {
    std::vector<std::string> certificates;
    for (const auto i : who) certificates.push_back(recipients_[i].certificate);
    return Sealer({KeyType::Rsa3072, GetParam()}).seal(split_message(message).value(), certificates, additions);
  }

  static std::vector<Recipient> recipients_;
};
std::vector<Recipient> SealerTest::recipients_;

INSTANTIATE_TEST_SUITE_P(Ciphers, SealerTest, ::testing::Values(ContentCipher::Aes256Cbc, ContentCipher::Aes256Gcm),
                         [](const auto& info) { return info.param == ContentCipher::Aes256Gcm ? "Gcm" : "Cbc"; });

std::string mime_fields(ContentCipher cipher) {
  const std::string type = cipher == ContentCipher::Aes256Gcm ? "authEnveloped-data" : "enveloped-data";
  return "MIME-Version: 1.0\r\n"
         "Content-Type: application/pkcs7-mime; smime-type=" +
         type +
         ";\r\n\tname=\"smime.p7m\"\r\n"
         "Content-Disposition: attachment; filename=\"smime.p7m\"\r\n"
         "Content-Transfer-Encoding: base64\r\n";
}

/// The CMS version: INTEGER in (Auth)EnvelopedData.
int version_of(const std::string& cms) {
  auto info = read_der(cms).value().content;
  take_der(info);
  const auto data = read_der(read_der(info).value().content).value();
  return read_der(data.content).value().content.at(0);
}

CmsPtr parse(const std::string& cms) {
  const auto* at = reinterpret_cast<const unsigned char*>(cms.data());
  const auto* const end = at + cms.size();
  CmsPtr parsed(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(cms.size())));
  return at == end ? std::move(parsed) : nullptr;
}

std::string encode(CMS_ContentInfo* cms) {
  unsigned char* raw = nullptr;
  const int size = i2d_CMS_ContentInfo(cms, &raw);
  const std::unique_ptr<unsigned char, decltype([](unsigned char* memory) { OPENSSL_free(memory); })> owner(raw);
  return {reinterpret_cast<const char*>(raw), static_cast<std::size_t>(std::max(size, 0))};
}

TEST_P(SealerTest, EachOfManyOpensWithItsOwnKeyOnly) {
  const auto sealed = seal(text, {0, 1, 2, 3});
  ASSERT_TRUE(sealed) << sealed.error().internal_detail;
  ASSERT_EQ(sealed->heads().size(), 4U);
  EXPECT_EQ(sealed->contents().size(), 2U) << "one content per key type";
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t key = 0; key < 4; ++key) {
      const auto opened = openssl_decrypt(cms_of(*sealed, i), recipients_[key]);
      const std::string entity = "Content-Type: text/html\r\n\r\n<p>CANARY\r\n";
      EXPECT_EQ(opened == entity, i == key)
          << "message to " << recipients_[i].name << ", key of " << recipients_[key].name;
    }
  }
}

TEST_P(SealerTest, EachRecipientHasTheirOwnCipherAndNothingOfTheOthers) {
  const std::vector<std::size_t> who = {0, 1, 2, 3};
  std::vector<std::string> certificates;
  for (const auto i : who) certificates.push_back(recipients_[i].certificate);
  const auto other = GetParam() == ContentCipher::Aes256Cbc ? ContentCipher::Aes256Gcm : ContentCipher::Aes256Cbc;
  const std::array ciphers = {GetParam(), GetParam(), other, GetParam()};
  const Sealer sealer({KeyType::Rsa3072, other});
  const auto message = split_message(text).value();
  const auto sealed = sealer.seal(message, certificates, additions, ciphers);
  ASSERT_TRUE(sealed) << sealed.error().internal_detail;
  EXPECT_EQ(sealed->contents().size(), 3U) << "one for each key type and cipher";
  for (const auto i : who) {
    const auto alone = sealer.seal(message, {{certificates[i]}}, additions, {{ciphers[i]}});
    ASSERT_TRUE(alone);
    EXPECT_EQ(view(sealed->header_block()), view(alone->header_block()));
    EXPECT_EQ(sealed->contents()[sealed->heads()[i].content].mime_fields, mime_fields(ciphers[i]));
    const auto cms = cms_of(*sealed, i);
    EXPECT_EQ(version_of(cms), version_of(cms_of(*alone, 0)));
    EXPECT_NEAR(static_cast<double>(cms.size()), static_cast<double>(cms_of(*alone, 0).size()), 4)
        << "as long as for this recipient alone, but for the coding of a signature or point";
    EXPECT_EQ(openssl_decrypt(cms, recipients_[i]), "Content-Type: text/html\r\n\r\n<p>CANARY\r\n");
  }
  EXPECT_EQ(sealer.seal(message, certificates, additions, {{other}}).error().kind, ErrorKind::Internal);
}

TEST_P(SealerTest, HeaderBlockIsReceivedThenKeptFieldsThenWhatWasMissingThenMimeFields) {
  const auto sealed = seal(text, {0});
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->form(), SealedMessage::Form::Cms);
  EXPECT_EQ(view(sealed->header_block()),
            "Received: by relay\r\n"
            "From: a@example.com\r\n"
            "Subject: clear\r\n"
            "Message-ID: <1@relay>\r\n"
            "Date: now\r\n");
  EXPECT_EQ(sealed->contents().at(0).mime_fields, mime_fields(GetParam()));
}

TEST_P(SealerTest, NothingOfThePlaintextIsInTheResult) {
  const auto sealed = seal(text, {0, 1});
  ASSERT_TRUE(sealed);
  std::string all(view(sealed->header_block()));
  for (std::size_t i = 0; i < 2; ++i) all += cms_of(*sealed, i);
  EXPECT_THAT(all, Not(HasSubstr("CANARY")));
  EXPECT_THAT(all, Not(HasSubstr("hidden")));
  EXPECT_THAT(all, Not(HasSubstr("text/html")));
}

TEST_P(SealerTest, EachCmsHoldsOneRecipientByIssuerAndSerialNumberInDer) {
  const auto sealed = seal(text, {0, 1, 2, 3});
  ASSERT_TRUE(sealed);
  for (std::size_t i = 0; i < 4; ++i) {
    SCOPED_TRACE(recipients_[i].name);
    const auto cms = cms_of(*sealed, i);
    const auto parsed = parse(cms);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(encode(parsed.get()), cms) << "DER";
    const auto* infos = CMS_get0_RecipientInfos(parsed.get());
    ASSERT_EQ(sk_CMS_RecipientInfo_num(infos), 1);
    auto* info = sk_CMS_RecipientInfo_value(infos, 0);
    const bool rsa = i % 2 == 0;
    EXPECT_EQ(CMS_RecipientInfo_type(info), rsa ? CMS_RECIPINFO_TRANS : CMS_RECIPINFO_AGREE);
    const auto shown = test::run({"openssl", "cms", "-cmsout", "-noout", "-print", "-inform", "DER"}, cms).out;
    EXPECT_THAT(shown, HasSubstr("issuerAndSerialNumber"));
    EXPECT_THAT(shown, HasSubstr(rsa ? "algorithm: rsaEncryption" : "algorithm: dhSinglePass-stdDH-sha256kdf-scheme"));
    EXPECT_THAT(shown, HasSubstr(GetParam() == ContentCipher::Aes256Gcm ? "aes-256-gcm" : "aes-256-cbc"));
  }
}

/// A blind copy, of another key type above all, must not show in what the others get: not by version, not by size.
TEST_P(SealerTest, MessageToOneAloneAndToManyLooksTheSame) {
  const auto many = seal(text, {0, 1, 2, 3});
  ASSERT_TRUE(many);
  for (std::size_t i = 0; i < 4; ++i) {
    SCOPED_TRACE(recipients_[i].name);
    const auto alone = seal(text, {i});
    ASSERT_TRUE(alone);
    EXPECT_EQ(version_of(cms_of(*many, i)), version_of(cms_of(*alone, 0)));
    EXPECT_EQ(cms_of(*many, i).size(), cms_of(*alone, 0).size());
    EXPECT_EQ(view(many->header_block()), view(alone->header_block()));
    for (std::size_t other = 0; other < 4; ++other) {
      const bool named = cms_of(*many, i).find(recipients_[other].name) != std::string::npos;
      EXPECT_EQ(named, i == other) << "issuer of " << recipients_[other].name;
    }
  }
}

TEST_P(SealerTest, SameCertificateTwiceGivesTwoHeads) {
  const auto sealed = seal(text, {0, 0});
  ASSERT_TRUE(sealed);
  ASSERT_EQ(sealed->heads().size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_TRUE(openssl_decrypt(cms_of(*sealed, i), recipients_[0]));
}

struct BodyCase {
  std::string name;
  std::string body;
};

TEST_P(SealerTest, BodiesOfEverySizeArriveOctetForOctet) {
  std::string all;
  for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
  std::string large;
  while (large.size() < 5U << 20U) large += all;
  const std::array<BodyCase, 6> bodies = {BodyCase{"empty", ""},
                                          {"one octet", "x"},
                                          {"every octet", all},
                                          {"long 8-bit line", std::string(70'000, '\xe4') + "\r\n"},
                                          {"bare line ends", "a\nb\rc\r\r\nd\0e"s},
                                          {"megabytes", large}};
  for (const auto& [name, body] : bodies) {
    SCOPED_TRACE(name);
    const auto sealed = seal("Subject: x\r\n\r\n" + body, {0, 1});
    ASSERT_TRUE(sealed);
    for (std::size_t i = 0; i < 2; ++i) {
      const auto opened = openssl_decrypt(cms_of(*sealed, i), recipients_[i]);
      // Not EXPECT_EQ: a failure would print megabytes.
      EXPECT_TRUE(opened == "Content-Type: text/plain\r\n\r\n" + body) << recipients_[i].name;
    }
  }
}

TEST_P(SealerTest, SealingTwiceGivesDifferentCiphertexts) {
  const auto first = seal(text, {0});
  const auto second = seal(text, {0});
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->contents().front().octets, second->contents().front().octets);
  EXPECT_NE(first->heads().front().der, second->heads().front().der);
}

/// Not a key that the relay makes, but recipients bring certificates of their own.
TEST_P(SealerTest, P384OpensInOpenssl) {
  const PkeyPtr key(EVP_EC_gen("P-384"));
  const std::string certificate = test::self_signed("ec large", key.get());
  const auto sealed =
      Sealer({KeyType::Rsa3072, GetParam()}).seal(split_message(text).value(), {{certificate}}, additions);
  ASSERT_TRUE(sealed) << sealed.error().internal_detail;
  const auto cms = cms_of(*sealed, 0);
  const auto shown = test::run({"openssl", "cms", "-cmsout", "-noout", "-print", "-inform", "DER"}, cms).out;
  EXPECT_THAT(shown, HasSubstr("dhSinglePass-stdDH-sha256kdf-scheme"));
  const Recipient recipient{"ec large", PkeyPtr(EVP_PKEY_dup(key.get())), certificate};
  EXPECT_EQ(openssl_decrypt(cms, recipient), "Content-Type: text/html\r\n\r\n<p>CANARY\r\n");
}

TEST_P(SealerTest, NobodyToSealToIsAnError) {
  const auto sealed = seal(text, {});
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().kind, ErrorKind::Internal);
}

TEST_P(SealerTest, OuterLineThatCannotBeFoldedIsRefusedForGood) {
  const auto sealed = seal("Subject:" + std::string(2000, 'x') + "\r\n\r\nbody", {0});
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().kind, ErrorKind::Permanent);
}

TEST_P(SealerTest, OneBadCertificateAmongGoodOnesSealsNothing) {
  const std::vector<std::string> certificates = {recipients_[0].certificate, "garbage", recipients_[1].certificate};
  const auto sealed = Sealer({KeyType::Rsa3072, GetParam()}).seal(split_message(text).value(), certificates, additions);
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().kind, ErrorKind::Permanent);
}

TEST_P(SealerTest, PlaintextNeverPassesThrough) {
  const auto message = split_message(text).value();
  const auto passed = Sealer({KeyType::Rsa3072, GetParam()}).pass_through(message, 1, additions);
  ASSERT_FALSE(passed);
  EXPECT_EQ(passed.error().kind, ErrorKind::Invalid);
}

TEST_P(SealerTest, WhatIsSealedPassesThroughAsItIsForEveryRecipient) {
  const auto sealed = seal(text, {0});
  ASSERT_TRUE(sealed);
  const auto pem = test::run({"openssl", "base64"}, cms_of(*sealed, 0)).out;
  std::string body;
  for (const char c : pem) body += c == '\n' ? "\r\n"s : std::string(1, c);
  const std::string header = std::string(view(sealed->header_block())) + sealed->contents().front().mime_fields;
  const std::string again = header + "\r\n" + body;
  const auto message = split_message(again).value();
  const Sealer sealer({KeyType::Rsa3072, GetParam()});
  const auto passed = sealer.pass_through(message, 3, {"Received: by next\r\n", ""});
  ASSERT_TRUE(passed) << passed.error().public_text;
  EXPECT_EQ(passed->form(), SealedMessage::Form::Verbatim);
  EXPECT_EQ(view(passed->header_block()), "Received: by next\r\n" + header);
  ASSERT_EQ(passed->contents().size(), 1U);
  EXPECT_EQ(passed->contents().front().octets, body);
  EXPECT_EQ(passed->heads().size(), 3U);
  EXPECT_FALSE(sealer.pass_through(message, 0, {})) << "for nobody";
}

}  // namespace
}  // namespace sealpost
