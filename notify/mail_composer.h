// SPDX-License-Identifier: Apache-2.0
// Builds the relay's own mails (RFC 5322, 2045, 2046): header fields and MIME parts. Text that is ASCII goes as 7bit,
// other text as base64: never quoted-printable, whose soft line breaks cut links. What is signed goes in short lines.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace sealpost {

/// The relay as sender of its own mail.
struct NoticeSender {
  std::string name;      ///< of notify.from, may be empty
  std::string address;   ///< of notify.from, addr-spec
  std::string hostname;  ///< relay.hostname, for the Message-ID
};

struct MailHeader {
  std::string to;              ///< addr-spec
  std::string subject;         ///< UTF-8 without controls
  std::string auto_submitted;  ///< "auto-generated" or "auto-replied" (RFC 3834)
  std::string in_reply_to;     ///< a Message-ID, or empty
};

struct MimePart {
  std::string content_type;     ///< with parameters; "multipart/…" without a boundary when it holds parts
  std::string_view body;        ///< line ends may be LF or CRLF
  std::string disposition;      ///< empty for inline text
  std::vector<MimePart> parts;  ///< of a multipart, which has no body of its own
};

/// Makes a detached CMS SignedData in DER over the octets.
using SignDetached = std::function<Result<std::string>(std::string_view content)>;

/// A complete message; `content` is what its Content-Type says, a multipart as a rule.
WipedBuffer compose(const NoticeSender& from, const MailHeader& header, const MimePart& content, const Clock& clock,
                    Random& random);
/// The same as multipart/signed (RFC 8551 section 3.5). Internal when the content would need 8bit, which a server on
/// the way may rewrite.
Result<WipedBuffer> compose_signed(const NoticeSender& from, const MailHeader& header, const MimePart& content,
                                   const SignDetached& sign, const Clock& clock, Random& random);

/// The signed content alone, its header fields before it: what a mail that is encrypted has inside.
Result<WipedBuffer> sign_part(const MimePart& content, const SignDetached& sign, Random& random);

}  // namespace sealpost
