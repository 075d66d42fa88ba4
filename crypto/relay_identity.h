// SPDX-License-Identifier: Apache-2.0
// The relay's own signing pair for the address that its mail comes from: made once for all nodes, certified by the
// issuing CA, kept in Redis with a wrapped key. Like the CA's, its private key leaves this class in no form.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/email_address.h"
#include "base/log.h"
#include "base/openssl.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/wrapper.h"
#include "conf/settings.h"

namespace sealpost {

class CertificateAuthority;

/// Immutable after open(), hence safe from any thread; must not outlive the authority and the clock.
class RelayIdentity final {
 public:
  /// Loads the address's pair, or makes it at the first start; of nodes that start at once, all end with the same one.
  /// One whose certificate has less than a year to go, or is of a former CA, is replaced, at a start only.
  /// Invalid for an address that cannot stand in a certificate; Permanent when the pair was altered.
  static Result<RelayIdentity> open(redis::Client& redis, Wrapper& wrapper, CertificateAuthority& authority,
                                    const EmailAddress& address, const Clock& clock, Log& log,
                                    KeyType key_type = KeyType::P256);

  /// CMS SignedData in DER over the octets as they stand, with the certificates of the relay and of its issuing CA.
  Result<std::string> sign_detached(std::string_view content) const;
  /// DER.
  [[nodiscard]] const std::string& certificate() const { return der_; }

 private:
  RelayIdentity(CertificateAuthority& authority, const Clock& clock) : authority_(&authority), clock_(&clock) {}
  static Result<std::string> make(Wrapper& wrapper, CertificateAuthority& authority, const EmailAddress& address,
                                  KeyType key_type);
  static Result<RelayIdentity> from_store(std::string_view stored, Wrapper& wrapper, CertificateAuthority& authority,
                                          const EmailAddress& address, const Clock& clock);
  /// False when another pair should take its place.
  [[nodiscard]] bool still_good() const;

  CertificateAuthority* authority_;
  const Clock* clock_;
  std::string der_;
  X509Ptr certificate_;
  PkeyPtr key_;
};

}  // namespace sealpost
