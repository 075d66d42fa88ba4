// SPDX-License-Identifier: Apache-2.0
// What an address is told of its keys by a mail of its own, beside the notification.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/secret.h"
#include "crypto/key_record.h"

namespace sealpost {

enum class KeyEvent {
  PickedUp,          ///< for the first time
  Kept,              ///< it is permanent now
  Uploaded,          ///< a certificate of the recipient's own waits for its code
  Replaced,          ///< that certificate is the current one now
  Forgotten,         ///< the server's copy of the private key was destroyed
  Revoked,           ///< by the operator
  CertificateEnded,  ///< the recipient's own has expired or was revoked: mail waits
};

struct KeyNews {
  KeyEvent event;
  std::string recipient;  ///< addr-spec
  KeyRecord key;
  std::string once;        ///< names the mail: it is sent once
  std::string where = {};  ///< of CertificateEnded: the page for a new code
};

/// The mail that is sealed to a certificate which waits to be used.
struct CodeForCertificate {
  std::string recipient;    ///< addr-spec
  std::string certificate;  ///< DER
  std::string fingerprint;
  const Secret& code;
  std::string token;  ///< of the link behind which the code is entered
  Time until{};
};

}  // namespace sealpost
