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
#include "queue/durability.h"
#include "queue/redis_server.h"
#include "queue/suppression_routes.h"
#include "relay/delivery/deliverer.h"
#include "relay/delivery/routes.h"
#include "relay/health_routes.h"
#include "relay/http_authenticator.h"
#include "relay/intake.h"
#include "relay/metrics.h"
#include "relay/metrics_routes.h"
#include "relay/openapi/openapi_routes.h"
#include "relay/operator_side.h"
#include "relay/services.h"
#include "relay/smtp/connection.h"
#include "relay/start_checks.h"
#include "relay/submit/status_routes.h"
#include "relay/submit/submit_routes.h"
#include "relay/webhook_side.h"

namespace sealpost {
namespace {

/// Jobs wait for Redis' fsync most of the time, and those that wait together share one.
constexpr std::size_t smtp_workers = 48;
constexpr std::size_t http_workers = 48;
/// Of one account at once: others wait behind so many at most.
constexpr std::size_t calls_of_an_account = 64;

/// Signals that the main thread waits for; blocked in all threads, which are started later.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  return signals;
}

/// Everything that runs, in the order in which it needs the rest; destroyed the other way round.
class Relay final {
 public:
  Relay(const Settings& settings, const Templates& templates, const std::string& holder, Services& services,
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
        permits_(services.redis(), holder, settings.delivery.destination_concurrency),
        deliverer_(services.queue(), permits_, services.suppressions(), next_hop, abandon, services.wrapper(),
                   services.clock(), services.random(), log, deliverer_options(),
                   {[this](const std::string& recipient, bool arrived) { notifier().sent(recipient, arrived); },
                    [this](const DeliveryEvent& event) { return webhooks_.events().ended(event); },
                    [this](const std::string& destination, const Destinations::RestChange& rest) {
                      const Status told =
                          rest.length ? rests_.begin(destination, *rest.length, rest.why) : rests_.end(destination);
                      if (!told) log_.failure("delivery.rest_not_told", told.error());
                    }}),
        webhooks_(
            services, settings, sender_, holder, [this] { return watermark_.full(); }, log),
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
        operator_side_(services, settings, authenticator_, certificates(), log),
        crl_(services.redis(), services.wrapper(), services.authority(), services.clock(), log),
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
    router_.add(operator_side_.routes());
    router_.add(suppression_routes(services_.suppressions(), services_.audit(), services_.clock()));
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
    webhooks_.start();
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
      const std::jthread events([&] { webhooks_.stop(end - grace + own_time); });
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

  /// Those in use now, by the names that metrics and summaries give them.
  std::vector<WatchedCertificate> certificates() {
    return {{"tls", [this] { return tls_.not_after(); }},
            {"issuing_ca", [this] { return not_after(services_.authority().issuing()); }}};
  }

  Notifier& notifier() { return recipient_side_.notifier(); }

  RecipientSide::Hooks recipient_hooks() {
    return {[this] { deliverer_.kick(); },
            [this](const std::string& recipient, const KeyRecord& key) -> Status {
              auto event = webhooks_.events().picked_up(recipient, key);
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
  WebhookSide webhooks_;
  RecipientSide recipient_side_;
  Intake intake_;
  HttpAuthenticator authenticator_;
  http::CallRate call_rate_;
  smtp::ConnectionContext smtp_context_;
  submit::SubmitRoutesContext submit_routes_;
  submit::StatusRoutesContext status_routes_;
  OperatorSide operator_side_;
  CrlPublisher crl_;
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

}  // namespace

int run_daemon(const LoadedSettings& loaded, Log& log) {
  const Settings& settings = loaded.settings;
  const sigset_t signals = block_signals();
  warn_of_surprises(settings, log);
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
    Relay relay(settings, *templates, machine_name() + ":" + state_dir->node(), **services, **tls, **next_hop, abandon,
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
