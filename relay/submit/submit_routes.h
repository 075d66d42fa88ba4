// SPDX-License-Identifier: Apache-2.0
// Submission over HTTP: POST /v1/messages, as JSON or as a finished message, and many at once.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/http/router.h"
#include "relay/message_sink.h"
#include "relay/submission_counts.h"

namespace sealpost::submit {

struct SubmitRoutesContext {
  MessageSink& sink;
  std::function<bool()> store_full;  ///< Redis is beyond its watermark: nothing is taken in
  std::size_t max_message_size;      ///< of the message that is made, in octets
  std::size_t max_recipients;        ///< of one message
  SubmissionCounts counts = {};
};

/// POST /v1/messages and /v1/messages/batch. The context must outlive the routes.
std::vector<http::Route> submit_routes(SubmitRoutesContext& context);

}  // namespace sealpost::submit
