// SPDX-License-Identifier: Apache-2.0
// "sealpostctl check" as a whole: all findings of wrong settings and of a store, each on a line of its own, and the
// exit code.
#include <gmock/gmock.h>
#include <unistd.h>

#include <regex>

#include "base/net/tls_context.h"
#include "relay/ctl/doctor.h"
#include "tests/support/fakes.h"
#include "tests/support/process.h"
#include "tests/unit/relay/ctl/ctl_fixture.h"
#include "tests/unit/relay/ctl/network_fakes.h"

namespace sealpost::test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The findings of one check, by its name at the head of the line.
std::vector<std::string> lines_of(const std::string& out, const std::string& check) {
  std::vector<std::string> found;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(check + ": ")) found.push_back(line);
  }
  return found;
}

class Check : public CtlTest {
 protected:
  /// Runs check on the fixture's settings with changes; DNS is answered, and the pool of this key type is always empty.
  Ran check(std::map<std::string, std::string> changed = {}, const std::vector<std::string>& options = {}) {
    changed.insert({{"dns.server", dns_.address()},
                    {"crypto.key_type", "rsa2048"},
                    {"smtp.listen", "127.0.0.1:0"},
                    {"http.listen", "127.0.0.1:0"}});
    std::vector<std::string> arguments = {"--config", write_settings("check.conf", changed), "check"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return run_ctl(arguments);
  }
  DnsServer dns_{DnsServer::Mode::Address};
};

TEST_F(Check, EveryFindingOfAFreshInstallationHasItsLine) {
  const Ran ran = check();
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(lines_of(ran.out, "tls"), testing::ElementsAre(HasSubstr("self-signed")));
  EXPECT_THAT(lines_of(ran.out, "pool"), testing::ElementsAre(HasSubstr("it is empty")));
  EXPECT_THAT(lines_of(ran.out, "accounts"), testing::ElementsAre(HasSubstr("there is none")));
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 3) << ran.out;
}

TEST_F(Check, JsonIsAListOfFindings) {
  const Ran ran = check({}, {"--json"});
  EXPECT_EQ(ran.status, 1);
  const auto list = Poco::JSON::Parser().parse(ran.out).extract<Poco::JSON::Array::Ptr>();
  ASSERT_EQ(list->size(), 3U);
  for (const auto& finding : *list) {
    EXPECT_EQ(names_of(finding), (std::vector<std::string>{"check", "finding", "hint"}));
  }
  EXPECT_EQ(list->getObject(0)->getValue<std::string>("check"), "tls");
}

TEST_F(Check, NothingWrongIsExitZero) {
  ASSERT_EQ(ctl({"key", "pool", "fill", "2"}).status, 0);
  ASSERT_EQ(ctl({"account", "add", "a", "--send-as", "@example.com", "--password-stdin"}, "long enough\n").status, 0);
  const TempDir files;
  ASSERT_EQ(run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                 "90", "-subj", "/CN=relay", "-addext", "subjectAltName=DNS:relay.example.com", "-keyout",
                 files / "key.pem", "-out", files / "cert.pem"})
                .status,
            0);
  const std::map<std::string, std::string> good = {
      {"tls.certificate", files / "cert.pem"}, {"tls.private_key", files / "key.pem"}, {"crypto.key_type", "p256"}};
  const Ran ran = check(good);
  EXPECT_EQ(ran.status, 0) << ran.out;
  EXPECT_EQ(ran.out, "All is well.\n");
  EXPECT_EQ(Poco::JSON::Parser().parse(check(good, {"--json"}).out).extract<Poco::JSON::Array::Ptr>()->size(), 0U);
  ASSERT_EQ(ctl({"account", "remove", "a"}).status, 0);
}

TEST_F(Check, WrongSettingsAreAllNamedAndTheRestIsCheckedAllTheSame) {
  const Ran ran = check({{"smtp.listen", "here"}, {"smtp.listen_ssl", "off"}, {"notify.mode", "shout"}});
  EXPECT_EQ(ran.status, 1);
  const std::string file = *directory_ / "check.conf";
  EXPECT_THAT(lines_of(ran.out, "settings"),
              testing::UnorderedElementsAre("settings: " + file + ": smtp.listen_ssl: unknown key",
                                            "settings: " + file + ": smtp.listen: not host:port: here (or off)",
                                            "settings: " + file + ": notify.mode: not one of attach, code: shout"));
  EXPECT_EQ(lines_of(ran.out, "pool").size(), 1U) << "Redis was looked at";
}

TEST_F(Check, AWrongSettingSilencesTheChecksThatRestOnIt) {
  const Ran ran = check({{"redis.url", "http://nowhere"}});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(lines_of(ran.out, "settings").size(), 1U);
  EXPECT_EQ(lines_of(ran.out, "redis").size(), 0U) << "not asked at the default's place";
  EXPECT_EQ(lines_of(ran.out, "tls").size(), 1U);
}

/// The second column of the README's table of what is found most.
std::vector<std::string> commonest() {
  std::vector<std::string> all;
  std::istringstream lines(read_file(SOURCE_DIR "/README.md"));
  const std::string head = "| What is wrong | `check` says |";
  bool within = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(head)) within = true;
    if (within && !line.starts_with("|")) break;
    std::smatch row;
    if (within && std::regex_match(line, row, std::regex("\\| [^|]+ \\| `([^`]+)` \\| [^|]+ \\|")))
      all.push_back(row[1]);
  }
  return all;
}

TEST_F(Check, TheTenOfTheReadmeAreFoundAndSaidHowToMend) {
  const TempDir files;
  const std::string certificate = files / "cert.pem";
  const std::string key = files / "key.pem";
  ASSERT_TRUE(net::make_self_signed(certificate, key, "mail.example.com"));
  const ScriptedServer other({"220 mail.example.com ESMTP Exim\r\n"});
  const ScriptedServer plain({"220 hub\r\n", "250 hub\r\n"});
  const DnsServer no_such_name(DnsServer::Mode::NxDomain);
  RedisServer guarded({"--requirepass", "right"});
  RedisServer careless({"--appendfsync", "everysec"});
  const std::string nobody = "smtp://127.0.0.1:" + std::to_string(free_port());
  const std::vector<std::map<std::string, std::string>> wrong = {
      {},
      {{"tls.certificate", certificate}, {"tls.private_key", key}},
      {{"smtp.listen", "127.0.0.1:" + std::to_string(other.port())}},
      {{"http.public_url", "http://127.0.0.1:8080"}, {"delivery.route", nobody}},
      {{"dns.server", no_such_name.address()}},
      {{"delivery.route", nobody}},
      {{"delivery.route", "smtp://127.0.0.1:" + std::to_string(plain.port())}, {"delivery.tls", "required"}},
      {{"redis.url", careless.url()}},
      {{"redis.url", guarded.url()}},
      {{"keys.master_key_file", files / "none.key"}},
  };
  const auto phrases = commonest();
  ASSERT_EQ(phrases.size(), wrong.size());
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    const Ran ran = check(wrong[i]);
    EXPECT_EQ(ran.status, 1);
    std::istringstream lines(ran.out);
    std::string found;
    for (std::string line; std::getline(lines, line);) {
      if (line.find(phrases[i]) != std::string::npos) found = line;
    }
    EXPECT_NE(found, "") << phrases[i] << "\n" << ran.out;
    EXPECT_THAT(found, testing::EndsWith(")")) << "what mends it";
  }
}

TEST_F(Check, FilesWithWrongModes) {
  const TempDir files;
  const std::string password = files.write("password", "x\n", 0644);
  EXPECT_THAT(lines_of(check({{"redis.password_file", password}}).out, "settings"),
              testing::ElementsAre(HasSubstr("redis.password_file: " + password + ": wrong mode")));
  const std::string config = files.write("open.conf", "[smtp]\nlisten = off\n", 0666);
  const Ran ran = run_ctl({"--config", config, "check"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, HasSubstr("settings: " + config + ": wrong mode"));
  const std::string key = files.write("master.key", "x\n", 0640);
  EXPECT_THAT(lines_of(check({{"keys.master_key_file", key}}).out, "master key"),
              testing::ElementsAre(HasSubstr("its mode must be 0600")));
}

TEST_F(Check, ASettingsFileThatIsNoneIsOneFinding) {
  const Ran ran = run_ctl({"--config", *directory_ / "none.conf", "check"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.out, "settings: " + (*directory_ / "none.conf") + ": No such file or directory\n");
}

TEST_F(Check, MasterKeyThatIsMissingOrAnother) {
  EXPECT_THAT(lines_of(check({{"keys.master_key_file", *directory_ / "none.key"}}).out, "master key"),
              testing::ElementsAre(HasSubstr("none.key: does not exist")));
  SystemRandom random;
  ASSERT_TRUE(MasterKey::create(*directory_ / "other.key", random));
  EXPECT_THAT(lines_of(check({{"keys.master_key_file", *directory_ / "other.key"}}).out, "master key"),
              testing::ElementsAre(HasSubstr("but Redis hangs on master key")));
}

TEST_F(Check, RedisThatCannotBeReached) {
  const Ran ran = check({{"redis.url", "unix:///nowhere/redis.sock"}});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(lines_of(ran.out, "redis"), testing::ElementsAre(HasSubstr("cannot be reached (unix:///nowhere")));
  EXPECT_EQ(lines_of(ran.out, "tls").size(), 1U) << "the rest is checked all the same";
  EXPECT_THAT(lines_of(check({{"redis.url", "embedded"}}).out, "redis"),
              testing::ElementsAre(HasSubstr("is sealpostd running?")));
}

TEST_F(Check, RedisThatIsNotDurable) {
  redis::Client redis(redis_->endpoint(), std::chrono::seconds(10));
  ASSERT_TRUE(redis.command({"CONFIG", "SET", "appendfsync", "everysec"}));
  ASSERT_TRUE(redis.command({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"}));
  const Ran ran = check();
  EXPECT_THAT(lines_of(ran.out, "redis"),
              testing::UnorderedElementsAre("redis: appendfsync is everysec (set it to always)",
                                            "redis: maxmemory-policy is allkeys-lru (set it to noeviction)"));
  EXPECT_EQ(ran.status, 1);
  ASSERT_TRUE(redis.command({"CONFIG", "SET", "appendfsync", "always"}));
  ASSERT_TRUE(redis.command({"CONFIG", "SET", "maxmemory-policy", "noeviction"}));
}

TEST_F(Check, AClockThatIsWrong) {
  const SystemClock right;
  const ManualClock wrong(to_milliseconds(right.now()) + 3'600'000);
  Log log(LogLevel::Error, LogFormat::Text, right);
  const std::string file = write_settings("check.conf", {{"dns.server", dns_.address()}});
  std::vector<std::string> found;
  for (const auto& finding : ctl::examine({file, {}, {}}, wrong, log)) {
    if (finding.check == "clock") found.push_back(finding.text);
  }
  EXPECT_THAT(found,
              testing::ElementsAre(testing::ContainsRegex("this machine and Redis differ by 3[56][0-9][0-9] s")));
}

TEST_F(Check, AStoreThatNobodyUsedIsLeftUntouched) {
  RedisServer fresh;
  EXPECT_THAT(lines_of(check({{"redis.url", fresh.url()}}).out, "master key"),
              testing::ElementsAre(HasSubstr("Redis holds nothing of Sealpost yet")));
  const Ran ran = run_ctl({"--config", write_settings("fresh.conf", {{"redis.url", fresh.url()}}), "account", "list"});
  EXPECT_EQ(ran.status, EX_UNAVAILABLE) << ran.err;
  redis::Client redis(fresh.endpoint(), std::chrono::seconds(10));
  const auto size = redis.command({"DBSIZE"});
  ASSERT_TRUE(size);
  EXPECT_EQ(size->integer(), 0);
}

}  // namespace
}  // namespace sealpost::test
