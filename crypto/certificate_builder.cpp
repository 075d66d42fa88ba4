// SPDX-License-Identifier: Apache-2.0
// Implements certificate_builder.h.
#include "crypto/certificate_builder.h"

#include <array>

#include "crypto/certificate.h"

namespace sealpost {
namespace {

constexpr long x509_version_3 = 2;

time_t seconds(Time time) { return static_cast<time_t>(to_milliseconds(time) / 1000); }

bool add_name(X509_NAME* name, int nid, const std::string& text) {
  return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

}  // namespace

CertificateBuilder& CertificateBuilder::note(bool done) {
  if (good_ && !done) errors_ = openssl_errors();
  good_ = good_ && done;
  return *this;
}

CertificateBuilder& CertificateBuilder::serial(Random& random) {
  std::array<unsigned char, 16> octets{};
  random.fill(octets);
  octets[0] &= 0x7fU;  // positive (RFC 5280 section 4.1.2.2)
  const BignumPtr number(BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr));
  // Without a place OpenSSL would make a number of its own, and the certificate would keep serial 0.
  ASN1_INTEGER* place = certificate_ ? X509_get_serialNumber(certificate_.get()) : nullptr;
  return note(number && place != nullptr && BN_to_ASN1_INTEGER(number.get(), place) != nullptr);
}

CertificateBuilder& CertificateBuilder::validity(Time not_before, Time not_after) {
  return note(certificate_ && ASN1_TIME_set(X509_getm_notBefore(certificate_.get()), seconds(not_before)) != nullptr &&
              ASN1_TIME_set(X509_getm_notAfter(certificate_.get()), seconds(not_after)) != nullptr);
}

CertificateBuilder& CertificateBuilder::subject(const std::string& common_name, const std::string& organisation) {
  if (!certificate_) return note(false);
  X509_NAME* name = X509_get_subject_name(certificate_.get());
  if (!organisation.empty()) note(add_name(name, NID_organizationName, organisation));
  if (!common_name.empty()) note(add_name(name, NID_commonName, common_name));
  return *this;
}

CertificateBuilder& CertificateBuilder::extension(int nid, const char* value) {
  if (!certificate_) return note(false);
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer_ != nullptr ? issuer_ : certificate_.get(), certificate_.get(), nullptr, nullptr, 0);
  X509V3_set_ctx_nodb(&context);
  const X509ExtensionPtr made(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return note(made && X509_add_ext(certificate_.get(), made.get(), -1) == 1);
}

CertificateBuilder& CertificateBuilder::extension_der(int nid, bool critical, const std::string& der) {
  if (!certificate_) return note(false);
  const auto added = add_extension(certificate_.get(), nid, critical, der);
  if (good_ && !added) errors_ = added.error().internal_detail;
  good_ = good_ && added.ok();
  return *this;
}

Result<std::string> CertificateBuilder::sign(EVP_PKEY* issuer_key) {
  X509* made = certificate_.get();
  note(made != nullptr && X509_set_version(made, x509_version_3) == 1 && X509_set_pubkey(made, subject_key_) == 1 &&
       X509_set_issuer_name(made, X509_get_subject_name(issuer_ != nullptr ? issuer_ : made)) == 1);
  extension(NID_subject_key_identifier, "hash");
  extension(NID_authority_key_identifier, "keyid:always");
  note(made != nullptr && X509_sign(made, issuer_key, EVP_sha256()) > 0);
  if (!good_) return Error::internal("certificate: " + errors_);
  return to_der(made);
}

}  // namespace sealpost
