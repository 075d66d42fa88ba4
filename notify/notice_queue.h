// SPDX-License-Identifier: Apache-2.0
// Puts the relay's own mail into the queue: without an envelope sender, asking for no report, and once by its name.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/email_address.h"
#include "base/result.h"
#include "base/sealed_message.h"
#include "base/wrapper.h"
#include "queue/mail_queue.h"

namespace sealpost {

class NoticeQueue final {
 public:
  /// `destination`: the fixed route's name, empty for MX delivery. `queued` is called when something fell due.
  NoticeQueue(MailQueue& queue, Wrapper& wrapper, const Clock& clock, std::string destination,
              std::function<void()> queued)
      : queue_(queue),
        wrapper_(wrapper),
        clock_(clock),
        destination_(std::move(destination)),
        queued_(std::move(queued)) {}

  /// Durable when it returns. False when an earlier put of this name was durable already.
  Result<bool> put(const Notice& notice, const EmailAddress& recipient, const std::string& once_name);

 private:
  MailQueue& queue_;
  Wrapper& wrapper_;
  const Clock& clock_;
  std::string destination_;
  std::function<void()> queued_;
};

}  // namespace sealpost
