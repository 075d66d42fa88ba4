// SPDX-License-Identifier: Apache-2.0
// Makes a SealedMessage of a submitted one: the outer header block in clear, the MIME entity encrypted once per key
// type and cipher (RFC 5652, RFC 8551).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/sealed_message.h"
#include "conf/settings.h"
#include "crypto/submitted_message.h"

namespace sealpost {

class Sealer final {
 public:
  explicit Sealer(CryptoSettings settings) : settings_(settings) {}

  /// Header fields that the relay adds on top (Received) and at the end (Message-ID, Date when absent), complete with
  /// CRLF.
  struct Additions {
    std::string top;
    std::string bottom;
  };

  /// What seal() would refuse whoever the recipients are; to be asked before pairs are assigned for the message.
  [[nodiscard]] Status check(const SubmittedMessage& message) const;

  /// `certificates`: one DER certificate per recipient; `ciphers`: one per recipient, or none for
  /// crypto.content_cipher. Nothing in the result tells recipients of one another. Permanent: a certificate that
  /// nothing can be encrypted to, or an outer line over 998 octets that cannot be folded; Internal: OpenSSL failed.
  /// Never a result with plaintext in it.
  [[nodiscard]] Result<SealedMessage> seal(const SubmittedMessage& message, std::span<const std::string> certificates,
                                           const Additions& additions,
                                           std::span<const ContentCipher> ciphers = {}) const;

  /// Forwards a message that is_already_encrypted() as it is, for `recipients` recipients; Invalid for any other.
  [[nodiscard]] Result<SealedMessage> pass_through(const SubmittedMessage& message, std::size_t recipients,
                                                   const Additions& additions) const;

 private:
  CryptoSettings settings_;
};

}  // namespace sealpost
