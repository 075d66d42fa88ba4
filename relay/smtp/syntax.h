// SPDX-License-Identifier: Apache-2.0
// The arguments of MAIL and RCPT (RFC 5321 section 4.1, RFC 1870, 3461, 6152, 6531) as pure parsers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/email_address.h"
#include "base/result.h"
#include "queue/delivery.h"
#include "relay/smtp/reply.h"

namespace sealpost::smtp {

struct MailArguments {
  std::optional<EmailAddress> from;  ///< nothing for <>
  std::optional<std::uint64_t> size;
  bool smtputf8 = false;
  std::string envid;
};

struct RcptArguments {
  EmailAddress to;
  DsnRequest dsn;
};

/// `text` is what follows the verb: "FROM:<...> ...". The error is the reply to send.
Result<MailArguments, Reply> parse_mail(std::string_view text);
/// `smtputf8`: whether MAIL asked for it; without it an address beyond ASCII is refused.
Result<RcptArguments, Reply> parse_rcpt(std::string_view text, bool smtputf8);

}  // namespace sealpost::smtp
