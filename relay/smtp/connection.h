// SPDX-License-Identifier: Apache-2.0
// Joins the SMTP session to network and relay: carries out its actions on workers and feeds the results back.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "base/guess_throttle.h"
#include "base/log.h"
#include "base/memory_budget.h"
#include "base/metrics.h"
#include "base/net/conversation.h"
#include "base/random.h"
#include "relay/accounts.h"
#include "relay/message_sink.h"
#include "relay/smtp/session.h"
#include "relay/submission_counts.h"

namespace sealpost::smtp {

/// What all connections share; must outlive them.
struct ConnectionContext {
  SessionOptions options;
  std::chrono::milliseconds idle_timeout;
  Accounts& accounts;
  MessageSink& sink;
  GuessThrottle& throttle;
  MemoryBudget& budget;
  Random& random;
  Log& log;
  std::function<bool()> store_full;  ///< asked at MAIL: full Redis or disk is answered in time
  SubmissionCounts counts = {};
  metrics::Counter auth_failures = {};
};

std::unique_ptr<net::Conversation> make_connection(ConnectionContext& context);

}  // namespace sealpost::smtp
