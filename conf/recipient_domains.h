// SPDX-License-Identifier: Apache-2.0
// Which of the operator's settings by recipient domain hold for an address.
#pragma once

#include "base/email_address.h"
#include "conf/settings.h"

namespace sealpost {

/// Of the address's very domain, subdomains not included; one that says nothing where there is no section.
inline const RecipientDomain& domain_of(const RecipientDomains& domains, const EmailAddress& recipient) {
  static const RecipientDomain silent;
  const auto found = domains.find(recipient.domain().a_label());
  return found == domains.end() ? silent : found->second;
}

}  // namespace sealpost
