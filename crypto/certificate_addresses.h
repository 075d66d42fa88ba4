// SPDX-License-Identifier: Apache-2.0
// The mail addresses that a certificate of somebody else's making names.
#pragma once

#include <vector>

#include "base/email_address.h"
#include "base/openssl.h"

namespace sealpost {

/// Those of the SubjectAltName: rfc822Name (RFC 5280 section 4.2.1.6) and SmtpUTF8Mailbox (RFC 8398); emailAddress in
/// the subject only when it has none. What is no address, or holds a NUL, is left out, yet keeps the subject out, too.
std::vector<EmailAddress> certificate_addresses(const X509* certificate);

}  // namespace sealpost
