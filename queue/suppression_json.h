// SPDX-License-Identifier: Apache-2.0
// The JSON shapes of suppressed addresses, for the command line and HTTP alike.
#pragma once

#include <Poco/JSON/Object.h>

#include "queue/suppressions.h"

namespace sealpost {

/// {suppressions: [{address, bounces, last_bounce, last_response, until}], cursor}; the cursor is null at the end.
Poco::JSON::Object to_json(const SuppressionPage& page);

}  // namespace sealpost
