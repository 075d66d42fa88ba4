// SPDX-License-Identifier: Apache-2.0
// X.509 certificates (RFC 5280) as octets and text: parse, encode, fingerprint, and the extensions that we write
// ourselves. Issues nothing.
#pragma once

#include <string>
#include <string_view>

#include "base/email_address.h"
#include "base/openssl.h"
#include "base/result.h"

namespace sealpost {

/// Exactly one certificate in DER, nothing behind it; Invalid otherwise.
Result<X509Ptr> parse_certificate(std::string_view der);
Result<std::string> to_der(X509* certificate);
Result<std::string> to_pem(X509* certificate);
/// The same for one in DER; Invalid as for parse_certificate.
Result<std::string> to_pem(std::string_view der);
/// SHA-256 of the DER, lower-case hex: how a pair is named everywhere.
std::string certificate_fingerprint(std::string_view der);

/// SubjectAltName in DER with the address alone: rfc822Name, or otherName SmtpUTF8Mailbox (RFC 8398).
std::string subject_alt_name(const EmailAddress& address);
/// NameConstraints in DER that exclude every DNS name and every IP address (RFC 5280 section 4.2.1.10).
std::string exclude_all_hosts();
/// CRLDistributionPoints in DER with the one URL (RFC 5280 section 4.2.1.13).
std::string crl_distribution_point(const std::string& url);
/// Puts an extension into the certificate whose value is given in DER.
Status add_extension(X509* certificate, int nid, bool critical, std::string_view der);

}  // namespace sealpost
