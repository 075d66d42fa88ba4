// SPDX-License-Identifier: Apache-2.0
// Implements send_as.h.
#include "relay/send_as.h"

#include <string>

#include "base/header_addresses.h"

namespace sealpost {
namespace {

Status check_field(const Account& account, const HeaderField& field) {
  const std::string name(field.name);
  auto mailboxes = parse_address_list(field.body);
  if (!mailboxes) return Error::permanent("the " + name + " field cannot be read: " + mailboxes.error().public_text);
  if (mailboxes->empty()) return Error::permanent("the " + name + " field names no address");
  for (const auto& mailbox : *mailboxes) {
    if (!account.may_send_as(mailbox.address)) {
      return Error::permanent("the account may not send as the address in " + name);
    }
  }
  return {};
}

}  // namespace

Result<EmailAddress> check_send_as(const Account& account, const SubmittedMessage& message) {
  const auto from = message.find_all("From");
  if (from.size() != 1) return Error::permanent("the message needs exactly one From field");
  for (const char* name : {"From", "Sender", "Resent-From", "Resent-Sender"}) {
    for (const HeaderField* field : message.find_all(name)) {
      if (auto checked = check_field(account, *field); !checked) return checked.error();
    }
  }
  auto mailboxes = parse_address_list(from.front()->body);
  if (!mailboxes) return mailboxes.error();
  return mailboxes->front().address;
}

}  // namespace sealpost
