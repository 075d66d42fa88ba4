// SPDX-License-Identifier: Apache-2.0
// Implements services.h.
#include "relay/services.h"

#include <Poco/URI.h>

#include <utility>

#include "conf/loader.h"
#include "conf/values.h"
#include "notify/webhook_events.h"
#include "relay/delivery/routes.h"

namespace sealpost {
namespace {

/// A script that moves a large message may take a while on a busy disk; beyond this Redis counts as away.
constexpr std::chrono::seconds redis_timeout{10};

/// Empty when the URL names loopback: readers elsewhere would wait for what never answers.
std::string crl_url_under(const std::string& public_url) {
  const auto host = Poco::URI(public_url).getHost();
  return is_loopback_host(host) ? std::string() : public_url + "/v1/crl";
}

}  // namespace

/// In the order in which they need each other.
struct Services::Parts {
  Parts(const Clock& the_clock, redis::Endpoint endpoint, metrics::Timing took)
      : clock(the_clock), redis(std::move(endpoint), redis_timeout, redis_connections, took) {}

  const Clock& clock;
  SystemRandom random;
  redis::Client redis;
  std::unique_ptr<MasterKey> master_key;
  std::unique_ptr<CertificateAuthority> authority;
  std::unique_ptr<RelayIdentity> identity;
  std::unique_ptr<KeyVault> vault;
  std::unique_ptr<Log> audit_log;
  std::unique_ptr<AuditTrail> audit;
  std::unique_ptr<KeyDirectory> directory;
  std::unique_ptr<KeyLife> key_life;
  std::unique_ptr<Accounts> accounts;
  std::unique_ptr<Tokens> tokens;
  std::unique_ptr<MailQueue> queue;
  std::unique_ptr<QueueView> queue_view;
  std::unique_ptr<QueueActions> queue_actions;
  std::unique_ptr<QueueWhy> queue_why;
  std::unique_ptr<Suppressions> suppressions;
  std::unique_ptr<Webhooks> webhooks;
};

/// What recipients are told is signed, or the relay does not start.
Result<RelayIdentity> Services::open_identity(Parts& parts, const std::string& from, Log& log) {
  const auto address = EmailAddress::parse(from);
  auto identity =
      address ? RelayIdentity::open(parts.redis, *parts.master_key, *parts.authority, *address, parts.clock, log)
              : Result<RelayIdentity>(address.error());
  if (!identity && identity.error().kind == ErrorKind::Invalid) identity.error().public_text.insert(0, "notify.from: ");
  return identity;
}

Services::Services(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Services::~Services() = default;

Result<std::unique_ptr<Services>> Services::open(const Settings& settings, const Clock& clock, Log& log, Role role,
                                                 ServicesCounts counts) {
  auto endpoint = redis_endpoint(settings);
  if (!endpoint) return endpoint.error();
  auto parts = std::make_unique<Parts>(clock, std::move(*endpoint), counts.redis);
  Parts& p = *parts;
  if (auto pong = p.redis.command({"PING"}); !pong) {
    return Error::temporary("Redis cannot be reached (" + settings.redis.url.text + ")" +
                                (role == Role::Tool && settings.redis.url.embedded() ? "; is sealpostd running?" : ""),
                            pong.error().internal_detail);
  }
  const std::string& file = settings.keys.master_key_file;
  auto master_key = role == Role::Daemon ? MasterKey::open(file, p.redis, p.random) : MasterKey::load(file, p.random);
  if (!master_key) {
    const Error& why = master_key.error();
    return Error{why.kind, "keys.master_key_file: " + why.public_text, why.internal_detail};
  }
  p.master_key = std::make_unique<MasterKey>(std::move(*master_key));
  // A tool that was pointed at the wrong Redis must leave no mark there.
  if (auto fits =
          role == Role::Daemon ? p.master_key->bind_to_store(p.redis) : p.master_key->compare_with_store(p.redis);
      !fits) {
    return fits.error();
  }

  const std::string crl_url = crl_url_under(settings.http.public_url);
  auto authority = role == Role::Daemon ? CertificateAuthority::open(p.redis, *p.master_key, clock, p.random, log,
                                                                     {KeyType::Rsa3072, crl_url})
                                        : CertificateAuthority::load(p.redis, *p.master_key, clock, p.random, crl_url);
  if (!authority) return authority.error();
  p.authority = std::make_unique<CertificateAuthority>(std::move(*authority));
  auto identity = open_identity(p, settings.notify.from_address, log);
  // The tool must work when the CA is what is wrong; only what it signs asks for the pair.
  if (!identity && role == Role::Daemon) return identity.error();
  if (identity) p.identity = std::make_unique<RelayIdentity>(std::move(*identity));
  p.vault = std::make_unique<KeyVault>(p.redis, *p.master_key, *p.authority, clock, p.random, settings.crypto, log,
                                       settings.recipient_domains, std::move(counts.generation));
  // Whatever log.level says, and from the operator's tool too: where a chain ends is known from the log alone.
  p.audit_log = std::make_unique<Log>(LogLevel::Info, settings.log.format, clock);
  p.audit = std::make_unique<AuditTrail>(p.redis, *p.master_key, *p.audit_log);
  p.directory = std::make_unique<KeyDirectory>(p.redis, *p.master_key, *p.vault, *p.audit, clock, p.random,
                                               settings.keys, log, settings.recipient_domains);
  p.key_life = std::make_unique<KeyLife>(p.redis, *p.master_key, clock, *p.audit, log);
  p.accounts = std::make_unique<Accounts>(p.redis, *p.master_key, clock, p.random, log);
  p.tokens = std::make_unique<Tokens>(p.redis, *p.master_key, clock, p.random, log);
  p.queue = std::make_unique<MailQueue>(p.redis, *p.master_key, clock, p.random, log);
  p.queue_view = std::make_unique<QueueView>(p.redis, clock);
  p.queue_actions = std::make_unique<QueueActions>(p.redis, *p.queue_view, *p.audit, clock);
  p.queue_why =
      std::make_unique<QueueWhy>(p.redis, *p.queue_view, clock,
                                 WhySettings{settings.delivery.max_age, settings.delivery.destination_concurrency,
                                             route_name(settings.delivery.route), webhook_max_age});
  p.suppressions = std::make_unique<Suppressions>(p.redis, clock, settings.delivery.suppress);
  p.webhooks = std::make_unique<Webhooks>(p.redis, *p.master_key, clock, p.random, log);
  return std::unique_ptr<Services>(new Services(std::move(parts)));
}

const Clock& Services::clock() const { return parts_->clock; }
Random& Services::random() { return parts_->random; }
redis::Client& Services::redis() { return parts_->redis; }
Wrapper& Services::wrapper() { return *parts_->master_key; }
CertificateAuthority& Services::authority() { return *parts_->authority; }
Result<std::string> Services::sign(std::string_view content) {
  if (!parts_->identity) return Error::permanent("the relay's signing pair cannot be opened; is its CA still valid?");
  return parts_->identity->sign_detached(content);
}
KeyVault& Services::vault() { return *parts_->vault; }
AuditTrail& Services::audit() { return *parts_->audit; }
KeyDirectory& Services::directory() { return *parts_->directory; }
KeyLife& Services::key_life() { return *parts_->key_life; }
Accounts& Services::accounts() { return *parts_->accounts; }
Tokens& Services::tokens() { return *parts_->tokens; }
MailQueue& Services::queue() { return *parts_->queue; }
QueueView& Services::queue_view() { return *parts_->queue_view; }
QueueActions& Services::queue_actions() { return *parts_->queue_actions; }
QueueWhy& Services::queue_why() { return *parts_->queue_why; }
Suppressions& Services::suppressions() { return *parts_->suppressions; }
Webhooks& Services::webhooks() { return *parts_->webhooks; }

}  // namespace sealpost
