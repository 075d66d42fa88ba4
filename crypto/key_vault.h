// SPDX-License-Identifier: Apache-2.0
// The only class that touches private keys: makes pairs, keeps the pool, binds a pair to an address with a certificate of the issuing CA, and
// opens a pair for pickup as PKCS#12. Private keys leave it only inside a PKCS#12.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/email_address.h"
#include "base/log.h"
#include "base/random.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/wrapper.h"
#include "conf/settings.h"

namespace sealpost {

class CertificateAuthority;

/// A pair bound to an address, ready to be stored: the private key only wrapped (context: address and fingerprint).
struct BoundPair {
  std::string certificate;  ///< DER
  std::string fingerprint;
  std::string wrapped_key;
  std::string placeholder;  ///< pool-ULID@pool.invalid when it came from the pool
  std::string pool_entry;   ///< the wrapped pool entry, to push back when another assignment won; empty when fresh
};

enum class Pkcs12Format { Modern, Compatible };

/// A file that the recipient imports, and the password that opens it.
struct Pkcs12File {
  WipedBuffer octets;
  Secret password;
};

class KeyVault final {
 public:
  KeyVault(redis::Client& redis, Wrapper& wrapper, CertificateAuthority& authority, const Clock& clock, Random& random,
           CryptoSettings settings, Log& log);

  /// Takes a pair from the pool, or generates one when the pool is empty, and certifies it for the address.
  Result<BoundPair> bind(const EmailAddress& address);
  /// Returns a pair that bind() took from the pool and that was not used after all.
  Status give_back(const BoundPair& pair);
  /// Generates one pair under a placeholder address and puts it into the pool.
  Status add_to_pool();
  Result<std::size_t> pool_stock();

  /// Key, certificate, issuing and root CA. A password of the recipient's own is for Modern only (12 characters or more);
  /// without one a random password of at least 80 bits is made.
  Result<Pkcs12File> export_pkcs12(const std::string& address_key, const std::string& fingerprint,
                                   const std::string& certificate_der, const std::string& wrapped_key,
                                   Pkcs12Format format, std::optional<Secret> password);

 private:
  redis::Client& redis_;
  Wrapper& wrapper_;
  CertificateAuthority& authority_;
  const Clock& clock_;
  Random& random_;
  CryptoSettings settings_;
  Log& log_;
};

}  // namespace sealpost
