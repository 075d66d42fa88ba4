// SPDX-License-Identifier: Apache-2.0
// The names of what sealpostd counts, each handed to the part that counts it. What is looked up at a scrape instead
// stands in metrics_routes.
#pragma once

#include "base/metrics.h"
#include "base/net/tls_counts.h"
#include "relay/delivery/deliverer.h"
#include "relay/services.h"
#include "relay/submission_counts.h"

namespace sealpost {

/// Must outlive all that counts. No label holds what senders, recipients or operators choose.
struct Metrics {
  Metrics();

  metrics::Registry registry;
  ServicesCounts services;
  SubmissionCounts smtp;
  SubmissionCounts rest;
  metrics::Timing seal;
  DeliveryCounts deliveries;
  net::TlsCounts tls_in;
  net::TlsCounts tls_out;
  metrics::Counter smtp_auth_failures;
  metrics::Counter http_auth_failures;
};

}  // namespace sealpost
