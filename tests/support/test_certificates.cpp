// SPDX-License-Identifier: Apache-2.0
// Implements test_certificates.h with OpenSSL.
#include "tests/support/test_certificates.h"

#include <openssl/pem.h>

#include <cstdlib>
#include <stdexcept>

#include "base/openssl.h"

namespace sealpost::test {
namespace {

constexpr long day = 24 * 3600;

/// A certificate with its key.
struct Pair {
  PkeyPtr key;
  X509Ptr certificate;
};

struct Wanted {
  std::string name;         ///< common name
  std::string alternative;  ///< SAN, as in openssl's configuration; empty for a CA
  long begins = -day;       ///< from now, seconds
  long ends = 30 * day;
};

void add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const X509ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) throw std::runtime_error("extension " + value);
}

/// Signed by `issuer`, or by itself.
Pair make(const Wanted& wanted, const Pair* issuer) {
  static long serial = 1;
  Pair made{PkeyPtr(EVP_EC_gen("P-256")), X509Ptr(X509_new())};
  X509* const certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), wanted.begins);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wanted.ends);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(wanted.name.c_str()), -1, -1, 0);
  const Pair& signer = issuer != nullptr ? *issuer : made;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate.get()));
  add_extension(certificate, NID_basic_constraints, wanted.alternative.empty() ? "critical,CA:TRUE" : "CA:FALSE");
  if (!wanted.alternative.empty()) add_extension(certificate, NID_subject_alt_name, wanted.alternative);
  if (X509_sign(certificate, signer.key.get(), EVP_sha256()) == 0) throw std::runtime_error("X509_sign");
  return made;
}

std::string to_pem(const Pair& pair) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey(out.get(), pair.key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_X509(out.get(), pair.certificate.get()) != 1) {
    throw std::runtime_error("PEM");
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

const TestCertificates& TestCertificates::get() {
  static const TestCertificates made;
  return made;
}

TestCertificates::TestCertificates() {
  const std::string here = "DNS:localhost,DNS:*.host.example.com,IP:127.0.0.1";
  const Pair ca = make({"Test CA", {}}, nullptr);
  static_cast<void>(dir_.write("ca.pem", to_pem(ca)));
  static_cast<void>(dir_.write("good.pem", to_pem(make({"localhost", here}, &ca))));
  static_cast<void>(dir_.write("expired.pem", to_pem(make({"localhost", here, -2 * day, -day}, &ca))));
  static_cast<void>(dir_.write("foreign.pem", to_pem(make({"another.example", "DNS:another.example"}, &ca))));
  static_cast<void>(dir_.write("self_signed.pem", to_pem(make({"localhost", here}, nullptr))));
  setenv("SSL_CERT_FILE", this->ca().c_str(), 1);
}

}  // namespace sealpost::test
