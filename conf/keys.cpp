// SPDX-License-Identifier: Apache-2.0
// Implements keys.h.
#include "conf/keys.h"

#include <algorithm>
#include <map>
#include <type_traits>

#include "base/email_address.h"
#include "base/encoding.h"
#include "conf/machine.h"
#include "conf/values.h"

namespace sealpost {
namespace {

using Apply = std::function<Status(Settings&, const std::string&)>;

/// Stores what `parse` makes of the text in the member that `where` names.
template <class Where, class Parse>
Apply set(Where where, Parse parse) {
  return [where, parse](Settings& settings, const std::string& text) -> Status {
    auto value = parse(text);
    if (!value) return value.error();
    where(settings) = *std::move(value);
    return {};
  };
}

/// The same for a member that belongs to a domain.
template <class Parse, class Where>
auto set_of_domain(Parse parse, Where where) {
  return [parse, where](Settings& settings, const std::string& domain, const std::string& text) -> Status {
    auto value = parse(text);
    if (!value) return value.error();
    where(settings, domain) = *std::move(value);
    return {};
  };
}

template <class T>
auto one_of(std::map<std::string, T> choices) {
  return [choices = std::move(choices)](const std::string& text) -> Result<T> {
    if (const auto found = choices.find(text); found != choices.end()) return found->second;
    std::string list;
    for (const auto& [name, value] : choices) list += (list.empty() ? "" : ", ") + name;
    return Error::invalid("not one of " + list + ": " + text);
  };
}

auto count(std::size_t least, std::size_t most) {
  return [least, most](const std::string& text) { return parse_count(text, least, most); };
}

Result<std::string> any_text(const std::string& text) { return text; }

Result<std::string> host_name(const std::string& text) {
  auto domain = DomainName::parse(text);
  if (!domain) return Error::invalid("not a host name: " + text);
  return domain->a_label();
}

Result<std::string> absolute_path(const std::string& text) {
  if (!text.starts_with('/')) return Error::invalid("not an absolute path: " + text);
  return text;
}

Result<std::string> optional_path(const std::string& text) {
  return text.empty() ? Result<std::string>(text) : absolute_path(text);
}

/// Whether there are words in it is seen when they are loaded.
Result<std::string> language_tag(const std::string& text) {
  const bool clean = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!clean || text.size() < 2 || text.size() > 35 || text.starts_with('-') || text.ends_with('-')) {
    return Error::invalid("not a language tag, such as en or pt-BR: " + text);
  }
  return text;
}

/// For what must last: zero would end it before it began.
Result<std::chrono::milliseconds> lifetime(const std::string& text) {
  auto duration = parse_duration(text);
  if (duration && *duration < std::chrono::seconds(1)) return Error::invalid("less than 1s: " + text);
  return duration;
}

Result<std::size_t> count_or_off(const std::string& text) {
  auto number = text == "off" ? Result<std::size_t>(0) : parse_count(text, 0, 1000);
  if (!number) return Error::invalid(number.error().public_text + " (or off)");
  return number;
}

Result<std::uint64_t> memory(const std::string& text) {
  auto octets = parse_size(text, usable_memory());
  if (octets && *octets < 8ULL * 1024 * 1024) return Error::invalid("less than 8m: " + text);
  return octets;
}

Result<std::uint64_t> message_size(const std::string& text) {
  auto octets = parse_size(text, 0);
  if (octets && (*octets < 1024 || *octets > 1024ULL * 1024 * 1024)) {
    return Error::invalid("not between 1k and 1g: " + text);
  }
  return octets;
}

Result<std::vector<std::string>> addresses(const std::string& text) {
  auto words = parse_words(text);
  for (const auto& word : words) {
    if (!is_numeric_address(word)) return Error::invalid("not a numeric address: " + word);
  }
  return words;
}

Result<std::string> resolver(const std::string& text) {
  if (text.empty()) return text;
  auto parsed = parse_host_port(text);
  if (!parsed || parsed->port == 0 || !is_numeric_address(parsed->host)) {
    return Error::invalid("not address:port: " + text);
  }
  return text;
}

const std::map<std::string, TlsPolicy>& tls_policies() {
  static const std::map<std::string, TlsPolicy> policies = {
      {"opportunistic", TlsPolicy::Opportunistic}, {"required", TlsPolicy::Required}, {"verify", TlsPolicy::Verify}};
  return policies;
}

const std::map<std::string, KeyType>& key_types() {
  static const std::map<std::string, KeyType> types = {{"rsa2048", KeyType::Rsa2048},
                                                       {"rsa3072", KeyType::Rsa3072},
                                                       {"rsa4096", KeyType::Rsa4096},
                                                       {"p256", KeyType::P256}};
  return types;
}

const std::map<std::string, ContentCipher>& content_ciphers() {
  static const std::map<std::string, ContentCipher> ciphers = {{"aes256-cbc", ContentCipher::Aes256Cbc},
                                                               {"aes256-gcm", ContentCipher::Aes256Gcm}};
  return ciphers;
}

const std::map<std::string, KeyPolicy>& key_policies() {
  static const std::map<std::string, KeyPolicy> policies = {{"interim", KeyPolicy::Interim},
                                                            {"permanent", KeyPolicy::Permanent}};
  return policies;
}

const std::map<std::string, NotifyMode>& notify_modes() {
  static const std::map<std::string, NotifyMode> modes = {{"code", NotifyMode::Code}, {"attach", NotifyMode::Attach}};
  return modes;
}

Status apply_from(Settings& settings, const std::string& text) {
  auto mailbox = parse_mailbox(text);
  if (!mailbox) return mailbox.error();
  settings.notify.from_name = mailbox->name;
  settings.notify.from_address = mailbox->address;
  return {};
}

// A path of members cannot stand in parentheses.
#define MEMBER(path) \
  [](Settings & settings) -> auto& { return settings.path; }  // NOLINT(bugprone-macro-parentheses)

std::vector<SettingKey> relay_keys() {
  return {
      {"relay.hostname", machine_name(), "name in the greeting, Received and Message-ID",
       set(MEMBER(relay.hostname), host_name)},
      {"relay.state_dir", "/var/lib/sealpost", "master key, embedded Redis data, generated TLS; locked by one daemon",
       set(MEMBER(relay.state_dir), absolute_path)},
      {"relay.memory_limit", "25%", "plaintext and buffers in flight; beyond: 452 4.3.1, HTTP 503",
       set(MEMBER(relay.memory_limit), memory)},
      {"relay.drain_timeout", "30s", "what SIGTERM waits for at most",
       set(MEMBER(relay.drain_timeout), parse_duration)},
      {"smtp.listen", "0.0.0.0:587", "submission with STARTTLS; off", set(MEMBER(smtp.listen), parse_listen)},
      {"smtp.listen_tls", "0.0.0.0:465", "submission over TLS; off", set(MEMBER(smtp.listen_tls), parse_listen)},
      {"smtp.max_message_size", "26214400", "octets", set(MEMBER(smtp.max_message_size), message_size)},
      {"smtp.max_recipients", "1000", "per message", set(MEMBER(smtp.max_recipients), count(1, 100000))},
      {"smtp.max_connections", "5000", "further ones get 421 (on the TLS listener: closed)",
       set(MEMBER(smtp.max_connections), count(1, 100000))},
      {"smtp.max_connections_per_client", "200", "per address, per /64",
       set(MEMBER(smtp.max_connections_per_client), count(1, 100000))},
      {"smtp.idle_timeout", "5m", "an idle connection is closed with 421", set(MEMBER(smtp.idle_timeout), lifetime)},
      {"tls.certificate", "", "PEM; without one a self-signed one is made, with a warning",
       set(MEMBER(tls.certificate), optional_path)},
      {"tls.private_key", "", "PEM", set(MEMBER(tls.private_key), optional_path)},
      {"http.listen", "127.0.0.1:8080", "pickup pages and API; off", set(MEMBER(http.listen), parse_listen)},
      {"http.listen_tls", "off", "the same over HTTPS with tls.certificate",
       set(MEMBER(http.listen_tls), parse_listen)},
      {"http.public_url", "http://127.0.0.1:8080", "base of the links in notifications; https unless it names loopback",
       set(MEMBER(http.public_url), parse_public_url)},
      {"http.trusted_proxies", "", "addresses whose X-Forwarded-For and X-Forwarded-Proto are believed",
       set(MEMBER(http.trusted_proxies), addresses)},
      {"http.max_calls_per_account", "120000/m", "API calls of one account, in this process; beyond: 429",
       set(MEMBER(http.max_calls_per_account), parse_rate)},
      {"redis.url", "embedded", "embedded, redis://host:port/db or unix:///path",
       set(MEMBER(redis.url), parse_redis_url)},
      {"redis.username", "", "of an outside Redis", set(MEMBER(redis.username), any_text)},
      {"redis.password_file", "", "of an outside Redis; mode 0600", set(MEMBER(redis.password_file), optional_path)},
      {"redis.maxmemory", "50%", "of the embedded one", set(MEMBER(redis.maxmemory), memory)},
  };
}

std::vector<SettingKey> delivery_keys() {
  return {
      {"delivery.route", "mx", "mx, smtp://host:port, smtps://..., lmtp://..., or maildir:/path",
       set(MEMBER(delivery.route), parse_route)},
      {"delivery.port", "25", "the port of MX hosts",
       [](Settings& settings, const std::string& text) -> Status {
         auto port = parse_count(text, 1, 65535);
         if (!port) return port.error();
         settings.delivery.port = static_cast<std::uint16_t>(*port);
         return {};
       }},
      {"delivery.tls", "opportunistic",
       "opportunistic, required or verify; for one domain: tls in a section [delivery.domain.EXAMPLE.COM]",
       set(MEMBER(delivery.tls), one_of(tls_policies()))},
      {"dns.server", "", "address:port of the resolver; the system's", set(MEMBER(dns.server), resolver)},
      {"delivery.allow_private", "no", "MX hosts on loopback or private addresses may be used",
       set(MEMBER(delivery.allow_private), parse_yes_no)},
      {"delivery.username", "", "AUTH to the next hop of delivery.route", set(MEMBER(delivery.username), any_text)},
      {"delivery.password_file", "", "AUTH to the next hop; mode 0600",
       set(MEMBER(delivery.password_file), optional_path)},
      {"delivery.workers", "128", "attempts at once in this process", set(MEMBER(delivery.workers), count(1, 10000))},
      {"delivery.destination_concurrency", "20", "attempts at once per destination, over all relays on one Redis",
       set(MEMBER(delivery.destination_concurrency), count(1, 10000))},
      {"delivery.retry", "1m,5m,15m,30m,1h,2h,4h", "pauses between attempts; the last one repeats",
       set(MEMBER(delivery.retry), parse_durations)},
      {"delivery.max_age", "5d", "then the delivery bounces", set(MEMBER(delivery.max_age), lifetime)},
      {"delivery.warn_after", "4h", "one delay warning to the sender",
       set(MEMBER(delivery.warn_after), parse_duration)},
      {"delivery.suppress_after", "3", "bounces of an address in a row after which mail to it is refused; off",
       set(MEMBER(delivery.suppress.after), count_or_off)},
      {"delivery.suppress_for", "7d", "how long it is refused", set(MEMBER(delivery.suppress.lasts), lifetime)},
      {"queue.history", "7d", "how long a finished message's record can be looked up",
       set(MEMBER(queue.history), parse_duration)},
  };
}

std::vector<SettingKey> key_keys() {
  return {
      {"crypto.key_type", "rsa3072", "rsa2048, rsa3072, rsa4096 or p256",
       set(MEMBER(crypto.key_type), one_of(key_types()))},
      {"crypto.content_cipher", "aes256-cbc", "or aes256-gcm",
       set(MEMBER(crypto.content_cipher), one_of(content_ciphers()))},
      {"keys.pool_size", "64", "pairs that the relay keeps ready", set(MEMBER(keys.pool_size), count(0, 100000))},
      {"keys.policy", "interim", "or permanent: the state of a newly assigned pair",
       set(MEMBER(keys.policy), one_of(key_policies()))},
      {"keys.interim_lifetime", "90d", "after it the next message gets a new pair",
       set(MEMBER(keys.interim_lifetime), lifetime)},
      {"keys.master_key_file", "", "state_dir/master.key; mode 0600, made at first start",
       set(MEMBER(keys.master_key_file), optional_path)},
      {"keys.accepted_roots", "",
       "PEM: CAs to which recipients' own certificates must chain; none: whoever issued them",
       set(MEMBER(keys.accepted_roots), optional_path)},
      {"keys.accept_self_signed", "yes", "recipients' own certificates may be self-signed",
       set(MEMBER(keys.accept_self_signed), parse_yes_no)},
      {"notify.from", "", "Sealpost <postmaster@HOSTNAME>",
       [](Settings& settings, const std::string& text) {
         return text.empty() ? Status() : apply_from(settings, text);
       }},
      {"notify.mode", "code", "code: link and code; attach: also the PKCS#12 itself",
       set(MEMBER(notify.mode), one_of(notify_modes()))},
      {"notify.code_to", "recipient", "or sender, who passes the code on by another way than mail",
       set(MEMBER(notify.code_to), one_of<CodeTo>({{"recipient", CodeTo::Recipient}, {"sender", CodeTo::Sender}}))},
      {"notify.code_lifetime", "30d", "how long a code can be used", set(MEMBER(notify.code_lifetime), lifetime)},
      {"notify.tls", "required", "or opportunistic: how a notification travels",
       set(MEMBER(notify.tls),
           one_of<NotifyTls>({{"required", NotifyTls::Required}, {"opportunistic", NotifyTls::Opportunistic}}))},
      {"notify.max_new_per_account", "1000/h", "new addresses that one account may cause to be notified",
       set(MEMBER(notify.max_new_per_account), parse_rate)},
      {"notify.language", "en", "of mails and pages", set(MEMBER(notify.language), language_tag)},
      {"notify.templates", "", "folder of your own words, layouts and logo (docs/templates.md)",
       set(MEMBER(notify.templates), optional_path)},
      {"log.level", "info", "debug, info, warning or error",
       set(MEMBER(log.level), one_of<LogLevel>({{"debug", LogLevel::Debug},
                                                {"info", LogLevel::Info},
                                                {"warning", LogLevel::Warning},
                                                {"error", LogLevel::Error}}))},
      {"log.format", "text", "or json",
       set(MEMBER(log.format), one_of<LogFormat>({{"text", LogFormat::Text}, {"json", LogFormat::Json}}))},
  };
}

#undef MEMBER

}  // namespace

std::string SettingKey::environment_name() const {
  std::string result = "SEALPOST_" + ascii_upper(name);
  std::replace(result.begin(), result.end(), '.', '_');
  return result;
}

const std::vector<SettingKey>& setting_keys() {
  static const std::vector<SettingKey> keys = [] {
    std::vector<SettingKey> all = relay_keys();
    for (auto& more : {delivery_keys(), key_keys()}) all.insert(all.end(), more.begin(), more.end());
    return all;
  }();
  return keys;
}

// A path of members cannot stand in parentheses.
#define DOMAIN_MEMBER(member)                                      \
  [](Settings & settings, const std::string& domain) -> auto& {    \
    return settings.recipient_domains[domain].member; /* NOLINT */ \
  }

const std::vector<DomainKey>& domain_keys() {
  static const std::vector<DomainKey> keys = {
      {"delivery.domain.", "tls",
       set_of_domain(
           one_of(tls_policies()), [](Settings & settings, const std::string& domain) -> auto& {
             return settings.delivery.domain_tls[domain];
           })},
      {"recipient.domain.", "language", set_of_domain(language_tag, DOMAIN_MEMBER(language))},
      {"recipient.domain.", "mode", set_of_domain(one_of(notify_modes()), DOMAIN_MEMBER(mode))},
      {"recipient.domain.", "key_type", set_of_domain(one_of(key_types()), DOMAIN_MEMBER(key_type))},
      {"recipient.domain.", "content_cipher", set_of_domain(one_of(content_ciphers()), DOMAIN_MEMBER(content_cipher))},
      {"recipient.domain.", "policy", set_of_domain(one_of(key_policies()), DOMAIN_MEMBER(policy))},
  };
  return keys;
}

#undef DOMAIN_MEMBER

}  // namespace sealpost
