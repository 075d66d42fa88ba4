// SPDX-License-Identifier: Apache-2.0
// Implements start_checks.h.
#include "relay/start_checks.h"

#include <string>

#include "conf/loader.h"
#include "crypto/key_summary.h"
#include "queue/durability.h"
#include "queue/queue_verify.h"
#include "relay/delivery/unbound_resolver.h"
#include "relay/services.h"
#include "relay/smtp/content_reader.h"
#include "relay/webhook_side.h"

namespace sealpost {
namespace {

constexpr std::size_t http_connections = 2000;

/// A setting that refuses mail by itself is told before the first sender meets it.
void warn_of_small_limit(const Settings& settings, Log& log) {
  const std::uint64_t needed = settings.smtp.max_message_size * smtp::memory_per_octet;
  if (settings.relay.memory_limit >= needed) return;
  log.warning("memory.limit_is_small",
              {{"relay.memory_limit", settings.relay.memory_limit},
               {"needed", needed},
               {"hint", "messages of smtp.max_message_size are refused; raise the one or lower the other"}});
}

/// Policies by domain choose among MX hosts; a fixed route has one for all.
void warn_of_unused_policies(const Settings& settings, Log& log) {
  const auto& policies = settings.delivery.domain_tls;
  if (policies.empty() || settings.delivery.route.kind == Route::Kind::Mx) return;
  log.warning("delivery.domains_unused", {{"domains", policies.size()},
                                          {"hint",
                                           "[delivery.domain.…] counts with delivery.route = mx only; "
                                           "for a fixed route set delivery.tls"}});
}

}  // namespace

Result<std::unique_ptr<net::TlsContext>> load_tls(const Settings& settings, Log& log) {
  if (!settings.tls.certificate.empty()) {
    auto loaded = net::TlsContext::load(settings.tls.certificate, settings.tls.private_key);
    if (!loaded) loaded.error().public_text.insert(0, "tls.certificate: ");
    return loaded;
  }
  const std::string certificate = settings.relay.state_dir + "/tls.crt";
  const std::string key = settings.relay.state_dir + "/tls.key";
  if (auto made = net::make_self_signed(certificate, key, settings.relay.hostname); !made) return made.error();
  log.warning("tls.self_signed", {{"certificate", certificate}, {"hint", "set tls.certificate and tls.private_key"}});
  return net::TlsContext::load(certificate, key);
}

Status check_store(const Settings& settings) {
  auto endpoint = redis_endpoint(settings);
  if (!endpoint) return endpoint.error();
  redis::Client redis(std::move(*endpoint), std::chrono::seconds(10), 1);
  auto findings = check_durability(redis);
  if (!findings && findings.error().kind == ErrorKind::Temporary) {
    return Error::temporary("Redis cannot be reached (" + settings.redis.url.text + ")",
                            findings.error().internal_detail);
  }
  if (!findings) return findings.error();
  if (findings->empty()) return {};
  std::string text;
  for (const auto& finding : *findings) text += (text.empty() ? "" : "; ") + finding;
  return Error::invalid(text);
}

Status move_earlier_store(redis::Client& redis, const Clock& clock, Log& log) {
  if (auto indexed = index_earlier_pairs(redis); !indexed) return indexed;
  auto earlier = has_earlier_layout(redis);
  if (!earlier) return earlier.error();
  if (!*earlier) return {};
  log.info("queue.indexing");
  return move_to_layout(redis, clock);
}

ConnectionShares connection_shares(const Settings& settings, Log& log) {
  const bool smtp = !settings.smtp.listen.empty() || !settings.smtp.listen_tls.empty();
  const bool http = !settings.http.listen.empty() || !settings.http.listen_tls.empty();
  const ConnectionShares wanted{smtp ? settings.smtp.max_connections : 0, http ? http_connections : 0};
  // A delivery has a socket, a name look-up and what wakes it; the rest is files, listeners and refusals.
  const bool asks_dns = settings.delivery.route.kind == Route::Kind::Mx;
  const std::size_t reserve = Services::redis_connections + 3 * (settings.delivery.workers + WebhookSide::workers) +
                              64 + (asks_dns ? UnboundResolver::max_descriptors : 0);
  const std::size_t limit = raise_descriptor_limit();
  const ConnectionShares shares = share_descriptors(limit, wanted, reserve);
  if (shares.smtp + shares.http < wanted.smtp + wanted.http) {
    log.warning("descriptors.few", {{"limit", limit},
                                    {"needed", wanted.smtp + wanted.http + reserve},
                                    {"smtp_connections", shares.smtp},
                                    {"http_connections", shares.http},
                                    {"hint", "raise the limit of open files, or lower smtp.max_connections"}});
  }
  return shares;
}

void warn_of_surprises(const Settings& settings, Log& log) {
  warn_of_small_limit(settings, log);
  warn_of_unused_policies(settings, log);
}

}  // namespace sealpost
