// SPDX-License-Identifier: Apache-2.0
// Signs octets as CMS SignedData (RFC 5652 section 5, RFC 8551 section 2.5). Whose key it is, and what it may sign, is
// for others.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/openssl.h"
#include "base/result.h"

namespace sealpost {

struct CmsSigner {
  X509* certificate;
  EVP_PKEY* key;
  std::vector<X509*> authorities;  ///< included beside the signer's own certificate
};

/// A detached signature over the octets as they stand (text: with CRLF), in DER: SHA-256, and signed attributes with
/// the time. Internal when OpenSSL fails.
Result<std::string> sign_detached(std::string_view content, const CmsSigner& signer, Time at);

}  // namespace sealpost
