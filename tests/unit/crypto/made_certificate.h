// SPDX-License-Identifier: Apache-2.0
// Certificates as others might make them, good ones and every kind of bad one, in the shapes in which people upload
// them.
#pragma once

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <memory>
#include <string>
#include <vector>

#include "base/openssl.h"
#include "crypto/certificate.h"
#include "crypto/private_key.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace sealpost::test {

constexpr long day_seconds = 86'400;

struct Made {
  PkeyPtr key;
  X509Ptr certificate;
  [[nodiscard]] std::string der() const { return to_der(certificate.get()).value(); }
  [[nodiscard]] std::string pem() const { return to_pem(certificate.get()).value(); }
};

/// Values of extensions in the syntax of x509v3_config(5); empty: none.
struct Wanted {
  std::string subject = "Bob";
  std::string subject_address = {};
  std::string alternative = "email:bob@example.com";
  std::string alternative_der = {};  ///< instead of it
  std::string basic = "critical,CA:FALSE";
  std::string usage = {};
  std::string extended = {};
  std::string unknown_oid = {};  ///< a critical extension of that name
  long begins = -day_seconds;    ///< from `at`
  long ends = 30 * day_seconds;
  const EVP_MD* digest = EVP_sha256();
};

inline PkeyPtr rsa_key(unsigned bits) { return PkeyPtr(EVP_RSA_gen(bits)); }
inline PkeyPtr ec_key(const char* curve) { return PkeyPtr(EVP_EC_gen(curve)); }

inline void extend(X509* certificate, int kind, const std::string& value) {
  if (value.empty()) return;
  const X509ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) ADD_FAILURE() << openssl_errors();
}

inline void extend_unknown(X509* certificate, const std::string& oid) {
  if (oid.empty()) return;
  const OpenSslPtr<ASN1_OBJECT, ASN1_OBJECT_free> object(OBJ_txt2obj(oid.c_str(), 1));
  const OpenSslPtr<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> value(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(value.get(), reinterpret_cast<const unsigned char*>("\x05"), 1);
  const X509ExtensionPtr extension(X509_EXTENSION_create_by_OBJ(nullptr, object.get(), 1, value.get()));
  X509_add_ext(certificate, extension.get(), -1);
}

inline void name(X509_NAME* subject, const char* field, const std::string& value) {
  if (value.empty()) return;
  X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                             static_cast<int>(value.size()), -1, 0);
}

/// Signed by `issuer`, or by itself.
inline Made make_certificate(PkeyPtr key, const Wanted& wanted, time_t at, const Made* issuer = nullptr) {
  static long serial = 1;
  Made made{std::move(key), X509Ptr(X509_new())};
  X509* const certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  ASN1_TIME_set(X509_getm_notBefore(certificate), at + wanted.begins);
  ASN1_TIME_set(X509_getm_notAfter(certificate), at + wanted.ends);
  X509_set_pubkey(certificate, made.key.get());
  name(X509_get_subject_name(certificate), "CN", wanted.subject);
  name(X509_get_subject_name(certificate), "emailAddress", wanted.subject_address);
  const Made& signer = issuer != nullptr ? *issuer : made;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate.get()));
  extend(certificate, NID_basic_constraints, wanted.basic);
  extend(certificate, NID_key_usage, wanted.usage);
  extend(certificate, NID_ext_key_usage, wanted.extended);
  extend_unknown(certificate, wanted.unknown_oid);
  if (!wanted.alternative_der.empty()) {
    EXPECT_TRUE(add_extension(certificate, NID_subject_alt_name, false, wanted.alternative_der));
  } else {
    extend(certificate, NID_subject_alt_name, wanted.alternative);
  }
  EXPECT_GT(X509_sign(certificate, signer.key.get(), wanted.digest), 0) << openssl_errors();
  return made;
}

inline Made make_ca(const std::string& subject, time_t at, const Made* issuer = nullptr,
                    const EVP_MD* digest = EVP_sha256(), PkeyPtr key = ec_key("P-256")) {
  Wanted wanted;
  wanted.subject = subject;
  wanted.alternative.clear();
  wanted.basic = "critical,CA:TRUE";
  wanted.usage = "critical,keyCertSign,cRLSign";
  wanted.digest = digest;
  return make_certificate(std::move(key), wanted, at, issuer);
}

/// A PKCS#7 bundle of the certificates, by the real openssl.
inline std::string pkcs7_of(const std::vector<std::string>& pems, const std::string& form) {
  const TempDir dir;
  std::vector<std::string> argv = {"openssl", "crl2pkcs7", "-nocrl", "-outform", form};
  for (std::size_t i = 0; i < pems.size(); ++i) {
    argv.insert(argv.end(), {"-certfile", dir.write(std::to_string(i) + ".pem", pems[i])});
  }
  const auto made = run(argv);
  EXPECT_EQ(made.status, 0) << made.err;
  return made.out;
}

/// The private key in one of the shapes that `openssl pkey` and its older sisters write.
inline std::string private_key_as(EVP_PKEY* key, const std::vector<std::string>& command) {
  const TempDir dir;
  const auto der = to_der(key).value();
  auto argv = command;
  argv.insert(argv.end(), {"-inform", "DER", "-in", dir.write("key.der", std::string(view(der)))});
  const auto made = run(argv);
  EXPECT_EQ(made.status, 0) << made.err;
  return made.out;
}

}  // namespace sealpost::test
