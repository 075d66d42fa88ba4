// SPDX-License-Identifier: Apache-2.0
// Implements metrics.h.
#include "relay/metrics.h"

#include "crypto/private_key.h"

namespace sealpost {
namespace {

using metrics::Labels;

const std::vector<double> round_trips = {.0001, .00025, .0005, .001, .0025, .005, .01, .025,
                                         .05,   .1,     .25,   .5,   1,     5,    10};
const std::vector<double> messages = {.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30};
const std::vector<double> attempts = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 600};
/// From a second to the five days of delivery.max_age, by the steps of delivery.retry.
const std::vector<double> deliveries = {.05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 14400, 86400, 432000};
const std::vector<double> generations = {.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30};

SubmissionCounts submissions(metrics::Registry& registry, const std::string& protocol, const std::vector<int>& codes) {
  SubmissionCounts counts;
  counts.accepting = registry.timing("sealpost_accept_seconds",
                                     "From the end of a message's data until it is sealed and durable, by protocol.",
                                     messages, {{"protocol", protocol}});
  counts.accepted = registry.counter("sealpost_messages_accepted_total", "Messages that were taken, by protocol.",
                                     {{"protocol", protocol}});
  const auto refused = [&](const std::string& code) {
    return registry.counter("sealpost_messages_refused_total",
                            "Messages, and in SMTP single recipients, that were refused, by the code of the answer.",
                            {{"protocol", protocol}, {"code", code}});
  };
  for (const int code : codes) counts.refused[code] = refused(std::to_string(code));
  counts.refused_otherwise = refused("other");
  return counts;
}

DeliveryCounts delivery_counts(metrics::Registry& registry) {
  const auto outcome = [&](const std::string& name) {
    return registry.counter("sealpost_delivery_outcomes_total",
                            "What became of deliveries by attempts of this process; a deferral counts each time.",
                            {{"outcome", name}});
  };
  return {
      registry.timing("sealpost_delivery_attempt_seconds", "An attempt at a delivery, whatever its outcome.", attempts),
      registry.timing("sealpost_delivery_seconds", "From the acceptance of a message until a delivery has arrived.",
                      deliveries),
      outcome("delivered"),
      outcome("deferred"),
      outcome("bounced"),
      outcome("held")};
}

net::TlsCounts tls_counts(metrics::Registry& registry, const std::string& side) {
  const auto sessions = [&](const std::string& version) {
    return registry.counter("sealpost_tls_sessions_total",
                            "TLS sessions with clients (in) and with servers that mail was given to (out), by version.",
                            {{"side", side}, {"version", version}});
  };
  return {sessions("TLSv1.2"), sessions("TLSv1.3")};
}

metrics::Counter auth_failures(metrics::Registry& registry, const std::string& protocol) {
  return registry.counter("sealpost_auth_failures_total",
                          "Passwords, proofs and tokens that were looked at and prove nobody, by protocol.",
                          {{"protocol", protocol}});
}

ServicesCounts services_counts(metrics::Registry& registry) {
  ServicesCounts counts{registry.timing("sealpost_redis_command_seconds",
                                        "A round trip to Redis, those that failed included.", round_trips),
                        {}};
  for (const KeyType type : {KeyType::Rsa2048, KeyType::Rsa3072, KeyType::Rsa4096, KeyType::P256}) {
    counts.generation[type] = registry.timing("sealpost_key_generation_seconds", "The making of a key pair, by type.",
                                              generations, {{"type", std::string(to_text(type))}});
  }
  return counts;
}

}  // namespace

Metrics::Metrics()
    : services(services_counts(registry)),
      smtp(submissions(registry, "smtp", {451, 452, 550, 552, 553})),
      rest(submissions(registry, "rest", {400, 403, 409, 413, 415, 422, 429, 503})),
      seal(registry.timing("sealpost_seal_seconds", "The encryption of a message for all its recipients.", messages)),
      deliveries(delivery_counts(registry)),
      tls_in(tls_counts(registry, "in")),
      tls_out(tls_counts(registry, "out")),
      smtp_auth_failures(auth_failures(registry, "smtp")),
      http_auth_failures(auth_failures(registry, "http")) {}

}  // namespace sealpost
