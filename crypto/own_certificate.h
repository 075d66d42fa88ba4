// SPDX-License-Identifier: Apache-2.0
// Judges a certificate that a recipient uploads to be used instead of the relay's. That the recipient holds its private
// key is proved later, by a code in a mail that is sealed to it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/email_address.h"
#include "base/openssl.h"
#include "base/result.h"
#include "conf/settings.h"
#include "crypto/certificate_check.h"

namespace sealpost {

/// Whom the operator believes.
struct OwnCertificatePolicy {
  std::vector<X509Ptr> accepted_roots;  ///< trust anchors; none: whoever issued it will do
  bool accept_self_signed = false;      ///< one whose issuer is its subject, whatever the roots are
};

/// As the settings say: keys.accepted_roots and keys.accept_self_signed. Invalid names the file and what is wrong, or
/// says that self-signed ones are refused where everybody may be an authority.
Result<OwnCertificatePolicy> load_own_certificate_policy(const KeysSettings& settings);

struct OwnCertificate {
  std::string der;
  std::string fingerprint;
  Time not_after;
};

using OwnCertificateVerdict = Result<OwnCertificate, CertificateRefusal>;

/// The upload is PEM, DER or a PKCS#7 bundle (in PEM or DER), up to 256 KiB and 20 certificates; the recipient's own is
/// the one that names the address, else the only one that is no CA's, and has 16 KiB at most. Revocation is not asked
/// for. After CertificateCheck::PrivateKey the caller wipes the upload; copies made here are wiped already. Internal
/// when the fault is ours.
Result<OwnCertificateVerdict> judge_own_certificate(std::string_view upload, const EmailAddress& address, Time now,
                                                    const OwnCertificatePolicy& policy);

}  // namespace sealpost
