// SPDX-License-Identifier: Apache-2.0
// The mails that a recipient gets about keys, in the recipient's language and signed by the relay: the notification
// with link and code, the news of what became of a key, and the code for a certificate of their own; and the mail by
// which a sender gets the code instead.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/sealed_message.h"
#include "base/secret.h"
#include "conf/settings.h"
#include "notify/key_news.h"
#include "notify/mail_composer.h"
#include "notify/templates.h"

namespace sealpost {

/// Why a recipient is written to.
enum class NotificationCause {
  Mail,        ///< somebody's mail was accepted; the only cause with a sender
  KeyRequest,  ///< an account asked the key server for a key: mail will follow
  NewCode      ///< the recipient asked for a code
};

struct NotificationFacts {
  std::string recipient;  ///< addr-spec
  NotificationCause cause;
  std::string sender;  ///< the sender's authorised address
  std::string link;    ///< URL of the pickup page
  const Secret* code;  ///< nothing when the sender has it (notify.code_to)
  Time expires{};
  const WipedBuffer* attachment = nullptr;  ///< PKCS#12 (notify.mode=attach)
};

Result<Notice> compose_notification(const Wording& wording, const NoticeSender& from, const NotificationFacts& facts,
                                    const SignDetached& sign, const Clock& clock, Random& random);

/// A code that a sender is to pass on.
struct SenderCodeFacts {
  std::string sender;      ///< addr-spec, to whom the mail goes
  std::string recipient;   ///< addr-spec, whose key the code is for
  bool asked_for = false;  ///< the recipient wants a new one
  const Secret& code;
  Time expires{};
};

/// In the language of the sender.
Result<Notice> compose_sender_code(const Wording& wording, const NoticeSender& from, const SenderCodeFacts& facts,
                                   const SignDetached& sign, const Clock& clock, Random& random);

/// What became of a key, told to its address.
Result<Notice> compose_key_news(const Wording& wording, const NoticeSender& from, const KeyNews& news,
                                const SignDetached& sign, const Clock& clock, Random& random);

/// The code that makes a certificate current, in a mail that only its private key opens; the signature is inside.
/// `link`: where it is entered.
Result<Notice> compose_certificate_code(const Wording& wording, const NoticeSender& from,
                                        const CodeForCertificate& code, const std::string& link, ContentCipher cipher,
                                        const SignDetached& sign, const Clock& clock, Random& random);

}  // namespace sealpost
