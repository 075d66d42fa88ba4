// SPDX-License-Identifier: Apache-2.0
// Builds a certificate revocation list (RFC 5280 section 5). Which certificates stand in it, and where it is published,
// is for others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/openssl.h"
#include "base/result.h"

namespace sealpost {

/// RFC 5280 section 5.3.1, as far as it fits keys that a relay makes for others.
enum class RevocationReason { Unspecified, KeyCompromise, AffiliationChanged, Superseded, CessationOfOperation };

struct RevokedCertificate {
  std::string serial;  ///< as in the certificate: octets, the highest first; 1 to 20
  Time time;           ///< since when it is not to be believed
  RevocationReason reason = RevocationReason::Unspecified;
};

/// The list in DER, signed with SHA-256, good for seven days from `now`. `number`: higher than that of any list before
/// (RFC 5280 section 5.2.3). Of a certificate that is named twice the earlier time
/// holds. Invalid for a serial that no certificate can have; Internal when OpenSSL fails.
Result<std::string> make_revocation_list(const std::vector<RevokedCertificate>& revoked, X509* issuer,
                                         EVP_PKEY* issuer_key, std::int64_t number, Time now);

}  // namespace sealpost
