// SPDX-License-Identifier: Apache-2.0
// Takes certificates out of what a person uploads: PEM, DER or a PKCS#7 bundle, with text around it. Judges none of
// them, but refuses private keys.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include "base/openssl.h"
#include "base/result.h"
#include "crypto/certificate_check.h"

namespace sealpost {

constexpr int max_upload_octets = 256 * 1024;
constexpr int max_upload_certificates = 20;

/// What ends a judgement: a refusal, or an Error when the fault is ours.
using Refused = std::variant<CertificateRefusal, Error>;

/// Each certificate once, in the order of the upload; one at least. Refused: TooLarge, PrivateKey (before anything is
/// parsed), NoCertificate, TooMany, Malformed.
Result<std::vector<X509Ptr>, Refused> read_certificates(std::string_view upload);

}  // namespace sealpost
