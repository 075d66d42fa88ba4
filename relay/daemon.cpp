// SPDX-License-Identifier: Apache-2.0
// Implements daemon.h.
#include "relay/daemon.h"

#include <sysexits.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/guess_throttle.h"
#include "base/http/server.h"
#include "base/memory_budget.h"
#include "base/net/server_loop.h"
#include "base/net/tls_context.h"
#include "base/net/worker_pool.h"
#include "base/state_dir.h"
#include "conf/loader.h"
#include "conf/machine.h"
#include "crypto/key_pool.h"
#include "crypto/key_routes.h"
#include "notify/codes.h"
#include "notify/recipient_side.h"
#include "queue/dashboard/routes.h"
#include "queue/durability.h"
#include "queue/pulse_routes.h"
#include "queue/queue_routes.h"
#include "queue/queue_verify.h"
#include "queue/redis_server.h"
#include "queue/suppression_routes.h"
#include "relay/delivery/deliverer.h"
#include "relay/delivery/routes.h"
#include "relay/delivery/unbound_resolver.h"
#include "relay/delivery/webhook_hop.h"
#include "relay/descriptors.h"
#include "relay/health_routes.h"
#include "relay/http_authenticator.h"
#include "relay/intake.h"
#include "relay/metrics.h"
#include "relay/metrics_routes.h"
#include "relay/openapi/openapi_routes.h"
#include "relay/queue_overview.h"
#include "relay/services.h"
#include "relay/smtp/connection.h"
#include "relay/smtp/content_reader.h"
#include "relay/submit/status_routes.h"
#include "relay/submit/submit_routes.h"

namespace sealpost {
namespace {

/// Jobs wait for Redis' fsync most of the time, and those that wait together share one.
constexpr std::size_t smtp_workers = 48;
constexpr std::size_t http_workers = 48;
/// Of one account at once: others wait behind so many at most.
constexpr std::size_t calls_of_an_account = 64;
constexpr std::size_t webhook_workers = 16;
/// At once, of one webhook: a slow receiver leaves workers to the others.
constexpr std::size_t calls_of_a_webhook = webhook_workers / 4;
constexpr std::size_t http_connections = 2000;

/// Signals that the main thread waits for; blocked in all threads, which are started later.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  return signals;
}

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

/// Before anything is written there: a CA made in a store that may lose it would leave certificates that nobody vouches
/// for.
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

/// How many connections are taken; a limit of open files that does not do for all of them is told.
ConnectionShares connection_shares(const Settings& settings, Log& log) {
  const bool smtp = !settings.smtp.listen.empty() || !settings.smtp.listen_tls.empty();
  const bool http = !settings.http.listen.empty() || !settings.http.listen_tls.empty();
  const ConnectionShares wanted{smtp ? settings.smtp.max_connections : 0, http ? http_connections : 0};
  // A delivery has a socket, a name look-up and what wakes it; the rest is files, listeners and refusals.
  const bool asks_dns = settings.delivery.route.kind == Route::Kind::Mx;
  const std::size_t reserve = Services::redis_connections + 3 * (settings.delivery.workers + webhook_workers) + 64 +
                              (asks_dns ? UnboundResolver::max_descriptors : 0);
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

/// Everything that runs, in the order in which it needs the rest; destroyed the other way round.
class Relay final {
 public:
  Relay(const Settings& settings, const Templates& templates, const std::string& node, Services& services,
        net::TlsContext& tls, NextHop& next_hop, PollableFlag& abandon, OwnCertificatePolicy own_certificates,
        const Metrics& metrics, Log& log)
      : settings_(settings),
        services_(services),
        tls_(tls),
        metrics_(metrics),
        log_(log),
        budget_(settings.relay.memory_limit),
        destination_(route_name(settings.delivery.route)),
        sender_{settings.notify.from_name, settings.notify.from_address, settings.relay.hostname},
        pool_(services.vault(), settings.keys.pool_size, log),
        sealer_(settings.crypto),
        rate_(services.redis(), services.clock(), settings.notify.max_new_per_account),
        watermark_(services.redis(), settings.redis.url.embedded() ? settings.relay.state_dir : std::string()),
        throttle_(services.clock()),
        rests_(services.redis(), services.clock()),
        permits_(services.redis(), machine_name() + ":" + node, settings.delivery.destination_concurrency),
        deliverer_(services.queue(), permits_, services.suppressions(), next_hop, abandon, services.wrapper(),
                   services.clock(), services.random(), log, deliverer_options(),
                   {[this](const std::string& recipient, bool arrived) { notifier().sent(recipient, arrived); },
                    [this](const DeliveryEvent& event) { return events_.ended(event); },
                    [this](const std::string& destination, const Destinations::RestChange& rest) {
                      const Status told =
                          rest.length ? rests_.begin(destination, *rest.length, rest.why) : rests_.end(destination);
                      if (!told) log_.failure("delivery.rest_not_told", told.error());
                    }}),
        events_queue_(services.redis(), services.wrapper(), services.clock(), services.random(), log,
                      std::chrono::seconds(60), Schedule::Webhooks),
        events_permits_(services.redis(), machine_name() + ":" + node, calls_of_a_webhook),
        webhook_hop_(services.webhooks(), services.clock(), abandon_events_),
        events_deliverer_(events_queue_, events_permits_, services.suppressions(), webhook_hop_, abandon_events_,
                          services.wrapper(), services.clock(), services.random(), log, events_options(),
                          {[](const std::string&, bool) {}, [](const DeliveryEvent&) { return Status(); }}),
        events_(
            services.webhooks(), events_queue_, services.queue_view(), services.wrapper(), services.clock(), log,
            [this] { return watermark_.full(); }, [this] { events_deliverer_.kick(); }),
        recipient_side_({services.redis(), services.wrapper(), services.directory(), services.key_life(),
                         services.queue(), services.queue_view(), services.clock(), services.random(), log},
                        {settings.notify, sender_, settings.crypto.content_cipher, settings.http.public_url,
                         destination_, [&services](std::string_view content) { return services.sign(content); },
                         templates, settings.recipient_domains},
                        std::move(own_certificates), recipient_hooks()),
        intake_(services.directory(), sealer_, services.queue(), rate_, services.suppressions(), services.wrapper(),
                services.clock(), log,
                {settings.relay.hostname, destination_, settings.crypto.content_cipher, settings.recipient_domains,
                 settings.notify.code_to, metrics.seal},
                intake_hooks()),
        authenticator_(services.accounts(), services.tokens(), throttle_, metrics.http_auth_failures),
        call_rate_(settings.http.max_calls_per_account.count, settings.http.max_calls_per_account.period,
                   calls_of_an_account),
        smtp_context_{{settings.relay.hostname, settings.smtp.max_message_size, settings.smtp.max_recipients},
                      settings.smtp.idle_timeout,
                      services.accounts(),
                      intake_,
                      throttle_,
                      budget_,
                      services.random(),
                      log,
                      [this] { return watermark_.full(); },
                      metrics.smtp,
                      metrics.smtp_auth_failures},
        submit_routes_{intake_, [this] { return watermark_.full(); }, settings.smtp.max_message_size,
                       settings.smtp.max_recipients, metrics.rest},
        status_routes_{services.queue_view(), services.directory(), recipient_side_.links(), services.wrapper()},
        overview_(services, settings.keys.pool_size, certificates()),
        queue_routes_{services.queue_view(), services.queue_actions(), services.queue_why(), services.clock(),
                      [this](std::size_t rows) { return overview_.read(rows); }},
        crl_(services.redis(), services.wrapper(), services.authority(), services.clock(), log),
        pulse_(
            services.redis(), services.clock(),
            [this]() -> std::optional<PoolStatus> {
              auto pool = overview_.pool();
              return pool ? std::optional(*pool) : std::nullopt;
            },
            log),
        sessions_(services.redis(), services.wrapper(), services.clock(), services.random(), log, authenticator_,
                  [&services](const std::string& account) { return services.accounts().operator_stamp(account); }),
        dashboard_{services.queue_view(),
                   services.queue_actions(),
                   pulse_,
                   sessions_,
                   services.clock(),
                   {settings.relay.hostname, settings.http.public_url},
                   queue_routes_.overview,
                   [&services](const DeliveryId& id) { return services.queue_why().delivery(id); },
                   [&services](const std::string& domain) { return services.queue_why().domain(domain); }},
        smtp_pool_(smtp_workers),
        http_pool_(http_workers),
        smtp_loop_(smtp_pool_, &tls, log, metrics.tls_in),
        http_loop_(http_pool_, &tls, log, metrics.tls_in) {}

  Status start() {
    shares_ = connection_shares(settings_, log_);
    auto ca = services_.authority().pem();
    if (!ca) return ca.error();
    key_routes_ = std::make_unique<KeyRoutesContext>(
        KeyRoutesContext{services_.directory(), crl_, services_.clock(), *ca,
                         [this](const std::string& account, const EmailAddress& address) {
                           return rate_.take(account, {address.directory_key()});
                         },
                         [this] { notifier().kick(); },
                         [this](const std::string& row_id) -> std::optional<Secret> {
                           if (settings_.notify.code_to != CodeTo::Sender) return std::nullopt;
                           return sender_code(services_.wrapper(), row_id);
                         }});
    router_.add(recipient_side_.routes());
    router_.add(key_routes(*key_routes_));
    router_.add(submit::submit_routes(submit_routes_));
    router_.add(submit::status_routes(status_routes_));
    router_.add(queue_routes(queue_routes_));
    router_.add(pulse_routes(pulse_));
    router_.add(dashboard::routes(dashboard_));
    router_.add(suppression_routes(services_.suppressions()));
    router_.add(health_routes(services_.redis(), watermark_, services_.clock(),
                              {{"the TLS certificate", [this] { return tls_.not_after(); }},
                               {"the issuing CA", [this] { return not_after(services_.authority().issuing()); }}}));
    router_.add(openapi_routes(settings_.http.public_url));
    if (auto made = make_metrics(); !made) return made;
    router_.add(metrics_routes(*metrics_context_));
    http_context_ = std::make_unique<http::ServerContext>(
        http::ServerContext{router_, authenticator_, budget_, log_, {settings_.http.trusted_proxies}, &call_rate_});
    for (const auto& opened : {listen_smtp("smtp.listen", "smtp", settings_.smtp.listen, false),
                               listen_smtp("smtp.listen_tls", "smtps", settings_.smtp.listen_tls, true),
                               listen_http("http.listen", "http", settings_.http.listen, false),
                               listen_http("http.listen_tls", "https", settings_.http.listen_tls, true)}) {
      if (!opened) return opened;
    }
    pool_.start();
    deliverer_.start();
    events_deliverer_.start();
    notifier().start();
    http_loop_.start();
    smtp_loop_.start();
    return {};
  }

  /// No new mail; what is being taken in or sent may end in its own time. A quarter of the grace, two seconds at most,
  /// is kept for handing back what did not end. At its end Redis, too, is waited for no longer: what is not recorded
  /// then, the reaper finds.
  void drain() {
    using std::chrono::milliseconds;
    const milliseconds grace = settings_.relay.drain_timeout;
    const auto end = std::chrono::steady_clock::now() + grace;
    const milliseconds own_time = grace - std::min<milliseconds>(grace / 4, std::chrono::seconds(2));
    const std::jthread limit([this, end](const std::stop_token& drained) {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any over;
      if (!over.wait_until(lock, drained, end, [] { return false; }) && !drained.stop_requested()) {
        log_.warning("drain.out_of_time");
        services_.redis().close();
      }
    });
    {
      const std::jthread smtp([&] { smtp_loop_.stop(own_time); });
      const std::jthread http([&] { http_loop_.stop(own_time); });
      const std::jthread events([&] { events_deliverer_.stop(end - grace + own_time); });
      notifier().stop();
      deliverer_.stop(end - grace + own_time);
    }
    pool_.stop();
  }

 private:
  [[nodiscard]] DelivererOptions deliverer_options() const {
    const DeliverySettings& delivery = settings_.delivery;
    return {delivery.workers,    delivery.destination_concurrency, delivery.retry, delivery.max_age,
            delivery.warn_after, settings_.queue.history,          sender_,        destination_,
            metrics_.deliveries};
  }

  /// Webhooks have workers of their own: however slow or dead their receivers are, no mail waits for them.
  [[nodiscard]] DelivererOptions events_options() const {
    using namespace std::chrono_literals;
    return {webhook_workers,
            calls_of_a_webhook,
            {5s, 30s, 2min, 10min, 1h, 4h, 12h},
            72h,
            73h,  // nobody is warned
            settings_.queue.history,
            sender_,
            {}};
  }

  /// Those in use now, by the names that metrics and summaries give them.
  std::vector<WatchedCertificate> certificates() {
    return {{"tls", [this] { return tls_.not_after(); }},
            {"issuing_ca", [this] { return not_after(services_.authority().issuing()); }}};
  }

  Notifier& notifier() { return recipient_side_.notifier(); }

  RecipientSide::Hooks recipient_hooks() {
    return {[this] { deliverer_.kick(); },
            [this](const std::string& recipient, const KeyRecord& key) -> Status {
              auto event = events_.picked_up(recipient, key);
              if (event || event.error().kind == ErrorKind::Temporary) return event;
              log_.failure("webhook.pickup_not_told", event.error(), {{"recipient", recipient}});
              return {};
            }};
  }

  IntakeHooks intake_hooks() {
    return {[this](const KeyRecord& key, const EmailAddress& address, const Introduction& introduction) {
              return notifier().remind(key, address, introduction);
            },
            [this] { deliverer_.kick(); }, [this] { notifier().kick(); },
            [this](const HeldMail& mail) { recipient_side_.waits(mail); }};
  }

  /// With connections to Redis of its own: a scrape waits neither for those that have mail, nor as long.
  Status make_metrics() {
    auto endpoint = redis_endpoint(settings_);
    if (!endpoint) return endpoint.error();
    scrape_redis_ = std::make_unique<redis::Client>(std::move(*endpoint), scrape_patience, 2);
    metrics_context_ = std::make_unique<MetricsRoutesContext>(MetricsRoutesContext{
        metrics_.registry,
        *scrape_redis_,
        services_.clock(),
        budget_,
        settings_.crypto.key_type,
        settings_.keys.pool_size,
        certificates(),
        {{"smtp", [this] { return smtp_loop_.connections(); }}, {"http", [this] { return http_loop_.connections(); }}},
        services_.clock().now()});
    return {};
  }

  Status listen(net::ServerLoop& loop, const std::string& key, net::ListenerOptions options) {
    const std::string name = options.name;
    auto port = loop.listen(std::move(options));
    if (!port) return Error{port.error().kind, key + ": " + port.error().public_text, port.error().internal_detail};
    log_.info("listening", {{"service", name}, {"port", *port}});
    return {};
  }

  Status listen_smtp(const char* key, const char* name, const std::string& address, bool tls) {
    if (address.empty()) return {};
    net::ListenerOptions options{name, address, tls, shares_.smtp, settings_.smtp.max_connections_per_client,
                                 {},   {},      {}};
    options.handshake_timeout = std::chrono::seconds(30);
    options.refusal = "421 4.7.0 " + settings_.relay.hostname + " too many connections, try again later\r\n";
    options.accept = [this] { return smtp::make_connection(smtp_context_); };
    return listen(smtp_loop_, key, std::move(options));
  }

  Status listen_http(const char* key, const char* name, const std::string& address, bool tls) {
    if (address.empty()) return {};
    net::ListenerOptions options{name, address, tls, shares_.http, 200, {}, {}, {}};
    options.handshake_timeout = std::chrono::seconds(10);
    options.accept = [this] { return http::make_conversation(*http_context_); };
    return listen(http_loop_, key, std::move(options));
  }

  const Settings& settings_;
  Services& services_;
  net::TlsContext& tls_;
  const Metrics& metrics_;
  Log& log_;
  MemoryBudget budget_;
  ConnectionShares shares_;
  std::string destination_;
  NoticeSender sender_;
  KeyPool pool_;
  Sealer sealer_;
  NewAddressRate rate_;
  StoreWatermark watermark_;
  GuessThrottle throttle_;
  Rests rests_;
  Permits permits_;
  Deliverer deliverer_;
  PollableFlag abandon_events_;  ///< not the mail's: each deliverer raises its own when its time is over
  MailQueue events_queue_;       ///< a life of its own in the same queue
  Permits events_permits_;
  WebhookHop webhook_hop_;
  Deliverer events_deliverer_;
  WebhookEvents events_;
  RecipientSide recipient_side_;
  Intake intake_;
  HttpAuthenticator authenticator_;
  http::CallRate call_rate_;
  smtp::ConnectionContext smtp_context_;
  submit::SubmitRoutesContext submit_routes_;
  submit::StatusRoutesContext status_routes_;
  QueueOverview overview_;
  QueueRoutesContext queue_routes_;
  CrlPublisher crl_;
  Pulse pulse_;
  OperatorSessions sessions_;
  dashboard::Context dashboard_;
  std::unique_ptr<KeyRoutesContext> key_routes_;
  std::unique_ptr<redis::Client> scrape_redis_;
  std::unique_ptr<MetricsRoutesContext> metrics_context_;
  http::Router router_;
  std::unique_ptr<http::ServerContext> http_context_;
  net::WorkerPool smtp_pool_;
  net::WorkerPool http_pool_;
  net::ServerLoop smtp_loop_;
  net::ServerLoop http_loop_;
};

int stop_start(Log& log, const Error& why) {
  log.error("start.failed", {{"reason", why.public_text}, {"detail", why.internal_detail}});
  return why.kind == ErrorKind::Temporary ? EX_UNAVAILABLE : EX_CONFIG;
}

/// What an earlier version left has no indexes yet.
Status move_earlier_store(redis::Client& redis, const Clock& clock, Log& log) {
  if (auto indexed = index_earlier_pairs(redis); !indexed) return indexed;
  auto earlier = has_earlier_layout(redis);
  if (!earlier) return earlier.error();
  if (!*earlier) return {};
  log.info("queue.indexing");
  return move_to_layout(redis, clock);
}

/// Until SIGTERM or SIGINT.
void wait_for_end(const sigset_t& signals, net::TlsContext& tls, Log& log) {
  while (true) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (number != SIGHUP) {
      log.info("stopping", {{"signal", number}});
      return;
    }
    if (auto reloaded = tls.reload(); !reloaded) {
      log.failure("tls.reload_failed", reloaded.error());
    } else {
      log.info("tls.reloaded");
    }
  }
}

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

int run_daemon(const LoadedSettings& loaded, Log& log) {
  const Settings& settings = loaded.settings;
  const sigset_t signals = block_signals();
  warn_of_small_limit(settings, log);
  warn_of_unused_policies(settings, log);
  auto templates = load_templates(settings.notify, settings.recipient_domains);
  if (!templates) return stop_start(log, templates.error());
  SystemRandom random;
  auto state_dir = StateDir::take(settings.relay.state_dir, random);
  if (!state_dir) return stop_start(log, state_dir.error());
  auto tls = load_tls(settings, log);
  if (!tls) return stop_start(log, tls.error());

  EmbeddedRedis embedded(settings.relay.state_dir, settings.redis.maxmemory, log);
  if (settings.redis.url.embedded()) {
    if (auto started = embedded.start(); !started) return stop_start(log, started.error());
  }
  if (auto durable = check_store(settings); !durable) return stop_start(log, durable.error());
  const SystemClock clock;
  const Metrics metrics;
  auto services = Services::open(settings, clock, log, Services::Role::Daemon, metrics.services);
  if (!services) return stop_start(log, services.error());
  if (auto moved = move_earlier_store((*services)->redis(), clock, log); !moved) return stop_start(log, moved.error());
  auto own_certificates = load_own_certificate_policy(settings.keys);
  if (!own_certificates) return stop_start(log, own_certificates.error());
  PollableFlag abandon;
  auto next_hop = make_next_hop(settings, (*services)->random(), abandon, metrics.tls_out);
  if (!next_hop) return stop_start(log, next_hop.error());
  {
    Relay relay(settings, *templates, state_dir->node(), **services, **tls, **next_hop, abandon,
                *std::move(own_certificates), metrics, log);
    if (auto started = relay.start(); !started) return stop_start(log, started.error());
    log.info("ready", {{"hostname", settings.relay.hostname}});
    wait_for_end(signals, **tls, log);
    relay.drain();
  }
  services->reset();
  embedded.stop();
  log.info("stopped");
  return EX_OK;
}

}  // namespace sealpost
