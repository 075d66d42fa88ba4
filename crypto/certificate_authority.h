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

namespace sealpost {

/// Immutable after open(), hence safe from any thread. RSA-3072 keys: a signature costs 1.8 ms against RSA-2048's 0.25
/// ms, but one falls due per assigned pair only, and these keys outlive every certificate under them (112 bits are
/// advised until 2030).
class CertificateAuthority final {
 public:
  /// Loads the CA, or makes it at the very first start; of several nodes that start at once, all end with the same one.
  static Result<CertificateAuthority> open(redis::Client& redis, Wrapper& wrapper, const Clock& clock, Random& random,
                                           Log& log, KeyType key_type = KeyType::Rsa3072);
  /// Loads it; NotFound when no daemon has made one yet.
  static Result<CertificateAuthority> load(redis::Client& redis, Wrapper& wrapper, const Clock& clock, Random& random);

  /// A certificate for the address over the key's public half, in DER. Invalid for an address that cannot stand in one.
  Result<std::string> issue(const EmailAddress& address, EVP_PKEY* key);
  /// Issuing CA, then root, in PEM.
  Result<std::string> pem() const;
  /// Issuing CA, then root, in DER.
  [[nodiscard]] std::vector<std::string> chain() const { return {issuing_der_, root_der_}; }
  [[nodiscard]] X509* root() const { return root_.get(); }
  [[nodiscard]] X509* issuing() const { return issuing_.get(); }

 private:
  CertificateAuthority(const Clock& clock, Random& random) : clock_(clock), random_(random) {}
  static Result<std::string> make(Wrapper& wrapper, const Clock& clock, Random& random, KeyType key_type);
  static Result<CertificateAuthority> from_store(std::string_view stored, Wrapper& wrapper, const Clock& clock,
                                                 Random& random);

  const Clock& clock_;
  Random& random_;
  std::string root_der_;
  std::string issuing_der_;
  X509Ptr root_;
  X509Ptr issuing_;
  PkeyPtr issuing_key_;
};

}  // namespace sealpost
