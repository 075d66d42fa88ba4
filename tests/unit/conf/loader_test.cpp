// SPDX-License-Identifier: Apache-2.0
// Settings as a whole: which source wins, what stops the start, files with wrong modes, and the print-out that reads
// back.
#include "conf/loader.h"

#include <sys/stat.h>

#include "conf/recipient_domains.h"
#include "tests/unit/conf/settings_fixture.h"

namespace sealpost {
namespace {

using Loader = test::SettingsTest;

TEST_F(Loader, NeedsNoFile) {
  const auto loaded = load_settings({});
  ASSERT_TRUE(loaded) << loaded.error().public_text;
  EXPECT_EQ(loaded->settings.notify.from_name, "Sealpost");
  EXPECT_EQ(loaded->settings.notify.from_address, "postmaster@" + loaded->settings.relay.hostname);
}

TEST_F(Loader, OptionsWinOverTheEnvironmentAndThatOverTheFile) {
  const std::string file = "[smtp]\nmax_recipients = 1\nmax_connections = 1\nmax_connections_per_client = 1\n";
  const auto loaded = load(file, {{"smtp.max_recipients", "3"}},
                           {"SEALPOST_SMTP_MAX_RECIPIENTS=2", "SEALPOST_SMTP_MAX_CONNECTIONS=2", "PATH=/bin"});
  ASSERT_TRUE(loaded) << loaded.error().public_text;
  EXPECT_EQ(loaded->settings.smtp.max_recipients, 3U);
  EXPECT_EQ(loaded->settings.smtp.max_connections, 2U);
  EXPECT_EQ(loaded->settings.smtp.max_connections_per_client, 1U);
}

TEST_F(Loader, NamesUnknownKeysOfEverySource) {
  EXPECT_EQ(complaint("[smtp]\nlisten_ssl = off\n"), "sealpost.conf: smtp.listen_ssl: unknown key");
  EXPECT_EQ(complaint("listen = off\n"), "sealpost.conf: listen: unknown key");
  EXPECT_EQ(complaint("", {{"smtp.lis", "off"}}), "command line: smtp.lis: unknown key");
  EXPECT_EQ(complaint("", {}, {"SEALPOST_SMTP_LISTENER=off"}), "environment: SEALPOST_SMTP_LISTENER: unknown key");
  EXPECT_EQ(complaint("[delivery.domain.example.com]\nport = 1\n"),
            "sealpost.conf: delivery.domain.example.com.port: unknown key");
}

TEST_F(Loader, RefusesAKeyGivenTwice) {
  EXPECT_EQ(complaint("[smtp]\nlisten = off\nlisten = off\n"), "sealpost.conf: smtp.listen: given twice");
  EXPECT_EQ(complaint("", {{"smtp.listen", "off"}, {"smtp.listen", "off"}}), "command line: smtp.listen: given twice");
}

TEST_F(Loader, NamesFileAndLineOfBadSyntax) {
  EXPECT_TRUE(complaint("[smtp]\nlisten = off # no\n").starts_with("sealpost.conf: line 2: a # behind a value"));
  EXPECT_FALSE(complaint("[smtp]\nlisten\n").empty());
}

TEST_F(Loader, TheReportNamesAllThatIsWrongAndJudgesTheRest) {
  const std::string file = dir.write("sealpost.conf",
                                     "[smtp]\nlisten = here\nlisten_ssl = off\nmax_recipients = 7\n[tls]\n"
                                     "certificate = /none.pem\n[delivery.domain.a..b]\ntls = verify\n");
  const auto report = examine_settings({file, {{"log.level", "loud"}}, {"SEALPOST_NO_SUCH=1"}});
  std::vector<std::string> keys;
  for (const auto& complaint : report.complaints) keys.push_back(complaint.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"smtp.listen_ssl", "SEALPOST_NO_SUCH", "smtp.listen", "log.level",
                                            "delivery.domain.a..b.tls", "tls.certificate"}));
  EXPECT_EQ(report.complaints[2].text, file + ": smtp.listen: not host:port: here (or off)");
  EXPECT_EQ(report.loaded.settings.smtp.max_recipients, 7U);
  EXPECT_EQ(report.loaded.settings.smtp.listen, "0.0.0.0:587") << "the default stands in";
  const auto unreadable = examine_settings({dir / "none", {}, {}});
  ASSERT_EQ(unreadable.complaints.size(), 1U);
  EXPECT_EQ(unreadable.complaints[0].key, "");
}

TEST_F(Loader, TakesTlsPerDomain) {
  const auto loaded = load(
      "[delivery.domain.EXAMPLE.com]\ntls = verify\n[delivery.domain.b\xc3\xbc"
      "cher.example]\ntls = required\n");
  ASSERT_TRUE(loaded) << loaded.error().public_text;
  const auto& domains = loaded->settings.delivery.domain_tls;
  ASSERT_EQ(domains.size(), 2U);
  EXPECT_EQ(domains.at("example.com"), TlsPolicy::Verify);
  EXPECT_EQ(domains.at("xn--bcher-kva.example"), TlsPolicy::Required);
  EXPECT_EQ(complaint("[delivery.domain.a..b]\ntls = verify\n"),
            "sealpost.conf: delivery.domain.a..b.tls: not a domain: a..b");
  EXPECT_EQ(complaint("[delivery.domain.a.example]\ntls = maybe\n"),
            "sealpost.conf: delivery.domain.a.example.tls: not one of opportunistic, required, verify: maybe");
}

TEST_F(Loader, RefusesOneDomainInTwoSpellings) {
  EXPECT_EQ(complaint("[delivery.domain.EXAMPLE.com]\ntls = verify\n[delivery.domain.example.com]\ntls = required\n"),
            "sealpost.conf: delivery.domain.example.com.tls: given twice, in two spellings");
}

TEST_F(Loader, TakesTheLanguageOfADomainsRecipients) {
  const auto loaded =
      load("[recipient.domain.EXAMPLE.com]\nlanguage = de\n[delivery.domain.example.com]\ntls = verify\n");
  ASSERT_TRUE(loaded) << loaded.error().public_text;
  EXPECT_EQ(loaded->settings.recipient_domains.at("example.com").language, "de");
  EXPECT_EQ(complaint("[recipient.domain.example.com]\nlanguage = no_NO\n"),
            "sealpost.conf: recipient.domain.example.com.language: not a language tag, such as en or pt-BR: no_NO");
  EXPECT_EQ(complaint("[recipient.domain.example.com]\ntls = verify\n"),
            "sealpost.conf: recipient.domain.example.com.tls: unknown key");
}

TEST_F(Loader, TakesWhatHoldsForADomainsRecipients) {
  const auto loaded = load(
      "[recipient.domain.EXAMPLE.com]\nmode = attach\nkey_type = p256\ncontent_cipher = aes256-gcm\npolicy = "
      "permanent\n"
      "[recipient.domain.example.net]\nlanguage = de\n");
  ASSERT_TRUE(loaded) << loaded.error().public_text;
  const auto domain = [&](const std::string& recipient) {
    return domain_of(loaded->settings.recipient_domains, EmailAddress::parse(recipient).value());
  };
  EXPECT_EQ(domain("bob@Example.COM").mode, NotifyMode::Attach);
  EXPECT_EQ(domain("bob@example.com").key_type, KeyType::P256);
  EXPECT_EQ(domain("bob@example.com").content_cipher, ContentCipher::Aes256Gcm);
  EXPECT_EQ(domain("bob@example.com").policy, KeyPolicy::Permanent);
  for (const auto* other : {"bob@example.net", "bob@sub.example.com", "bob@example.org"}) {
    EXPECT_FALSE(domain(other).mode || domain(other).key_type || domain(other).content_cipher || domain(other).policy)
        << other;
  }
  EXPECT_EQ(complaint("[recipient.domain.example.com]\npolicy = forever\n"),
            "sealpost.conf: recipient.domain.example.com.policy: not one of interim, permanent: forever");
}

TEST_F(Loader, RefusesASettingsFileThatOthersMayWrite) {
  const std::string file = dir.write("sealpost.conf", "");
  for (const mode_t mode : {0620U, 0602U, 0666U}) {
    ASSERT_EQ(chmod(file.c_str(), mode), 0);
    EXPECT_FALSE(load_settings({file, {}, {}})) << mode;
  }
  ASSERT_EQ(chmod(file.c_str(), 0644), 0);
  EXPECT_TRUE(load_settings({file, {}, {}}));
}

TEST_F(Loader, NamesASettingsFileThatIsNone) {
  for (const auto& path : {dir / "none", dir.path().string()}) {
    const auto loaded = load_settings({path, {}, {}});
    ASSERT_FALSE(loaded);
    EXPECT_TRUE(loaded.error().public_text.starts_with(path + ": ")) << loaded.error().public_text;
  }
}

TEST_F(Loader, CertificateAndKeyBelongTogether) {
  const std::string file = dir.write("cert.pem", "x");
  EXPECT_EQ(complaint("[tls]\ncertificate = " + file + "\n"),
            "sealpost.conf: tls.certificate: tls.certificate and tls.private_key belong together");
  const std::string key = dir.write("key.pem", "x", 0604);
  EXPECT_EQ(complaint("[tls]\ncertificate = " + file + "\nprivate_key = " + key + "\n"),
            "sealpost.conf: tls.private_key: key.pem: wrong mode, others may not read it (chmod 600)");
  ASSERT_EQ(chmod(key.c_str(), 0640), 0);  // a group may share a key, as Debian's ssl-cert does
  EXPECT_EQ(complaint("[tls]\ncertificate = " + file + "\nprivate_key = " + key + "\n"), "");
}

TEST_F(Loader, PasswordFilesAreTheOwnersAlone) {
  const std::string password = dir.write("pw", "secret\n", 0640);
  for (const std::string section : {"redis", "delivery"}) {
    const std::string text = "[" + section + "]\npassword_file = " + password + "\n";
    EXPECT_EQ(complaint(text),
              "sealpost.conf: " + section + ".password_file: pw: wrong mode, others may not read it (chmod 600)");
  }
  ASSERT_EQ(chmod(password.c_str(), 0600), 0);
  EXPECT_EQ(complaint("[delivery]\nusername = u\npassword_file = " + password + "\n"), "");
}

TEST_F(Loader, ASecretFileIsReadWithoutItsLineEnd) {
  const auto secret = read_secret_file(dir.write("a", "pass word\r\n"));
  ASSERT_TRUE(secret);
  EXPECT_TRUE(secret->equals("pass word"));
  EXPECT_FALSE(read_secret_file(dir.write("b", "\n")));
  EXPECT_FALSE(read_secret_file(dir.write("c", "x", 0604)));
  EXPECT_FALSE(read_secret_file(dir / "none"));
}

TEST_F(Loader, ThePrintOutReadsBackAsItself) {
  const std::string text =
      "[relay]\nhostname = relay.example.com\nstate_dir = \"/srv/a # b\"\n[notify]\nfrom = \"Relay, The\" "
      "<post@example.com>\n[delivery.domain.EXAMPLE.com]\ntls = verify\n[http]\ntrusted_proxies = 10.0.0.1, ::1\n";
  const auto first = load(text, {{"smtp.listen", "off"}}, {"SEALPOST_LOG_FORMAT=json"});
  ASSERT_TRUE(first) << first.error().public_text;
  const std::string printed = print_settings(*first);
  const auto second = load(printed);
  ASSERT_TRUE(second) << second.error().public_text << "\n" << printed;
  EXPECT_EQ(second->effective, first->effective);
  EXPECT_EQ(print_settings(*second), printed);
  EXPECT_EQ(second->settings.relay.state_dir, "/srv/a # b");
  EXPECT_EQ(second->settings.smtp.listen, "");
  EXPECT_EQ(second->settings.log.format, LogFormat::Json);
  EXPECT_EQ(second->settings.notify.from_name, "Relay, The");
}

TEST_F(Loader, ThePrintOutShowsNoSecret) {
  const std::string password = dir.write("pw", "hunter2\n");
  const auto loaded = load("[redis]\nurl = redis://127.0.0.1:6379\npassword_file = " + password + "\n");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(print_settings(*loaded).find("hunter2"), std::string::npos);
  const auto endpoint = redis_endpoint(loaded->settings);
  ASSERT_TRUE(endpoint);
  EXPECT_TRUE(endpoint->password.equals("hunter2"));
}

TEST_F(Loader, RedisUrlsBecomeEndpoints) {
  const auto endpoint = [&](const std::string& url) {
    auto loaded = load("[redis]\nurl = " + url + "\nusername = relay\n[relay]\nstate_dir = /srv/s\n");
    EXPECT_TRUE(loaded) << loaded.error().public_text;
    return redis_endpoint(loaded->settings).value();
  };
  EXPECT_EQ(endpoint("embedded").unix_path, "/srv/s/redis.sock");
  EXPECT_EQ(endpoint("unix:///run/redis.sock").unix_path, "/run/redis.sock");
  const auto tcp = endpoint("redis://[::1]:7000/3");
  EXPECT_EQ(tcp.unix_path, "");
  EXPECT_EQ(tcp.host, "::1");
  EXPECT_EQ(tcp.port, 7000);
  EXPECT_EQ(tcp.database, 3);
  EXPECT_EQ(tcp.username, "relay");
  for (const auto* url : {"http://x", "redis://", "redis://host", "redis://host:0", "redis://host:1/x", "unix://run"}) {
    EXPECT_FALSE(load(std::string("[redis]\nurl = ") + url + "\n")) << url;
  }
}

}  // namespace
}  // namespace sealpost
