// SPDX-License-Identifier: Apache-2.0
// Keys that nothing is ever encrypted to, whoever certified them, and those that are good enough.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <array>
#include <functional>
#include <ostream>

#include "crypto/cms_seal.h"
#include "crypto/sealer.h"
#include "tests/unit/crypto/seal_fixture.h"

namespace sealpost {
namespace {

using ParamBuilderPtr = OpenSslPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using ParamsPtr = OpenSslPtr<OSSL_PARAM, OSSL_PARAM_free>;

PkeyPtr rsa_from(const BIGNUM* modulus, unsigned long exponent) {
  const BignumPtr e(BN_new());
  BN_set_word(e.get(), exponent);
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context.get());
  EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get());
  return PkeyPtr(key);
}

PkeyPtr rsa(unsigned bits) { return PkeyPtr(EVP_RSA_gen(bits)); }

/// A sound key's modulus, with an exponent of choice.
PkeyPtr rsa_with_exponent(unsigned long exponent) {
  const auto sound = rsa(2048);
  BIGNUM* raw = nullptr;
  EVP_PKEY_get_bn_param(sound.get(), OSSL_PKEY_PARAM_RSA_N, &raw);
  const BignumPtr modulus(raw);
  return rsa_from(modulus.get(), exponent);
}

/// A number of that size, odd as a modulus must be, without the minutes that finding its primes would take.
PkeyPtr rsa_of_random_modulus(int bits) {
  const BignumPtr modulus(BN_new());
  BN_rand(modulus.get(), bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
  return rsa_from(modulus.get(), 65537);
}

PkeyPtr rsa_of_even_modulus() {
  const BignumPtr modulus(BN_new());
  BN_rand(modulus.get(), 2047, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
  BN_lshift1(modulus.get(), modulus.get());
  return rsa_from(modulus.get(), 65537);
}

PkeyPtr ec(const char* curve) { return PkeyPtr(EVP_EC_gen(curve)); }

PkeyPtr of_type(const char* name) {
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, name, nullptr));
  EVP_PKEY* key = nullptr;
  EVP_PKEY_keygen_init(context.get());
  if (std::string(name) == "RSA-PSS") EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048);
  EVP_PKEY_generate(context.get(), &key);
  return PkeyPtr(key);
}

/// Certified by another key, as some CA might.
std::string certified(EVP_PKEY* key) {
  const auto signer = ec("P-256");
  SystemRandom random;
  const Time now = SystemClock().now();
  return CertificateBuilder(key, nullptr)
      .serial(random)
      .validity(now, now + std::chrono::hours(1))
      .subject("somebody")
      .sign(signer.get())
      .value();
}

/// The certificate of a sound P-256 key whose point was moved off the curve.
std::string off_the_curve(const std::string& certificate) {
  const auto parsed = usable_certificate(certificate);
  const auto* bits = X509_get0_pubkey_bitstr(parsed->certificate.get());
  const std::string point(reinterpret_cast<const char*>(bits->data), static_cast<std::size_t>(bits->length));
  std::string moved = certificate;
  moved[certificate.find(point) + point.size() - 1] ^= 1;
  return moved;
}

struct CertificateCase {
  std::string name;
  std::function<std::string()> certificate;
};
void PrintTo(const CertificateCase& value, std::ostream* out) { *out << value.name; }
std::string case_name(const ::testing::TestParamInfo<CertificateCase>& info) { return info.param.name; }

std::function<std::string()> key_case(std::function<PkeyPtr()> make) {
  return [make = std::move(make)] { return certified(make().get()); };
}

class UnusableCertificate : public ::testing::TestWithParam<CertificateCase> {};

TEST_P(UnusableCertificate, IsRefusedForGoodAndSealsNothing) {
  const auto certificate = GetParam().certificate();
  const auto usable = usable_certificate(certificate);
  ASSERT_FALSE(usable);
  EXPECT_EQ(usable.error().kind, ErrorKind::Permanent);
  EXPECT_NE(usable.error().public_text.find("recipient's"), std::string::npos) << usable.error().public_text;
  const auto message = split_message("Subject: x\r\n\r\nbody").value();
  for (const auto cipher : {ContentCipher::Aes256Cbc, ContentCipher::Aes256Gcm}) {
    const auto sealed = Sealer({KeyType::Rsa3072, cipher}).seal(message, {{certificate}}, {});
    ASSERT_FALSE(sealed);
    EXPECT_EQ(sealed.error().kind, ErrorKind::Permanent);
  }
  EXPECT_EQ(ERR_peek_error(), 0U) << "nothing is left behind for the thread's next call";
}

INSTANTIATE_TEST_SUITE_P(
    Keys, UnusableCertificate,
    ::testing::Values(CertificateCase{"RsaExponentOne", key_case([] { return rsa_with_exponent(1); })},
                      CertificateCase{"RsaEvenExponent", key_case([] { return rsa_with_exponent(65536); })},
                      CertificateCase{"RsaEvenModulus", key_case(rsa_of_even_modulus)},
                      CertificateCase{"Rsa1024", key_case([] { return rsa(1024); })},
                      CertificateCase{"Rsa2047", key_case([] { return rsa_of_random_modulus(2047); })},
                      CertificateCase{"Rsa8193", key_case([] { return rsa_of_random_modulus(8193); })},
                      CertificateCase{"Rsa16384", key_case([] { return rsa_of_random_modulus(16384); })},
                      CertificateCase{"RsaPss", key_case([] { return of_type("RSA-PSS"); })},
                      CertificateCase{"Secp256k1", key_case([] { return ec("secp256k1"); })},
                      CertificateCase{"P224", key_case([] { return ec("P-224"); })},
                      CertificateCase{"P521", key_case([] { return ec("P-521"); })},
                      CertificateCase{"BrainpoolP256", key_case([] { return ec("brainpoolP256r1"); })},
                      CertificateCase{"Ed25519", key_case([] { return of_type("ED25519"); })},
                      CertificateCase{"X25519", key_case([] { return of_type("X25519"); })},
                      CertificateCase{"PointOffTheCurve", [] { return off_the_curve(certified(ec("P-256").get())); }},
                      CertificateCase{"Empty", [] { return std::string(); }},
                      CertificateCase{"Garbage", [] { return std::string("no certificate"); }},
                      CertificateCase{"Truncated",
                                      [] {
                                        const auto certificate = certified(ec("P-256").get());
                                        return certificate.substr(0, certificate.size() - 1);
                                      }},
                      CertificateCase{"SomethingBehindIt", [] { return certified(ec("P-256").get()) + "x"; }}),
    case_name);

class UsableCertificate : public ::testing::TestWithParam<CertificateCase> {};

TEST_P(UsableCertificate, IsTakenAgainAndAgain) {
  const auto certificate = GetParam().certificate();
  for (int i = 0; i < 2; ++i) {  // the second time from memory
    const auto usable = usable_certificate(certificate);
    ASSERT_TRUE(usable) << usable.error().public_text << usable.error().internal_detail;
    EXPECT_EQ(usable->kind, GetParam().name.starts_with("Rsa") ? KeyKind::Rsa : KeyKind::Ec);
  }
}

INSTANTIATE_TEST_SUITE_P(Keys, UsableCertificate,
                         ::testing::Values(CertificateCase{"Rsa2048", key_case([] { return rsa(2048); })},
                                           CertificateCase{"Rsa3072", key_case([] { return rsa(3072); })},
                                           CertificateCase{"EcP256", key_case([] { return ec("P-256"); })},
                                           CertificateCase{"EcP384", key_case([] { return ec("P-384"); })}),
                         case_name);

TEST(UsableCertificateSize, LargerOnesSealNothing) {
  EXPECT_EQ(usable_certificate(std::string(max_certificate_octets + 1, '\x30')).error().public_text,
            "the recipient's certificate is too large");
}

TEST(EncryptAndCut, KeysOfTwoKindsAreNeverInOneStructure) {
  const auto first = usable_certificate(certified(rsa(2048).get())).value();
  const auto second = usable_certificate(certified(ec("P-256").get())).value();
  constexpr std::array<std::string_view, 1> text = {"text"};
  const std::vector<X509*> both = {first.certificate.get(), second.certificate.get()};
  for (const auto kind : {KeyKind::Rsa, KeyKind::Ec}) {
    const auto cut = encrypt_and_cut(text, kind, both, ContentCipher::Aes256Cbc);
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().kind, ErrorKind::Internal);
  }
  EXPECT_FALSE(encrypt_and_cut(text, KeyKind::Rsa, {}, ContentCipher::Aes256Cbc)) << "for nobody";
}

}  // namespace
}  // namespace sealpost
