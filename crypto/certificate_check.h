// SPDX-License-Identifier: Apache-2.0
// Why a certificate that a recipient uploads is refused: which check it failed, and a sentence that says what to do.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace sealpost {

enum class CertificateCheck {
  TooLarge,            ///< the upload, or the certificate in it, has more octets than one needs
  NoCertificate,       ///< nothing in it is a certificate
  PrivateKey,          ///< it holds a private key: whoever holds the upload must wipe it
  TooMany,             ///< more certificates than a chain needs
  Malformed,           ///< broken or cut off
  Ambiguous,           ///< several that could be the recipient's
  CaCertificate,       ///< that of an authority
  WrongAddress,        ///< made for other addresses, or for none
  NotYetValid,         ///< begins later
  Expired,             ///< has ended
  KeyUsage,            ///< keyUsage allows no encryption (RFC 5280 section 4.2.1.3, RFC 8551 section 4.4.2)
  ExtendedKeyUsage,    ///< extendedKeyUsage allows no mail
  CriticalExtension,   ///< must not be used by who does not know the extension (RFC 5280 section 4.2)
  KeyKind,             ///< neither RSA nor P-256 nor P-384
  KeySize,             ///< RSA of fewer than 2048 or more than 8192 bits
  KeyUnsound,          ///< fails EVP_PKEY_public_check
  SignatureAlgorithm,  ///< by MD2, MD4, MD5, SHA-1 or something unknown, or under a key of less than 112 bits'
                       ///< strength: the certificate or an intermediate one that it needs
  Untrusted            ///< of no accepted authority, or self-signed and not accepted as such
};

/// The name that interfaces use: too_large, no_certificate, private_key, …
std::string_view to_text(CertificateCheck check);

/// Sentence in English; what varies in it stands beside it, so that a page may say it in another language.
struct CertificateRefusal {
  CertificateCheck check;
  std::string sentence;
  std::vector<std::string> addresses = {};  ///< WrongAddress: some that the certificate names; may be none
  std::optional<Time> date = std::nullopt;  ///< NotYetValid: when it begins; Expired: when it ended
  std::optional<int> bits = std::nullopt;   ///< KeySize: those of the key
  std::optional<int> limit = std::nullopt;  ///< TooLarge: most octets; TooMany: most certificates
};

/// For each check without a variable part.
CertificateRefusal refuse(CertificateCheck check);
CertificateRefusal refuse_too_large(int most_octets);
/// TooLarge, too, but the certificate itself.
CertificateRefusal refuse_large_certificate(int most_octets);
CertificateRefusal refuse_too_many(int most);
/// `wanted`: the address that the certificate should name.
CertificateRefusal refuse_wrong_address(const std::string& wanted, std::vector<std::string> found);
/// For NotYetValid and Expired.
CertificateRefusal refuse_date(CertificateCheck check, Time date);
CertificateRefusal refuse_key_size(int bits);
/// Untrusted, because nobody but its owner vouches for it.
CertificateRefusal refuse_self_signed();

}  // namespace sealpost
