// SPDX-License-Identifier: Apache-2.0
// The receipt of a forgotten key: what the relay says of a private key that it destroyed, in the recipient's language
// and signed. When it is given, and that it is owed, key_choices.h knows.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/key_record.h"
#include "notify/mail_composer.h"
#include "notify/templates.h"

namespace sealpost {

/// A private key that is there no more.
struct DestroyedKey {
  std::string recipient;  ///< addr-spec
  KeyRecord key;
  Time destroyed{};
  std::string once;  ///< names the receipt's mail: it is sent once
};

/// Whoever keeps it can prove what it says.
struct Receipt {
  std::string text;       ///< CRLF line ends
  std::string signature;  ///< CMS SignedData in DER over the text, which is not in it (RFC 5652 section 5.2)
  WipedBuffer message;    ///< the same as a signed mail (RFC 8551 section 3.5), which mail programs can check
};

/// The text is the same for the same key, however often it is composed.
Result<Receipt> compose_receipt(const Wording& wording, const NoticeSender& from, const DestroyedKey& destroyed,
                                const SignDetached& sign, const Clock& clock, Random& random);

}  // namespace sealpost
