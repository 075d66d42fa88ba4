// SPDX-License-Identifier: Apache-2.0
// The only two things that may enter the mail queue: SealedMessage, which nobody but the sealer can make, and Notice,
// the relay's own mail.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/secret.h"

namespace sealpost {

class Sealer;

/// One message encrypted for all its recipients. What they share is held once: the outer header block and, for each key
/// type and cipher, the encrypted content (the tail of the DER) with the MIME fields that name it. What differs is a
/// head of a few hundred octets per recipient.
class SealedMessage final {
 public:
  enum class Form : std::uint8_t {
    Cms,      ///< the body is base64(head ‖ content), a CMS ContentInfo in DER
    Verbatim  ///< the submitted body was encrypted already and leaves as it came (status passed_through)
  };
  /// The recipient's own part: the DER up to and including its RecipientInfos, and the content that completes it.
  struct Head {
    std::string der;            ///< empty for Verbatim
    std::uint32_t content = 0;  ///< index into contents()
  };

  SealedMessage(SealedMessage&&) noexcept = default;
  SealedMessage& operator=(SealedMessage&&) noexcept = default;

  [[nodiscard]] Form form() const { return form_; }
  /// What the recipients of one key type and cipher share.
  struct Content {
    std::string mime_fields;  ///< end the header block of whoever gets it, CRLF line ends; empty for Verbatim
    std::string octets;
  };

  /// The outer header block but for the content's fields, CRLF line ends, without the empty line. Names the subject:
  /// stored wrapped only.
  [[nodiscard]] const WipedBuffer& header_block() const { return header_block_; }
  [[nodiscard]] const std::vector<Content>& contents() const { return contents_; }
  /// One per recipient, in the order the sealer was given them.
  [[nodiscard]] const std::vector<Head>& heads() const { return heads_; }

 private:
  friend class Sealer;
  SealedMessage(Form form, WipedBuffer header_block, std::vector<Content> contents, std::vector<Head> heads)
      : form_(form), header_block_(std::move(header_block)), contents_(std::move(contents)), heads_(std::move(heads)) {}

  Form form_;
  WipedBuffer header_block_;
  std::vector<Content> contents_;
  std::vector<Head> heads_;
};

/// The relay's own mail: notification, bounce, delay warning, confirmation (RFC 3461), news of a key, or a code that a
/// sender passes on; a complete message that never holds a sender's content (a bounce returns header fields). The queue
/// stores it wrapped under the master key, since a notification carries a code.
class Notice final {
 public:
  enum class Kind : std::uint8_t {
    Notification,
    Bounce,
    DelayWarning,
    Confirmation,
    KeyEvent,
    WebhookEvent,
    SenderCode
  };
  Notice(Kind kind, WipedBuffer message) : kind_(kind), message_(std::move(message)) {}

  [[nodiscard]] Kind kind() const { return kind_; }
  /// Header block, empty line and body; CRLF line ends.
  [[nodiscard]] const WipedBuffer& message() const { return message_; }

 private:
  Kind kind_;
  WipedBuffer message_;
};

}  // namespace sealpost
