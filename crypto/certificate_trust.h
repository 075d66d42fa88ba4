// SPDX-License-Identifier: Apache-2.0
// Whether a certificate of somebody else's making is vouched for as the operator wants, and signed by methods that
// still hold.
#pragma once

#include <vector>

#include "crypto/certificate_bundle.h"
#include "crypto/own_certificate.h"

namespace sealpost {

/// `leaf` is one of `bundle`, whose others may stand between it and a root (RFC 5280 section 6). Refused: Untrusted,
/// SignatureAlgorithm.
Result<void, Refused> check_trust(X509* leaf, const std::vector<X509Ptr>& bundle, Time now,
                                  const OwnCertificatePolicy& policy);

}  // namespace sealpost
