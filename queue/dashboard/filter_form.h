// SPDX-License-Identifier: Apache-2.0
// The search form's filter, as parameters and as fields.
#pragma once

#include <map>
#include <string>

#include "base/http/router.h"
#include "queue/dashboard/site.h"
#include "queue/filter_text.h"

namespace sealpost::dashboard {

using Parts = std::map<std::string, std::string>;

/// Those of the parameters that are parts of a filter and not empty: forms send all of their fields. The others are
/// left in `rest`, which may be null.
Parts filter_parts_of(const std::multimap<std::string, std::string>& parameters, Parts* rest = nullptr);
/// "?state=held&domain=example.net"; empty for none.
std::string query_of(const Parts& parts);
/// For people: "state held, domain example.net"; "every delivery that waits" for none.
std::string described(const Parts& parts);
/// The form's fields with what was entered; `wrong` names the part that the problem is about.
std::string filter_fields(Draw& draw, const Parts& parts, const std::string& wrong);
/// Hidden fields that say the same.
std::string hidden_filter(Draw& draw, const Parts& parts);

}  // namespace sealpost::dashboard
