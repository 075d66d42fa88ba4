// SPDX-License-Identifier: Apache-2.0
// The only class that touches recipients' private keys: makes pairs, keeps the pool, binds a pair to an address with a
// certificate of the issuing CA, and opens a pair for pickup as PKCS#12. Private keys leave it only inside a PKCS#12.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/email_address.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/openssl.h"
#include "base/random.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/wrapper.h"
#include "conf/settings.h"
#include "crypto/pkcs12.h"

namespace sealpost {

class CertificateAuthority;

/// Binds a wrapped private key to the address and the pair that it belongs to: a blob moved to another entry does not
/// open.
std::string private_key_context(std::string_view address_key, std::string_view fingerprint);

/// A pair bound to an address, ready to be stored: the private key only wrapped (context: address and fingerprint).
struct BoundPair {
  std::string certificate;  ///< DER
  std::string fingerprint;
  std::string wrapped_key;
  std::string placeholder;  ///< pool-ULID@pool.invalid when it came from the pool
  std::string pool_entry;   ///< the wrapped pool entry, to push back when another assignment won; empty when fresh
  KeyType key_type = KeyType::Rsa3072;
};

/// How long a pair of each type takes to make.
using GenerationTimes = std::map<KeyType, metrics::Timing>;

/// Pairs that are ready in the pool of that type.
Result<std::size_t> pool_stock(redis::Client& redis, KeyType type);

class KeyVault final {
 public:
  KeyVault(redis::Client& redis, Wrapper& wrapper, CertificateAuthority& authority, const Clock& clock, Random& random,
           CryptoSettings settings, Log& log, RecipientDomains domains = {}, GenerationTimes times = {});

  /// Takes a pair from the pool, or generates one when the pool is empty, and certifies it for the address. Each key
  /// type has a pool of its own, and that of crypto.key_type alone is refilled.
  Result<BoundPair> bind(const EmailAddress& address);
  /// Returns a pair that bind() took from the pool and that was not used after all.
  Status give_back(const BoundPair& pair);
  /// Generates one pair under a placeholder address and puts it into the pool.
  /// A stop request abandons it promptly: Temporary.
  Status add_to_pool(const std::stop_token& stop = {});
  Result<std::size_t> pool_stock();
  /// Pairs that are ready for such an address; nothing when it waits for none: P-256 is made at once, and has a pool
  /// only as crypto.key_type.
  Result<std::optional<std::size_t>> stock_for(const EmailAddress& address);
  /// Called, from any thread, whenever bind() took from the pool or found it empty; an empty function ends it. Returns
  /// only when no call of the former one is running any more.
  void on_pool_use(std::function<void()> used);

  /// Key, certificate, issuing and root CA. A password of the recipient's own is for Modern only (12 characters or
  /// more); without one a random password of at least 80 bits is made.
  Result<Pkcs12File> export_pkcs12(const std::string& address_key, const std::string& fingerprint,
                                   const std::string& certificate_der, const std::string& wrapped_key,
                                   Pkcs12Format format, std::optional<Secret> password);

 private:
  struct PooledPair;
  [[nodiscard]] KeyType type_for(const EmailAddress& address) const;
  Result<PkeyPtr> generate(KeyType type, const std::stop_token& stop = {});
  Result<std::optional<PooledPair>> take_from_pool(KeyType type);
  Result<PooledPair> open_entry(KeyType type, std::string entry);
  Result<BoundPair> certify(const EmailAddress& address, EVP_PKEY* key);
  void report_pool_use();

  redis::Client& redis_;
  Wrapper& wrapper_;
  CertificateAuthority& authority_;
  const Clock& clock_;
  Random& random_;
  CryptoSettings settings_;
  Log& log_;
  RecipientDomains domains_;
  const GenerationTimes times_;
  std::mutex pool_use_mutex_;
  std::function<void()> pool_used_;
};

}  // namespace sealpost
