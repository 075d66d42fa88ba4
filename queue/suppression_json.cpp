// SPDX-License-Identifier: Apache-2.0
// Implements suppression_json.h.
#include "queue/suppression_json.h"

#include <Poco/JSON/Array.h>

namespace sealpost {

Poco::JSON::Object to_json(const SuppressionPage& page) {
  using Poco::Dynamic::Var;
  Poco::JSON::Array rows;
  for (const auto& run : page.suppressions) {
    Poco::JSON::Object row(Poco::JSON_PRESERVE_KEY_ORDER);
    row.set("address", run.address);
    row.set("bounces", run.bounces);
    row.set("last_bounce", to_rfc3339(run.last));
    row.set("last_response", run.response);
    row.set("until", run.until ? Var(to_rfc3339(*run.until)) : Var());
    rows.add(row);
  }
  Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("suppressions", rows);
  object.set("cursor", page.cursor.empty() ? Var() : Var(page.cursor));
  return object;
}

}  // namespace sealpost
