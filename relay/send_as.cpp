// SPDX-License-Identifier: Apache-2.0
// Implements send_as.h.
#include "relay/send_as.h"

#include <algorithm>
#include <string>

#include "base/header_addresses.h"

namespace sealpost {
namespace {

/// The field's first address, once all of them are allowed.
Result<EmailAddress> check_field(const Account& account, const HeaderField& field) {
  const std::string name(field.name);
  auto addresses = parse_address_list(field.body);
  if (!addresses) return Error::permanent("the " + name + " field cannot be read: " + addresses.error().public_text);
  if (addresses->empty()) return Error::permanent("the " + name + " field names no address");
  const bool allowed = std::all_of(addresses->begin(), addresses->end(),
                                   [&](const EmailAddress& address) { return account.may_send_as(address); });
  if (!allowed) return Error::permanent("the account may not send as the address in " + name);
  return std::move(addresses->front());
}

}  // namespace

Result<EmailAddress> check_send_as(const Account& account, const SubmittedMessage& message) {
  const auto from = message.find_all("From");
  if (from.size() != 1) return Error::permanent("the message needs exactly one From field");
  auto sender = check_field(account, *from.front());
  if (!sender) return sender;
  for (const char* name : {"Sender", "Resent-From", "Resent-Sender"}) {
    for (const HeaderField* field : message.find_all(name)) {
      if (auto checked = check_field(account, *field); !checked) return checked;
    }
  }
  return sender;
}

}  // namespace sealpost
