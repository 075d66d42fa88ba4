// SPDX-License-Identifier: Apache-2.0
// Every setting: its default, a good value and where it arrives, a bad value and the complaint; and the sample file
// against the table.
#include "conf/keys.h"

#include <gtest/gtest.h>

#include <functional>
#include <regex>
#include <set>
#include <sstream>

#include "conf/machine.h"
#include "tests/unit/conf/settings_fixture.h"

namespace sealpost {
namespace {

using namespace std::chrono_literals;

struct KeyCase {
  std::string key;
  std::string default_value;
  std::string good;
  std::function<bool(const Settings&)> arrived;
  std::function<bool(const Settings&)> is_default;
  std::string bad;
  std::string reason;
};

#define IS(path, value) [](const Settings& s) { return s.path == (value); }

// clang-format off
const std::vector<KeyCase>& cases() {
  static const std::vector<KeyCase> all = {
    {"relay.hostname", machine_name(), "Relay.Example.com", IS(relay.hostname, "relay.example.com"), IS(relay.hostname, machine_name()), "a..b", "not a host name: a..b"},
    {"relay.state_dir", "/var/lib/sealpost", "/srv/s", IS(relay.state_dir, "/srv/s"), IS(relay.state_dir, "/var/lib/sealpost"), "srv", "not an absolute path: srv"},
    {"relay.memory_limit", "25%", "64m", IS(relay.memory_limit, 64ULL << 20U), IS(relay.memory_limit, usable_memory() / 100 * 25), "1m", "less than 8m: 1m"},
    {"relay.drain_timeout", "30s", "1m", IS(relay.drain_timeout, 60s), IS(relay.drain_timeout, 30s), "soon", "not a duration: soon (a number with s, m, h or d, such as 30s or 5d)"},
    {"smtp.listen", "0.0.0.0:587", "off", IS(smtp.listen, ""), IS(smtp.listen, "0.0.0.0:587"), "587", "not host:port: 587 (or off)"},
    {"smtp.listen_tls", "0.0.0.0:465", "[::]:465", IS(smtp.listen_tls, "[::]:465"), IS(smtp.listen_tls, "0.0.0.0:465"), "mail:465", "not a numeric address: mail"},
    {"smtp.max_message_size", "26214400", "50m", IS(smtp.max_message_size, 50ULL << 20U), IS(smtp.max_message_size, 26214400U), "2g", "not between 1k and 1g: 2g"},
    {"smtp.max_recipients", "1000", "10", IS(smtp.max_recipients, 10U), IS(smtp.max_recipients, 1000U), "0", "not a number from 1 to 100000: 0"},
    {"smtp.max_connections", "5000", "10", IS(smtp.max_connections, 10U), IS(smtp.max_connections, 5000U), "many", "not a number from 1 to 100000: many"},
    {"smtp.max_connections_per_client", "200", "10", IS(smtp.max_connections_per_client, 10U), IS(smtp.max_connections_per_client, 200U), "-1", "not a number from 1 to 100000: -1"},
    {"smtp.idle_timeout", "5m", "90s", IS(smtp.idle_timeout, 90s), IS(smtp.idle_timeout, 5min), "5", "not a duration: 5 (a number with s, m, h or d, such as 30s or 5d)"},
    {"tls.certificate", "", "", IS(tls.certificate, ""), IS(tls.certificate, ""), "cert.pem", "not an absolute path: cert.pem"},
    {"tls.private_key", "", "", IS(tls.private_key, ""), IS(tls.private_key, ""), "key.pem", "not an absolute path: key.pem"},
    {"http.listen", "127.0.0.1:8080", "127.0.0.1:0", IS(http.listen, "127.0.0.1:0"), IS(http.listen, "127.0.0.1:8080"), "web:80", "not a numeric address: web"},
    {"http.listen_tls", "off", "0.0.0.0:443", IS(http.listen_tls, "0.0.0.0:443"), IS(http.listen_tls, ""), "443", "not host:port: 443 (or off)"},
    {"http.public_url", "http://127.0.0.1:8080", "https://mail.example.com/", IS(http.public_url, "https://mail.example.com"), IS(http.public_url, "http://127.0.0.1:8080"), "http://mail.example.com", "must be https unless it names loopback: codes and keys travel over it"},
    {"http.trusted_proxies", "", "10.0.0.1, ::1", IS(http.trusted_proxies, (std::vector<std::string>{"10.0.0.1", "::1"})), IS(http.trusted_proxies, std::vector<std::string>{}), "proxy", "not a numeric address: proxy"},
    {"http.max_calls_per_account", "120000/m", "50/h", IS(http.max_calls_per_account.count, 50U), IS(http.max_calls_per_account.count, 120000U), "5", "not a rate: 5 (such as 1000/h)"},
    {"redis.url", "embedded", "redis://127.0.0.1:6379/2", IS(redis.url.port, 6379), IS(redis.url.text, "embedded"), "redis://user:pw@host:1", "holds a user name or password; use redis.username and redis.password_file"},
    {"redis.username", "", "relay", IS(redis.username, "relay"), IS(redis.username, ""), "", ""},
    {"redis.password_file", "", "", IS(redis.password_file, ""), IS(redis.password_file, ""), "pw", "not an absolute path: pw"},
    {"redis.maxmemory", "50%", "1g", IS(redis.maxmemory, 1ULL << 30U), IS(redis.maxmemory, usable_memory() / 100 * 50), "0", "less than 8m: 0"},
    {"delivery.route", "mx", "smtp://hub.example.com:26", IS(delivery.route.port, 26), IS(delivery.route.kind, Route::Kind::Mx), "hub", "not a route: hub (mx, smtp://host:port, smtps://host:port, lmtp://host:port or maildir:/path)"},
    {"delivery.port", "25", "2525", IS(delivery.port, 2525), IS(delivery.port, 25), "65536", "not a number from 1 to 65535: 65536"},
    {"delivery.tls", "opportunistic", "verify", IS(delivery.tls, TlsPolicy::Verify), IS(delivery.tls, TlsPolicy::Opportunistic), "none", "not one of opportunistic, required, verify: none"},
    {"dns.server", "", "127.0.0.1:53", IS(dns.server, "127.0.0.1:53"), IS(dns.server, ""), "ns.example.com:53", "not address:port: ns.example.com:53"},
    {"delivery.allow_private", "no", "yes", IS(delivery.allow_private, true), IS(delivery.allow_private, false), "maybe", "neither yes nor no: maybe"},
    {"delivery.username", "", "", IS(delivery.username, ""), IS(delivery.username, ""), "relay", "needs delivery.password_file"},
    {"delivery.password_file", "", "", IS(delivery.password_file, ""), IS(delivery.password_file, ""), "pw", "not an absolute path: pw"},
    {"delivery.workers", "128", "1", IS(delivery.workers, 1U), IS(delivery.workers, 128U), "10001", "not a number from 1 to 10000: 10001"},
    {"delivery.destination_concurrency", "20", "1", IS(delivery.destination_concurrency, 1U), IS(delivery.destination_concurrency, 20U), "0", "not a number from 1 to 10000: 0"},
    {"delivery.retry", "1m,5m,15m,30m,1h,2h,4h", "1s, 2s", IS(delivery.retry, (std::vector<std::chrono::milliseconds>{1s, 2s})), IS(delivery.retry.size(), 7U), "0s", "a step of 0 would retry without a pause"},
    {"delivery.max_age", "5d", "1d", IS(delivery.max_age, 24h), IS(delivery.max_age, 120h), "1w", "not a duration: 1w (a number with s, m, h or d, such as 30s or 5d)"},
    {"delivery.warn_after", "4h", "1h", IS(delivery.warn_after, 1h), IS(delivery.warn_after, 4h), "x", "not a duration: x (a number with s, m, h or d, such as 30s or 5d)"},
    {"delivery.suppress_after", "3", "off", IS(delivery.suppress.after, 0U), IS(delivery.suppress.after, 3U), "1001", "not a number from 0 to 1000: 1001 (or off)"},
    {"delivery.suppress_for", "7d", "1d", IS(delivery.suppress.lasts, 24h), IS(delivery.suppress.lasts, 168h), "x", "not a duration: x (a number with s, m, h or d, such as 30s or 5d)"},
    {"queue.history", "7d", "1d", IS(queue.history, 24h), IS(queue.history, 168h), "x", "not a duration: x (a number with s, m, h or d, such as 30s or 5d)"},
    {"crypto.key_type", "rsa3072", "p256", IS(crypto.key_type, KeyType::P256), IS(crypto.key_type, KeyType::Rsa3072), "rsa1024", "not one of p256, rsa2048, rsa3072, rsa4096: rsa1024"},
    {"crypto.content_cipher", "aes256-cbc", "aes256-gcm", IS(crypto.content_cipher, ContentCipher::Aes256Gcm), IS(crypto.content_cipher, ContentCipher::Aes256Cbc), "des", "not one of aes256-cbc, aes256-gcm: des"},
    {"keys.pool_size", "64", "0", IS(keys.pool_size, 0U), IS(keys.pool_size, 64U), "100001", "not a number from 0 to 100000: 100001"},
    {"keys.policy", "interim", "permanent", IS(keys.policy, KeyPolicy::Permanent), IS(keys.policy, KeyPolicy::Interim), "x", "not one of interim, permanent: x"},
    {"keys.interim_lifetime", "90d", "1d", IS(keys.interim_lifetime, 24h), IS(keys.interim_lifetime, 2160h), "x", "not a duration: x (a number with s, m, h or d, such as 30s or 5d)"},
    {"keys.master_key_file", "", "/etc/sealpost/master.key", IS(keys.master_key_file, "/etc/sealpost/master.key"), IS(keys.master_key_file, "/var/lib/sealpost/master.key"), "master.key", "not an absolute path: master.key"},
    {"keys.accepted_roots", "", "/etc/sealpost/roots.pem", IS(keys.accepted_roots, "/etc/sealpost/roots.pem"), IS(keys.accepted_roots, ""), "roots.pem", "not an absolute path: roots.pem"},
    {"keys.accept_self_signed", "yes", "no", IS(keys.accept_self_signed, false), IS(keys.accept_self_signed, true), "maybe", "neither yes nor no: maybe"},
    {"notify.from", "", "Post <post@example.com>", IS(notify.from_address, "post@example.com"), IS(notify.from_address, "postmaster@" + s.relay.hostname), "post", "not a mailbox: the address needs one @ between a local part and a domain"},
    {"notify.mode", "code", "attach", IS(notify.mode, NotifyMode::Attach), IS(notify.mode, NotifyMode::Code), "x", "not one of attach, code: x"},
    {"notify.code_to", "recipient", "sender", IS(notify.code_to, CodeTo::Sender), IS(notify.code_to, CodeTo::Recipient), "x", "not one of recipient, sender: x"},
    {"notify.code_lifetime", "30d", "1d", IS(notify.code_lifetime, 24h), IS(notify.code_lifetime, 720h), "x", "not a duration: x (a number with s, m, h or d, such as 30s or 5d)"},
    {"notify.tls", "required", "opportunistic", IS(notify.tls, NotifyTls::Opportunistic), IS(notify.tls, NotifyTls::Required), "x", "not one of opportunistic, required: x"},
    {"notify.max_new_per_account", "1000/h", "5/d", IS(notify.max_new_per_account.count, 5U), IS(notify.max_new_per_account.count, 1000U), "5", "not a rate: 5 (such as 1000/h)"},
    {"notify.language", "en", "pt-BR", IS(notify.language, "pt-BR"), IS(notify.language, "en"), "en/../x", "not a language tag, such as en or pt-BR: en/../x"},
    {"notify.templates", "", "/etc/sealpost/words", IS(notify.templates, "/etc/sealpost/words"), IS(notify.templates, ""), "words", "not an absolute path: words"},
    {"log.level", "info", "debug", IS(log.level, LogLevel::Debug), IS(log.level, LogLevel::Info), "loud", "not one of debug, error, info, warning: loud"},
    {"log.format", "text", "json", IS(log.format, LogFormat::Json), IS(log.format, LogFormat::Text), "xml", "not one of json, text: xml"},
  };
  return all;
}
// clang-format on

#undef IS

/// The key as a settings file has it.
std::string as_file(const std::string& key, const std::string& value) {
  const auto dot = key.rfind('.');
  return "[" + key.substr(0, dot) + "]\n" + key.substr(dot + 1) + " = " + value + "\n";
}

TEST(SettingKeys, AllHaveACaseHere) {
  ASSERT_EQ(setting_keys().size(), cases().size());
  for (std::size_t i = 0; i < cases().size(); ++i) EXPECT_EQ(setting_keys()[i].name, cases()[i].key);
}

class EachKey : public test::SettingsTest, public ::testing::WithParamInterface<KeyCase> {};

TEST_P(EachKey, HasItsDefault) {
  const auto& keys = setting_keys();
  const auto key = std::find_if(keys.begin(), keys.end(), [](const auto& row) { return row.name == GetParam().key; });
  ASSERT_NE(key, keys.end());
  EXPECT_EQ(key->default_value, GetParam().default_value);
  EXPECT_FALSE(key->meaning.empty());
  const auto loaded = load("");
  ASSERT_TRUE(loaded) << loaded.error().public_text;
  EXPECT_TRUE(GetParam().is_default(loaded->settings));
}

TEST_P(EachKey, TakesAGoodValueFromEachSource) {
  const auto& param = GetParam();
  const auto from_file = load(as_file(param.key, param.good));
  ASSERT_TRUE(from_file) << from_file.error().public_text;
  EXPECT_TRUE(param.arrived(from_file->settings));
  if (param.good.empty()) return;
  const auto from_option = load("", {{param.key, param.good}});
  ASSERT_TRUE(from_option) << from_option.error().public_text;
  EXPECT_TRUE(param.arrived(from_option->settings));
  std::string variable = "SEALPOST_" + param.key;
  for (char& c : variable) c = c == '.' ? '_' : static_cast<char>(std::toupper(c));
  const auto from_environment = load("", {}, {variable + "=" + param.good});
  ASSERT_TRUE(from_environment) << from_environment.error().public_text;
  EXPECT_TRUE(param.arrived(from_environment->settings));
}

TEST_P(EachKey, ComplainsAboutABadValue) {
  const auto& param = GetParam();
  if (param.bad.empty()) {  // takes any text
    EXPECT_EQ(complaint(as_file(param.key, "anything at all")), "");
    return;
  }
  EXPECT_EQ(complaint(as_file(param.key, param.bad)), "sealpost.conf: " + param.key + ": " + param.reason);
  EXPECT_EQ(complaint("", {{param.key, param.bad}}), "command line: " + param.key + ": " + param.reason);
}

INSTANTIATE_TEST_SUITE_P(Keys, EachKey, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return std::regex_replace(info.param.key, std::regex("\\."), "_"); });

/// Lines of the sample: commented-out keys have no blank behind their #, explanations have one.
class SampleFile : public test::SettingsTest {
 protected:
  SampleFile() {
    std::istringstream lines(test::read_file(std::string(SOURCE_DIR) + "/conf/sealpost.conf"));
    for (std::string line; std::getline(lines, line);) {
      as_shipped += line + "\n";
      const bool key = line.size() > 1 && line[0] == '#' && line[1] != ' ';
      uncommented += (key ? line.substr(1) : line) + "\n";
    }
  }
  std::string as_shipped;
  std::string uncommented;
};

TEST_F(SampleFile, AsShippedChangesNothing) {
  const auto shipped = load(as_shipped);
  ASSERT_TRUE(shipped) << shipped.error().public_text;
  EXPECT_EQ(shipped->effective, load("")->effective);
}

TEST_F(SampleFile, NamesEveryKeyWithItsDefault) {
  std::map<std::string, std::string> sample;
  std::istringstream lines(uncommented);
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '[') {
      section = line.substr(1, line.size() - 2);
      continue;
    }
    const auto equals = line.find(" =");
    ASSERT_NE(equals, std::string::npos) << line;
    const std::string name = section + "." + line.substr(0, equals);
    EXPECT_FALSE(sample.contains(name)) << name << " stands twice";
    sample[name] = line.size() > equals + 3 ? line.substr(equals + 3) : "";
  }
  EXPECT_EQ(sample["delivery.domain.EXAMPLE.COM.tls"], "verify");
  EXPECT_EQ(sample["recipient.domain.EXAMPLE.COM.language"], "de");
  EXPECT_EQ(sample["recipient.domain.EXAMPLE.COM.policy"], "permanent");
  EXPECT_EQ(sample.size(), setting_keys().size() + domain_keys().size());
  for (const auto& key : setting_keys()) {
    ASSERT_TRUE(sample.contains(key.name)) << key.name << " is missing";
    if (key.name != "relay.hostname") {
      EXPECT_EQ(sample[key.name], key.default_value) << key.name;
    }
  }
}

TEST_F(SampleFile, LoadsWithEveryLineUncommented) {
  const auto loaded = load(uncommented);
  ASSERT_TRUE(loaded) << loaded.error().public_text;
  EXPECT_EQ(loaded->settings.relay.hostname, "relay.example.com");
  EXPECT_EQ(loaded->settings.delivery.domain_tls.at("example.com"), TlsPolicy::Verify);
  EXPECT_EQ(loaded->settings.recipient_domains.at("example.com").language, "de");
}

}  // namespace
}  // namespace sealpost
