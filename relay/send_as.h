// SPDX-License-Identifier: Apache-2.0
// The send-as rule for header fields: whom a message may claim to come from, given the account that submits it.
#pragma once

#include "base/email_address.h"
#include "base/result.h"
#include "crypto/submitted_message.h"
#include "relay/accounts.h"

namespace sealpost {

/// Exactly one From that can be parsed in one way only; every mailbox in From, Sender, Resent-From and Resent-Sender
/// allowed, and at least one in From. The value is From's first mailbox: whom a notification names. Permanent with the
/// reason otherwise.
Result<EmailAddress> check_send_as(const Account& account, const SubmittedMessage& message);

}  // namespace sealpost
