// SPDX-License-Identifier: Apache-2.0
// A submitted message split into header fields and MIME entity, without a copy: all views point into the submitter's
// buffer.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sealpost {

/// One header field of RFC 5322 section 2.2 as it stood in the message.
struct HeaderField {
  std::string_view name;  ///< spelling as submitted
  std::string_view body;  ///< behind the colon, folds included, without the final CRLF
  std::string_view raw;   ///< the whole field with its CRLF
};

struct SubmittedMessage {
  std::vector<HeaderField> fields;
  std::string_view body;  ///< behind the empty line

  /// The first field of that name (case-insensitive).
  [[nodiscard]] const HeaderField* find(std::string_view name) const;
  [[nodiscard]] std::vector<const HeaderField*> find_all(std::string_view name) const;
};

/// Splits a message whose line ends are CRLF throughout. Invalid (SMTP 550 5.6.0, HTTP 422) without the empty line that
/// ends the header block, or with a line in it that is neither field nor fold; so no body text leaves as a header. Also
/// with a header block of more than 1 MiB or 10,000 fields.
Result<SubmittedMessage> split_message(std::string_view octets);

/// Fields that never leave the relay in clear as the sender wrote them: Bcc,
/// Content-*, MIME-Version, foreign signatures and so on.
bool is_withheld(std::string_view field_name);

/// True when the whole body is already encrypted, by S/MIME or OpenPGP/MIME, and nothing beside it; everything doubtful
/// is false.
bool is_already_encrypted(const SubmittedMessage& message);

}  // namespace sealpost
