// SPDX-License-Identifier: Apache-2.0
// Implements bad_address.h.
#include "relay/delivery/bad_address.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace sealpost {
namespace {

/// RFC 3463 section 3.2 and RFC 7505: mailbox, domain, syntax, ambiguous, moved, null MX. 5.1.5 says "valid", 5.1.7 and
/// 5.1.8 speak of the sender.
constexpr std::array<std::string_view, 6> address_statuses = {"5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.10"};
/// Mailbox unavailable, not local, name not allowed (RFC 5321 section 4.2.3), domain takes no mail (RFC 7504).
constexpr std::array address_codes = {550, 551, 553, 556};

template <class Range, class Value>
bool is_one_of(const Range& range, const Value& value) {
  return std::find(range.begin(), range.end(), value) != range.end();
}

}  // namespace

bool condemns_address(const Failed& failed) {
  if (failed.refused == Refused::Sender) return false;
  if (is_one_of(address_statuses, std::string_view(failed.enhanced))) return true;
  if (failed.refused != Refused::Recipient) return false;
  // "Other address status", and the parser's word for a reply without an enhanced code.
  return failed.enhanced == "5.1.0" || (failed.enhanced == "5.0.0" && is_one_of(address_codes, failed.code));
}

}  // namespace sealpost
