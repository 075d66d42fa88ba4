// SPDX-License-Identifier: Apache-2.0
// Settings as a running relay shows them, a row per key on as few relays as will do, and what stops a start. Limits of
// SMTP, delivery, notify.mode and queue.history are shown by the tests of those parts.
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <regex>

#include "base/redis/client.h"
#include "tests/e2e/relay_fixture.h"
#include "tests/e2e/submitter.h"
#include "tests/support/build.h"
#include "tests/support/eventually.h"
#include "tests/support/mail_parser.h"
#include "tests/support/redis_server.h"

namespace sealpost::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A key, and what it does to the relay that runs with it.
struct Row {
  std::string key;
  std::function<void(RelayFixture&)> shows;
};

void check(RelayFixture& relay, const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    SCOPED_TRACE(row.key);
    row.shows(relay);
  }
}

std::string field(const std::string& text, const std::string& name) {
  std::smatch match;
  return std::regex_search(text, match, std::regex("\r\n" + name + ": *([^\r\n]*)")) ? match[1].str() : std::string();
}

unsigned mode_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777U;
}

/// A certificate for the name and its key, P-256.
void make_certificate(const TempDir& directory, const std::string& name) {
  const auto made =
      run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90",
           "-subj", "/CN=" + name, "-keyout", directory / "tls.key", "-out", directory / "tls.crt"});
  ASSERT_EQ(made.status, 0) << made.err;
}

/// Subject of the certificate that a TLS service presents.
std::string presented_by(const RelayFixture& relay, const std::string& service) {
  const std::string place = "127.0.0.1:" + std::to_string(relay.port(service));
  return run({"sh", "-c",
              "openssl s_client -connect " + place + " </dev/null 2>/dev/null | openssl x509 -noout -subject"})
      .out;
}

std::string redis_setting(const RelayFixture& relay, const std::string& name) {
  redis::Client redis(relay.redis_endpoint(), std::chrono::seconds(10));
  auto reply = redis.command({"CONFIG", "GET", name});
  return reply && reply->size() == 2 ? std::string((*reply)[1].text()) : std::string();
}

/// sealpostd with these options beside the relay's file; for starts that are refused.
Finished start_again(const RelayFixture& relay, const std::vector<std::string>& options) {
  std::vector<std::string> argv = {program("sealpostd"), "--config", relay.config()};
  argv.insert(argv.end(), options.begin(), options.end());
  return run(argv);
}

/// Sends a first mail to bob and leaves it and the notification behind.
struct FirstMail {
  std::string sealed;
  std::string notification;
};
FirstMail send_first(RelayFixture& relay) {
  auto sender = Submitter::logged_in(relay);
  EXPECT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("1", "text")).starts_with("250"));
  return {read_file(relay.sealed_mail("bob@example.net", 1).at(0)),
          read_file(relay.notifications("bob@example.net", 1).at(0))};
}

TEST(Settings, OfARelayWithNamesFilesAndListenersOfItsOwn) {
  const TempDir files;
  make_certificate(files, "first.example.org");
  RelayFixture relay(RelayFixture::Settings{{"relay.hostname", "relay.example.org"},
                                            {"tls.certificate", files / "tls.crt"},
                                            {"tls.private_key", files / "tls.key"},
                                            {"http.listen_tls", "127.0.0.1:0"},
                                            {"http.public_url", "https://mail.example.com/sealpost/"},
                                            {"redis.maxmemory", "300m"},
                                            {"notify.from", "Courier <courier@example.com>"},
                                            {"log.level", "debug"}});
  const FirstMail mail = send_first(relay);
  check(relay,
        {
            {"relay.hostname",
             [&](RelayFixture& r) {
               EXPECT_EQ(Submitter(r, "smtp").reply(), "220 relay.example.org ESMTP Sealpost");
               EXPECT_THAT(field(mail.sealed, "Received"), HasSubstr("by relay.example.org"));
               EXPECT_THAT(field(mail.sealed, "Message-ID"), HasSubstr("@relay.example.org>"));
             }},
            {"relay.state_dir",
             [&](RelayFixture& r) {
               EXPECT_EQ(mode_of(r.state_dir()), 0700U);
               EXPECT_EQ(mode_of(r.state_dir() + "/master.key"), 0600U);
               const auto second = start_again(r, {});
               EXPECT_EQ(second.status, 78);
               EXPECT_THAT(second.err,
                           HasSubstr("another sealpostd (process " + std::to_string(r.pid()) + ") uses it"));
             }},
            {"smtp.listen, smtp.listen_tls, http.listen: port 0 takes a free one and logs it",
             [&](RelayFixture& r) {
               for (const char* service : {"smtp", "smtps", "http", "https"}) EXPECT_GT(r.port(service), 0) << service;
             }},
            {"tls.certificate, tls.private_key",
             [&](RelayFixture& r) {
               EXPECT_THAT(presented_by(r, "smtps"), HasSubstr("first.example.org"));
               EXPECT_THAT(r.log(), Not(HasSubstr("tls.self_signed")));
             }},
            {"http.listen_tls",
             [&](RelayFixture& r) {
               const auto got =
                   run({"curl", "-sSk", "https://127.0.0.1:" + std::to_string(r.port("https")) + "/healthz"});
               EXPECT_EQ(got.status, 0) << got.err;
               EXPECT_THAT(presented_by(r, "https"), HasSubstr("first.example.org"));
             }},
            {"http.public_url",
             [&](RelayFixture&) {
               EXPECT_THAT(mail.notification, HasSubstr("\nLink: https://mail.example.com/sealpost/pickup/"));
             }},
            {"redis.url: embedded, with redis.maxmemory",
             [&](RelayFixture& r) {
               EXPECT_EQ(redis_setting(r, "maxmemory"), std::to_string(300 << 20));
               EXPECT_EQ(redis_setting(r, "appendfsync"), "always");
             }},
            {"notify.from",
             [&](RelayFixture&) { EXPECT_EQ(field(mail.notification, "From"), "\"Courier\" <courier@example.com>"); }},
            {"log.level", [&](RelayFixture& r) { EXPECT_THAT(r.log(), HasSubstr(" debug ")); }},
            {"tls.certificate, read again at SIGHUP",
             [&](RelayFixture& r) {
               make_certificate(files, "second.example.org");
               kill(r.pid(), SIGHUP);
               EXPECT_TRUE(r.wait_for_log("tls.reloaded"));
               EXPECT_THAT(presented_by(r, "smtps"), HasSubstr("second.example.org"));
             }},
            {"keys.master_key_file: a missing or another file stops the start",
             [&](RelayFixture& r) {
               ASSERT_EQ(r.stop(), 0);
               const std::string missing = r.directory() / "none.key";
               const auto without = start_again(r, {"--keys.master_key_file=" + missing});
               EXPECT_EQ(without.status, 78);
               EXPECT_THAT(without.err, HasSubstr(missing));
               RelayFixture other;
               const auto foreign = start_again(r, {"--keys.master_key_file=" + other.state_dir() + "/master.key"});
               EXPECT_EQ(foreign.status, 78);
               EXPECT_THAT(foreign.err, HasSubstr("but Redis hangs on master key"));
               r.start();
             }},
        });
}

TEST(Settings, OfARelayWithAnOutsideRedisAndNewerCryptography) {
  const RedisServer redis({"--user", "relay", "on", ">redis-secret", "~*", "&*", "+@all", "--user", "default", "off"});
  const TempDir files;
  const std::string password = files.write("redis", "redis-secret\n");
  RelayFixture relay(RelayFixture::Settings{{"redis.url", redis.url()},
                                            {"redis.username", "relay"},
                                            {"redis.password_file", password},
                                            {"crypto.key_type", "p256"},
                                            {"crypto.content_cipher", "aes256-gcm"},
                                            {"keys.policy", "permanent"},
                                            {"keys.master_key_file", files / "elsewhere.key"},
                                            {"dns.server", "127.0.0.1:5353"},
                                            {"delivery.port", "2525"},
                                            {"delivery.allow_private", "yes"},
                                            {"log.level", "info"},
                                            {"log.format", "json"}});
  const FirstMail mail = send_first(relay);
  check(
      relay,
      {
          {"redis.url, redis.username, redis.password_file",
           [&](RelayFixture& r) {
             EXPECT_NE(access((r.state_dir() + "/redis.sock").c_str(), F_OK), 0) << "no embedded one beside it";
             redis::Endpoint endpoint = redis.endpoint();
             endpoint.username = "relay";
             endpoint.password = Secret::copy_of("redis-secret");
             redis::Client client(std::move(endpoint), std::chrono::seconds(10));
             auto size = client.command({"DBSIZE"});
             ASSERT_TRUE(size) << size.error().public_text;
             EXPECT_GT(size->integer(), 10);
             EXPECT_THAT(r.log(), Not(HasSubstr("redis-secret")));
           }},
          {"crypto.key_type, crypto.content_cipher",
           [&](RelayFixture& r) {
             EXPECT_THAT(mail.sealed, HasSubstr("smime-type=authEnveloped-data"));
             const auto key = r.pick_up(r.notifications("bob@example.net", 1).at(0));
             EXPECT_EQ(r.decrypt(r.sealed_mail("bob@example.net", 1).at(0), key),
                       "Content-Type: text/plain\r\n\r\ntext\r\n");
             EXPECT_THAT(run({"openssl", "x509", "-in", key.pem_file, "-noout", "-text"}).out, HasSubstr("prime256v1"));
           }},
          {"keys.policy",
           [&](RelayFixture& r) {
             EXPECT_THAT(r.ctl({"key", "show", "bob@example.net"}).out, HasSubstr("state:       permanent"));
           }},
          {"keys.master_key_file",
           [&](RelayFixture& r) {
             EXPECT_EQ(mode_of(files / "elsewhere.key"), 0600U);
             EXPECT_NE(access((r.state_dir() + "/master.key").c_str(), F_OK), 0);
           }},
          {"dns.server, delivery.port, delivery.allow_private: taken",
           [&](RelayFixture& r) {
             const auto shown = start_again(r, {"--print-config"});
             EXPECT_THAT(shown.out, HasSubstr("server = 127.0.0.1:5353\n"));
             EXPECT_THAT(shown.out, HasSubstr("port = 2525\n"));
             EXPECT_THAT(shown.out, HasSubstr("allow_private = yes\n"));
           }},
          {"log.level", [&](RelayFixture& r) { EXPECT_THAT(r.log(), Not(HasSubstr("\"level\":\"debug\""))); }},
          {"log.format",
           [&](RelayFixture& r) {
             ASSERT_EQ(r.stop(), 0);
             std::istringstream lines(r.log());
             std::size_t count = 0;
             for (std::string line; std::getline(lines, line); ++count) {
               const auto object = Poco::JSON::Parser().parse(line).extract<Poco::JSON::Object::Ptr>();
               for (const char* name : {"time", "level", "event"}) EXPECT_TRUE(object->has(name)) << line;
             }
             EXPECT_GT(count, 5U);
             r.start();
           }},
          {"redis.password_file: a wrong one is no start",
           [&](RelayFixture& r) {
             ASSERT_EQ(r.stop(), 0);
             const auto refused = start_again(r, {"--redis.password_file=" + files.write("wrong", "other\n")});
             EXPECT_NE(refused.status, 0);
             EXPECT_THAT(refused.err, HasSubstr("Redis"));
             r.start();
           }},
      });
}

TEST(Settings, InterimLifetimeEndsWithANewPairAndANewNotification) {
  RelayFixture relay(RelayFixture::Settings{
      {"keys.interim_lifetime", "2s"}, {"crypto.key_type", "p256"}, {"http.public_url", "http://127.0.0.1:1"}});
  auto sender = Submitter::logged_in(relay);
  const auto send = [&](const std::string& text) {
    ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("x", text)).starts_with("250"));
  };
  send("first");
  const std::string old_mail = relay.sealed_mail("bob@example.net", 1).at(0);
  const std::string old_notification = relay.notifications("bob@example.net", 1).at(0);
  std::vector<std::string> notified;
  EXPECT_TRUE(eventually([&] {
    send("later");
    notified = relay.notifications("bob@example.net", 1);
    return notified.size() >= 2;
  }));
  ASSERT_GE(notified.size(), 2U);
  const auto [token, code] = read_notification(old_notification);
  const auto opened = relay.http("POST", "/v1/pickup/" + token + "/session", R"({"code":")" + code + "\"}");
  ASSERT_EQ(opened.status, 200) << opened.body;
  const auto session = Poco::JSON::Parser().parse(opened.body).extract<Poco::JSON::Object::Ptr>();
  const auto keys = session->getArray("keys");
  ASSERT_GE(keys->size(), 2U) << "the code authenticates the address: all its pairs are offered";
  std::size_t opening = 0;
  for (std::size_t i = 0; i < keys->size(); ++i) {
    const auto fingerprint = keys->getObject(static_cast<unsigned>(i))->getValue<std::string>("fingerprint");
    const auto key = relay.pick_up(old_notification, "modern", fingerprint);
    if (relay.decrypt(old_mail, key) == "Content-Type: text/plain\r\n\r\nfirst\r\n") ++opening;
  }
  EXPECT_EQ(opening, 1U) << "the old pair opens it still, a new one does not";
}

TEST(Settings, CodeLifetimeEndsThePickupAndHttpCanBeOff) {
  RelayFixture relay(RelayFixture::Settings{{"notify.code_lifetime", "1s"}, {"smtp.listen", "off"}});
  const FirstMail mail = send_first(relay);
  const auto [token, code] = read_notification(relay.notifications("bob@example.net", 1).at(0));
  EXPECT_TRUE(eventually([&, token = token, body = R"({"code":")" + code + "\"}"] {
    return relay.http("POST", "/v1/pickup/" + token + "/session", body).status == 410;
  }));
  EXPECT_THAT(relay.log(), Not(HasSubstr("service=smtp ")));
  EXPECT_THAT(relay.log(), HasSubstr("tls.self_signed"));
  ASSERT_EQ(relay.stop(), 0);
  Process without({program("sealpostd"), "--config", relay.config(), "--http.listen=off", "--smtp.listen_tls=off",
                   "--http.listen_tls=off"});
  const std::string log = without.wait_for(" ready ", std::chrono::seconds(60));
  EXPECT_THAT(log, HasSubstr(" ready "));
  EXPECT_THAT(log, Not(HasSubstr(" listening "))) << "all of them off";
  without.signal(SIGTERM);
  EXPECT_EQ(without.wait(std::chrono::seconds(60)), 0);
}

TEST(Settings, LanguageAndTemplatesAreThoseOfTheOperator) {
  const TempDir folder;
  const auto languages = std::filesystem::path(folder.path()) / "languages";
  std::filesystem::create_directory(languages);
  folder.write("languages/de.txt", "notification_about = Ein Dienst der Beispiel AG.\n");
  folder.write("logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
  RelayFixture relay(RelayFixture::Settings{{"notify.language", "de"}, {"notify.templates", folder.path().string()}});
  auto sender = Submitter::logged_in(relay);
  ASSERT_TRUE(sender.submit("alice@example.com", {"bob@example.net"}, message("x", "y")).starts_with("250"));
  const auto mail = parse_mail(read_file(relay.mail("bob@example.net", 2).at(1)));
  const auto other = parse_mail(read_file(relay.mail("bob@example.net", 2).at(0)));
  const auto& notification = mail.parts.size() > 1 ? mail : other;
  EXPECT_EQ(notification.field("subject"), "Ihr Schlüssel für verschlüsselte E-Mails");
  EXPECT_THAT(notification.parts.at(0).body, HasSubstr("Ein Dienst der Beispiel AG."));
  EXPECT_THAT(relay.http("GET", "/pickup/resend").body, HasSubstr("<html lang=\"de\">"));
  EXPECT_EQ(relay.http("GET", "/pickup/logo").fields["content-type"], "image/svg+xml");
  ASSERT_EQ(relay.stop(), 0);
  folder.write("languages/de.txt", "footer = {{hostname\n");
  const auto refused = run({program("sealpostd"), "--config", relay.config()});
  EXPECT_EQ(refused.status, 78);
  EXPECT_THAT(refused.err,
              HasSubstr("notify.templates: " + folder.path().string() + "/languages/de.txt: line 1: unclosed {{"));
  const auto told = relay.ctl({"check"});
  EXPECT_EQ(told.status, 1);
  EXPECT_THAT(told.out, HasSubstr("languages/de.txt: line 1: unclosed {{"));
}

struct Refusal {
  std::string name;
  std::string file;
  unsigned mode;
  std::vector<std::string> options;
  std::map<std::string, std::string> environment;
  std::string says;  ///< {} is the settings file
};
void PrintTo(const Refusal& row, std::ostream* out) { *out << row.name; }

class RefusedStart : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedStart, Is78WithFileKeyAndReason) {
  const auto& row = GetParam();
  const TempDir directory;
  const std::string file =
      directory.write("sealpost.conf", "[relay]\nstate_dir = " + (directory / "state") + "\n" + row.file, row.mode);
  std::vector<std::string> argv = {program("sealpostd"), "--config", file};
  argv.insert(argv.end(), row.options.begin(), row.options.end());
  const auto ran = run(argv, {}, row.environment);
  EXPECT_EQ(ran.status, 78);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "sealpostd: " + std::regex_replace(row.says, std::regex("\\{\\}"), file) + "\n");
  EXPECT_NE(access((directory / "state").c_str(), F_OK), 0) << "nothing was made";
}

INSTANTIATE_TEST_SUITE_P(
    Cases, RefusedStart,
    testing::Values(
        Refusal{"UnknownKey", "[smtp]\nlisten_ssl = off\n", 0600, {}, {}, "{}: smtp.listen_ssl: unknown key"},
        Refusal{"BadValue",
                "[smtp]\nidle_timeout = 5\n",
                0600,
                {},
                {},
                "{}: smtp.idle_timeout: not a duration: 5 (a number with s, m, h or d, such as 30s or 5d)"},
        Refusal{"WrongMode", "", 0666, {}, {}, "{}: wrong mode, nobody but its owner may write to it (chmod go-w)"},
        Refusal{"Option",
                "",
                0600,
                {"--log.level=loud"},
                {},
                "command line: log.level: not one of debug, error, info, warning: loud"},
        Refusal{"Environment",
                "",
                0600,
                {},
                {{"SEALPOST_LOG_LEVEL", "loud"}},
                "environment: log.level: not one of debug, error, info, warning: loud"},
        Refusal{"UnknownVariable",
                "",
                0600,
                {},
                {{"SEALPOST_LOG_COLOUR", "red"}},
                "environment: SEALPOST_LOG_COLOUR: unknown key"}),
    [](const auto& info) { return info.param.name; });

TEST(Settings, TheCommandLineWinsOverTheEnvironmentAndThatOverTheFile) {
  const TempDir directory;
  const std::string file = directory.write(
      "sealpost.conf", "[smtp]\nmax_recipients = 1\nmax_connections = 1\nmax_connections_per_client = 1\n");
  const auto shown = run({program("sealpostd"), "--config", file, "--smtp.max_recipients=3", "--print-config"}, {},
                         {{"SEALPOST_SMTP_MAX_RECIPIENTS", "2"}, {"SEALPOST_SMTP_MAX_CONNECTIONS", "2"}});
  EXPECT_EQ(shown.status, 0) << shown.err;
  for (const char* line : {"max_recipients = 3\n", "max_connections = 2\n", "max_connections_per_client = 1\n"}) {
    EXPECT_THAT(shown.out, HasSubstr(std::string("\n") + line));
  }
  const std::string again = directory.write("again.conf", shown.out);
  EXPECT_EQ(run({program("sealpostd"), "--config", again, "--print-config"}).out, shown.out) << "it reads back";
}

TEST(Settings, ThePrintOutHoldsNoSecret) {
  const TempDir directory;
  const std::string password = directory.write("password", "hop-secret\n");
  const auto shown = run(
      {program("sealpostd"), "--delivery.username=relay", "--delivery.password_file=" + password, "--print-config"});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("password_file = " + password));
  EXPECT_THAT(shown.out, Not(HasSubstr("hop-secret")));
}

}  // namespace
}  // namespace sealpost::test
