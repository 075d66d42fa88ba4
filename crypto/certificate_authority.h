// SPDX-License-Identifier: Apache-2.0
// The relay's own root and issuing CA: made once for all nodes, kept in Redis with wrapped keys, and the certificates
// that they issue to recipients.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/email_address.h"
#include "base/log.h"
#include "base/openssl.h"
#include "base/random.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/wrapper.h"
#include "conf/settings.h"
#include "crypto/revocation_list.h"

namespace sealpost {

struct CertificateAuthorityOptions {
  KeyType key_type = KeyType::Rsa3072;  ///< of a CA that is made
  std::string crl_url = {};  ///< named in recipients' certificates; empty: none is published where readers find it
};

/// Immutable after open(), hence safe from any thread. RSA-3072 keys: a signature costs 1.8 ms against RSA-2048's 0.25
/// ms, but one falls due per assigned pair only, and these keys outlive every certificate under them (112 bits are
/// advised until 2030).
class CertificateAuthority final {
 public:
  /// Loads the CA, or makes it at the very first start; of several nodes that start at once, all end with the same one.
  static Result<CertificateAuthority> open(redis::Client& redis, Wrapper& wrapper, const Clock& clock, Random& random,
                                           Log& log, const CertificateAuthorityOptions& options = {});
  /// Loads it; NotFound when no daemon has made one yet.
  static Result<CertificateAuthority> load(redis::Client& redis, Wrapper& wrapper, const Clock& clock, Random& random,
                                           std::string crl_url = {});

  /// A certificate for the address over the key's public half, in DER. Invalid for an address that cannot stand in one.
  Result<std::string> issue(const EmailAddress& address, EVP_PKEY* key);
  /// The same for who only signs mail. It names no revocation list: each reader of a notification would wait for it.
  Result<std::string> issue_signer(const EmailAddress& address, EVP_PKEY* key);
  /// The issuing CA's revocation list of now, in DER; number and errors as for make_revocation_list().
  Result<std::string> revocation_list(const std::vector<RevokedCertificate>& revoked, std::int64_t number) const;
  /// Issuing CA, then root, in PEM.
  Result<std::string> pem() const;
  /// Issuing CA, then root, in DER.
  [[nodiscard]] std::vector<std::string> chain() const { return {issuing_der_, root_der_}; }
  [[nodiscard]] X509* root() const { return root_.get(); }
  [[nodiscard]] X509* issuing() const { return issuing_.get(); }

 private:
  CertificateAuthority(const Clock& clock, Random& random, std::string crl_url)
      : clock_(clock), random_(random), crl_url_(std::move(crl_url)) {}
  static Result<std::string> make(Wrapper& wrapper, const Clock& clock, Random& random, KeyType key_type);
  static Result<CertificateAuthority> from_store(std::string_view stored, Wrapper& wrapper, const Clock& clock,
                                                 Random& random, std::string crl_url);

  enum class Revocable { No, Yes };
  /// `key_usage` in the syntax of x509v3_config(5).
  Result<std::string> certify(const EmailAddress& address, EVP_PKEY* key, const char* key_usage, Revocable revocable);

  const Clock& clock_;
  Random& random_;
  std::string crl_url_;
  std::string root_der_;
  std::string issuing_der_;
  X509Ptr root_;
  X509Ptr issuing_;
  PkeyPtr issuing_key_;
};

}  // namespace sealpost
