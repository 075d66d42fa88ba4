// SPDX-License-Identifier: Apache-2.0
// Implements refusals.h.
#include "relay/smtp/refusals.h"

namespace sealpost::smtp {

Reply to_reply(const IntakeError& error) {
  const std::string& text = error.public_text;
  switch (error.refusal) {
    case Refusal::Malformed:
      return {550, "5.6.0", text};
    case Refusal::Loop:
      return {550, "5.4.6", text};
    case Refusal::SenderNotAllowed:
      return {550, "5.7.1", text};
    case Refusal::BadRecipient:
      return {553, "5.1.3", text};
    case Refusal::Suppressed:
      return {550, "5.1.1", text};
    case Refusal::TooManyNew:
      return {452, "4.5.3", text};
    case Refusal::RateOfNew:
      return {452, "4.7.1", text};
    case Refusal::CannotSeal:
      return {550, "5.6.0", text};
    case Refusal::CannotSealNow:
    case Refusal::StoreAway:
      return {451, "4.3.0", text};
    case Refusal::StoreFull:
      return {452, "4.3.1", text};
    case Refusal::Conflict:
      return {550, "5.5.0", text};
  }
  return {451, "4.3.0", "temporarily unavailable"};
}

Reply to_reply(ContentFault fault) {
  switch (fault) {
    case ContentFault::TooLarge:
      return {552, "5.3.4", "the message is too large"};
    case ContentFault::NoMemory:
      return {452, "4.3.1", "insufficient system storage"};
    case ContentFault::BareLineEnd:
    case ContentFault::None:
      break;
  }
  return {550, "5.6.0", "lines end with CRLF; bare CR, LF or NUL are not accepted"};
}

}  // namespace sealpost::smtp
