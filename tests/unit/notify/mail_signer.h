// SPDX-License-Identifier: Apache-2.0
// A relay's signature without a Redis: a root, an issuing CA and a signer, P-256 or RSA-2048, as the real ones are
// made.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "crypto/certificate.h"
#include "crypto/certificate_builder.h"
#include "crypto/cms_sign.h"
#include "crypto/private_key.h"
#include "notify/mail_composer.h"

namespace sealpost::test {

class MailSigner final {
 public:
  explicit MailSigner(KeyType type)
      : root_key_(generate_key(KeyType::Rsa2048).value()),
        issuing_key_(generate_key(KeyType::Rsa2048).value()),
        key_(generate_key(type).value()) {
    root_ = made(CertificateBuilder(root_key_.get(), nullptr), "Root", root_key_.get(), true);
    issuing_ = made(CertificateBuilder(issuing_key_.get(), root_.get()), "Issuing", root_key_.get(), true);
    signer_ = made(CertificateBuilder(key_.get(), issuing_.get()), "Relay", issuing_key_.get(), false);
  }

  [[nodiscard]] SignDetached sign() const {
    return [this](std::string_view content) {
      return sign_detached(content, {signer_.get(), key_.get(), {issuing_.get()}}, SystemClock().now());
    };
  }
  [[nodiscard]] X509* root() const { return root_.get(); }

 private:
  static X509Ptr made(CertificateBuilder builder, const std::string& name, EVP_PKEY* issuer_key, bool ca) {
    SystemRandom random;
    const Time now = SystemClock().now();
    builder.serial(random).validity(now - std::chrono::hours(1), now + std::chrono::hours(24 * 365)).subject(name);
    builder.extension(NID_basic_constraints, ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    builder.extension(NID_key_usage, ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
    if (!ca) {
      builder.extension(NID_ext_key_usage, "emailProtection")
          .extension(NID_subject_alt_name, "email:relay@example.org");
    }
    return parse_certificate(builder.sign(issuer_key).value()).value();
  }

  PkeyPtr root_key_;
  PkeyPtr issuing_key_;
  PkeyPtr key_;
  X509Ptr root_;
  X509Ptr issuing_;
  X509Ptr signer_;
};

inline const MailSigner& signer(KeyType type = KeyType::P256) {
  if (type == KeyType::P256) {
    static const MailSigner p256(KeyType::P256);
    return p256;
  }
  static const MailSigner rsa(KeyType::Rsa2048);
  return rsa;
}

}  // namespace sealpost::test
