// SPDX-License-Identifier: Apache-2.0
// The contract's JSON shapes of a delivery and of the queue's summary, for the command line and HTTP alike.
#pragma once

#include <Poco/JSON/Object.h>

#include "queue/queue_actions.h"
#include "queue/queue_view.h"
#include "queue/queue_why.h"

namespace sealpost {

/// JSON's null for what is not there.
Poco::Dynamic::Var time_or_null(const std::optional<Time>& time);
Poco::Dynamic::Var text_or_null(const std::string& text);
/// {fingerprint, state}; null for an empty fingerprint.
Poco::Dynamic::Var key_or_null(const std::string& fingerprint, const std::string& state);
/// {id, message, account, from, recipient, domain, state, attempts, created, next_attempt, last_response, size, key,
/// history?}
Poco::JSON::Object to_json(const DeliveryRecord& record, bool with_history);
/// {states, oldest, ages, rates, pool, destinations[…], more_destinations, accounts[…], errors[…]}; ages in seconds,
/// rates in deliveries per minute; pool is null when the summary has none.
Poco::JSON::Object to_json(const QueueSummary& summary, Time now);
/// {deliveries[…], cursor}; cursor is null at the end.
Poco::JSON::Object to_json(const DeliveryPage& page, bool with_history);
/// {subject, text, until, remedies[]}.
Poco::JSON::Object to_json(const Why& why);
/// {matched, changed, cursor}; cursor is null at the end.
Poco::JSON::Object to_json(const ActionResult& result);

}  // namespace sealpost
