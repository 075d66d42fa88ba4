// SPDX-License-Identifier: Apache-2.0
// The mails that a recipient gets about keys, in the recipient's language: the notification with link and code, and the
// note that a key was picked up.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/sealed_message.h"
#include "base/secret.h"
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
  const Secret& code;
  Time expires{};
  const WipedBuffer* attachment = nullptr;  ///< PKCS#12 (notify.mode=attach)
};

Result<Notice> compose_notification(const Wording& wording, const NoticeSender& from, const NotificationFacts& facts,
                                    const Clock& clock, Random& random);

struct PickedUpFacts {
  std::string recipient;
  std::string fingerprint;
};
Result<Notice> compose_picked_up(const Wording& wording, const NoticeSender& from, const PickedUpFacts& facts,
                                 const Clock& clock, Random& random);

}  // namespace sealpost
