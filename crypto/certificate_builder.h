// SPDX-License-Identifier: Apache-2.0
// Builds and signs one X.509 v3 certificate (RFC 5280). Who may have which certificate is the certificate authority's
// decision.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/openssl.h"
#include "base/random.h"
#include "base/result.h"

namespace sealpost {

class CertificateBuilder final {
 public:
  /// Issuer null: self-signed.
  CertificateBuilder(EVP_PKEY* subject_key, X509* issuer) : subject_key_(subject_key), issuer_(issuer) {}

  /// Each step does nothing after one that failed; sign() tells.
  CertificateBuilder& serial(Random& random);
  CertificateBuilder& validity(Time not_before, Time not_after);
  /// Common name of at most 64 characters (RFC 5280, ub-common-name); empty: an empty subject.
  CertificateBuilder& subject(const std::string& common_name, const std::string& organisation = {});
  /// In the syntax of OpenSSL's x509v3_config(5); for constants only.
  CertificateBuilder& extension(int nid, const char* value);
  CertificateBuilder& extension_der(int nid, bool critical, const std::string& der);
  /// Adds key identifiers, signs with SHA-256 and returns DER.
  Result<std::string> sign(EVP_PKEY* issuer_key);

 private:
  CertificateBuilder& note(bool done);
  EVP_PKEY* subject_key_;
  X509* issuer_;
  X509Ptr certificate_{X509_new()};
  bool good_ = true;
  std::string errors_;
};

}  // namespace sealpost
