// SPDX-License-Identifier: Apache-2.0
// Reads a filter from names and values, as commands, calls and pages give it.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "queue/delivery_filter.h"

namespace sealpost {

/// A part of a filter, as an option (with - for _) and as a parameter.
struct FilterPart {
  const char* name;
  const char* help;
};
/// Octets of a value at most: those of the longest address.
inline constexpr std::size_t max_filter_part = 320;
/// All of them.
const std::vector<FilterPart>& filter_parts();

/// Invalid, naming the part, for one that is unknown or whose value is none; an empty value is none, so that an unset
/// variable in a script does not select everything.
Result<DeliveryFilter> parse_filter(const std::map<std::string, std::string>& parts);
/// Invalid for a filter of an action that nothing can match: one for what has ended.
Status check_action_filter(const DeliveryFilter& filter);
/// `domain=example.net state=deferred error="mailbox full"`: for people, and to tell filters apart.
std::string to_text(const DeliveryFilter& filter);

}  // namespace sealpost
