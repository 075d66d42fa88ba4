// SPDX-License-Identifier: Apache-2.0
// The words of the mails that a recipient gets about keys: the notification with link and code, and the note that a key was picked up.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/sealed_message.h"
#include "base/secret.h"
#include "notify/mail_composer.h"

namespace sealpost {

struct NotificationFacts {
  std::string recipient;  ///< addr-spec
  std::string sender;     ///< the sender's authorised address; empty when the recipient asked for the code
  std::string link;       ///< URL of the pickup page
  const Secret& code;
  Time expires{};
  const WipedBuffer* attachment = nullptr;  ///< PKCS#12 (notify.mode=attach)
};

Result<Notice> compose_notification(const NoticeSender& from, const NotificationFacts& facts, const Clock& clock,
                                    Random& random);

struct PickedUpFacts {
  std::string recipient;
  std::string fingerprint;
};
Result<Notice> compose_picked_up(const NoticeSender& from, const PickedUpFacts& facts, const Clock& clock,
                                 Random& random);

}  // namespace sealpost
