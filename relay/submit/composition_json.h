// SPDX-License-Identifier: Apache-2.0
// From the JSON of POST /v1/messages to a Composition: every member checked, and all that is wrong told at once.
#pragma once

#include <Poco/Dynamic/Var.h>

#include <string>
#include <vector>

#include "base/http/router.h"
#include "base/result.h"
#include "relay/submit/composition.h"

namespace sealpost::submit {

using FieldErrors = std::vector<http::FieldError>;

/// `pointer` is where the message stands in the body: empty, or "/0" of a batch.
Result<Composition, FieldErrors> read_composition(const Poco::Dynamic::Var& json, const std::string& pointer,
                                                  std::size_t max_recipients);

/// "Name <address>", "\"Name\" <address>", "<address>" or "address". Invalid with the reason.
Result<Mailbox> parse_mailbox(std::string_view text);

}  // namespace sealpost::submit
