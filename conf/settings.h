// SPDX-License-Identifier: Apache-2.0
// The settings as plain structs, one per section; loaded and checked once by load_settings (conf/loader.h). A part
// receives its own struct. The defaults of keys stand in conf/keys.cpp, beside name and meaning; what a member is set
// to here stands only until then.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"

namespace sealpost {

struct RelaySettings {
  std::string hostname;
  std::string state_dir;
  std::uint64_t memory_limit = 0;  ///< octets
  std::chrono::milliseconds drain_timeout{};
};

struct SmtpSettings {
  std::string listen;      ///< host:port; empty when off
  std::string listen_tls;  ///< host:port; empty when off
  std::uint64_t max_message_size = 0;
  std::size_t max_recipients = 0;
  std::size_t max_connections = 0;
  std::size_t max_connections_per_client = 0;
  std::chrono::milliseconds idle_timeout{};
};

struct TlsSettings {
  std::string certificate;  ///< empty: generated in state_dir
  std::string private_key;
};

/// So many in so long.
struct Rate {
  std::size_t count = 0;
  std::chrono::milliseconds period{};
};

struct HttpSettings {
  std::string listen;
  std::string listen_tls;
  std::string public_url;  ///< without a trailing slash
  std::vector<std::string> trusted_proxies;
  Rate max_calls_per_account;
};

/// Where Redis is.
struct RedisUrl {
  std::string text;       ///< as written: "embedded", redis://host:port/db or unix:///path
  std::string unix_path;  ///< wins over the host
  std::string host;       ///< without brackets
  std::uint16_t port = 0;
  int database = 0;

  [[nodiscard]] bool embedded() const { return text == "embedded"; }
};

struct RedisSettings {
  RedisUrl url;
  std::string username;
  std::string password_file;
  std::uint64_t maxmemory = 0;  ///< octets, of the embedded one
};

enum class TlsPolicy { Opportunistic, Required, Verify };

/// The next hop for everything, or MX routing.
struct Route {
  enum class Kind { Mx, Smtp, Smtps, Lmtp, Maildir };
  Kind kind = Kind::Mx;
  std::string host;  ///< without brackets
  std::uint16_t port = 0;
  std::string path;  ///< maildir
};

/// When mail to an address that bounces again and again is refused.
struct SuppressSettings {
  std::size_t after = 0;  ///< bounces in a row; 0: never
  std::chrono::milliseconds lasts{};
};

struct DeliverySettings {
  Route route;
  std::uint16_t port = 25;
  TlsPolicy tls = TlsPolicy::Opportunistic;
  std::map<std::string, TlsPolicy> domain_tls;  ///< by A-label domain
  bool allow_private = false;
  std::string username;
  std::string password_file;
  std::size_t workers = 0;
  std::size_t destination_concurrency = 0;
  std::vector<std::chrono::milliseconds> retry;  ///< the last one repeats
  std::chrono::milliseconds max_age{};
  std::chrono::milliseconds warn_after{};
  SuppressSettings suppress;
};

struct DnsSettings {
  std::string server;  ///< address:port; empty: the system's
};

struct QueueSettings {
  std::chrono::milliseconds history{};
};

enum class KeyType { Rsa2048, Rsa3072, Rsa4096, P256 };
enum class ContentCipher { Aes256Cbc, Aes256Gcm };

struct CryptoSettings {
  KeyType key_type = KeyType::Rsa3072;
  ContentCipher content_cipher = ContentCipher::Aes256Cbc;
};

enum class KeyPolicy { Interim, Permanent };

struct KeysSettings {
  std::size_t pool_size = 0;
  KeyPolicy policy = KeyPolicy::Interim;
  std::chrono::milliseconds interim_lifetime{};
  std::string master_key_file;
  std::string accepted_roots;       ///< PEM; empty: whoever issued a recipient's own certificate will do
  bool accept_self_signed = false;  ///< of recipients' own certificates
};

enum class NotifyMode { Code, Attach };
enum class NotifyTls { Required, Opportunistic };
enum class CodeTo { Recipient, Sender };

struct NotifySettings {
  std::string from_name;     ///< display name, may be empty
  std::string from_address;  ///< addr-spec
  NotifyMode mode = NotifyMode::Code;
  CodeTo code_to = CodeTo::Recipient;
  std::chrono::milliseconds code_lifetime{};
  NotifyTls tls = NotifyTls::Required;
  Rate max_new_per_account;
  std::string language;   ///< tag of RFC 5646: of mails, and of pages whose reader asks for none that there is
  std::string templates;  ///< folder of the operator's own words, layouts and logo; empty: none
};

/// What holds for the recipients of one domain, in place of the general setting where something is said.
struct RecipientDomain {
  std::string language = {};                         ///< empty: notify.language
  std::optional<NotifyMode> mode = {};               ///< notify.mode
  std::optional<KeyType> key_type = {};              ///< crypto.key_type
  std::optional<ContentCipher> content_cipher = {};  ///< crypto.content_cipher
  std::optional<KeyPolicy> policy = {};              ///< keys.policy
};
using RecipientDomains = std::map<std::string, RecipientDomain>;  ///< by A-label domain

struct LogSettings {
  LogLevel level = LogLevel::Info;
  LogFormat format = LogFormat::Text;
};

struct Settings {
  RelaySettings relay;
  SmtpSettings smtp;
  TlsSettings tls;
  HttpSettings http;
  RedisSettings redis;
  DeliverySettings delivery;
  DnsSettings dns;
  QueueSettings queue;
  CryptoSettings crypto;
  KeysSettings keys;
  NotifySettings notify;
  RecipientDomains recipient_domains;
  LogSettings log;
};

}  // namespace sealpost
