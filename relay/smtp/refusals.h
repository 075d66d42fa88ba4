// SPDX-License-Identifier: Apache-2.0
// How the intake's refusals and the content's faults sound in SMTP: one table each.
#pragma once

#include "relay/message_sink.h"
#include "relay/smtp/content_reader.h"
#include "relay/smtp/reply.h"

namespace sealpost::smtp {

Reply to_reply(const IntakeError& error);
Reply to_reply(ContentFault fault);

}  // namespace sealpost::smtp
