// SPDX-License-Identifier: Apache-2.0
// Encrypts one content for many recipients of one key type (RFC 5652) and cuts the result: a tail that all share, and a
// head for each.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/openssl.h"
#include "base/result.h"
#include "conf/settings.h"

namespace sealpost {

struct CutCms {
  std::vector<std::string> heads;  ///< DER with the recipient's own RecipientInfos, up to the header of the ciphertext
  std::string tail;                ///< the ciphertext and what follows it; head + tail is a ContentInfo
};

enum class KeyKind { Rsa, Ec };

/// Internal when `recipients` do not all hold keys of that kind: a head cut from a mixed structure keeps version 2 and
/// betrays the EC recipient. The content comes in pieces, so that nobody has to join them.
Result<CutCms> encrypt_and_cut(std::span<const std::string_view> content, KeyKind kind,
                               const std::vector<X509*>& recipients, ContentCipher cipher);

/// Why a key cannot be used, whoever certified it.
enum class KeyFault {
  Kind,  ///< neither RSA nor on P-256 or P-384
  Size   ///< RSA under 2048 or over 8192 bits
};
/// By kind and size alone; soundness is for usable_certificate().
Result<KeyKind, KeyFault> usable_kind(const EVP_PKEY* key);

/// A certificate that something may be encrypted to.
struct UsableCertificate {
  X509Ptr certificate;
  KeyKind kind;
};
/// A certificate stands in every look at its address, and its issuer's name in every mail that is sealed to it: more
/// than this, in DER, is none that is meant to be used.
constexpr int max_certificate_octets = 16 * 1024;
/// Parses a certificate and refuses those that are too large, and keys that nothing should be encrypted to (e = 1, RSA
/// under 2048 or over 8192 bits, points off the curve, curves but P-256 and P-384): Permanent. Internal when the fault
/// is ours. Nothing is kept of it: for what somebody shows who may show as many as they like.
Result<UsableCertificate> check_certificate(std::string_view der);
/// The same, and remembers a good one (known_sound.h): for those that mail is sealed to.
Result<UsableCertificate> usable_certificate(std::string_view der);

/// The content encrypted to one certificate, whichever kind its key is of: a ContentInfo in DER. Errors as for
/// usable_certificate.
Result<std::string> encrypt_for_one(std::string_view content, std::string_view certificate_der, ContentCipher cipher);

}  // namespace sealpost
