// SPDX-License-Identifier: Apache-2.0
// /v1/openapi.json against what relays really answer, for every call and status that it lists: openapi_cases.py asks
// and judges.
#include <Poco/JSON/Object.h>
#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "tests/e2e/relay_fixture.h"
#include "tests/support/build.h"
#include "tests/support/mail_sink.h"
#include "tests/support/redis_server.h"

namespace sealpost::test {
namespace {

Poco::JSON::Object facts(const RelayFixture& relay, const std::string& redis, const std::string& mail) {
  Poco::JSON::Object object;
  object.set("port", relay.port("http"));
  object.set("config", relay.config());
  object.set("redis", redis);
  object.set("mail", mail);
  object.set("ctl", program("sealpostctl"));
  return object;
}

std::string described(const std::map<std::string, Poco::JSON::Object>& relays) {
  Poco::JSON::Object all;
  for (const auto& [name, relay] : relays) all.set(name, relay);
  std::ostringstream out;
  all.stringify(out);
  return out.str();
}

TEST(OpenApi, EveryCallAnswersAsDocumented) {
  const MailSink sink({"smtp"});
  const std::string route = "smtp://127.0.0.1:" + std::to_string(sink.port());
  // What the pool has ready decides how many new recipients are too many. One bounce is enough to be refused.
  const RelayFixture main(RelayFixture::Settings{{"delivery.route", route},
                                                 {"delivery.suppress_after", "1"},
                                                 {"relay.memory_limit", "8m"},
                                                 {"http.trusted_proxies", "127.0.0.1"},
                                                 {"smtp.max_message_size", "100k"}});
  const TempDir templates;
  templates.write("logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
  const RelayFixture strict(RelayFixture::Settings{{"http.max_calls_per_account", "4/d"},
                                                   {"notify.max_new_per_account", "1/d"},
                                                   {"notify.code_lifetime", "1s"},
                                                   {"http.trusted_proxies", "127.0.0.1"},
                                                   {"notify.templates", templates.path().string()}});
  const TempDir pictures;
  pictures.write("logo.png", "\x89PNG\r\n\x1a\n");
  RedisServer redis;
  const RelayFixture lonely(RelayFixture::Settings{{"redis.url", redis.url()},
                                                   {"relay.drain_timeout", "1s"},
                                                   {"http.trusted_proxies", "127.0.0.1"},
                                                   {"notify.templates", pictures.path().string()}});
  const std::map<std::string, Poco::JSON::Object> relays = {
      {"main", facts(main, main.redis_endpoint().unix_path, sink.folder())},
      {"strict", facts(strict, strict.redis_endpoint().unix_path, strict.directory() / "mail")},
      {"lonely", facts(lonely, redis.socket(), lonely.directory() / "mail")}};
  const auto told =
      run({python, "-B", SOURCE_DIR "/tests/e2e/openapi_cases.py"}, {},
          {{"RELAYS", described(relays)}, {"REDIS_OF_LONELY", std::to_string(redis.pid())}}, std::chrono::seconds(240));
  EXPECT_EQ(told.status, 0) << told.out << told.err;
  std::smatch count;
  ASSERT_TRUE(std::regex_search(told.out, count, std::regex("(\\d+) pairs, 0 failed"))) << told.out << told.err;
  EXPECT_GE(std::stoi(count[1]), 580);
  RecordProperty("pairs", count[1]);
  std::cout << told.out;
}

}  // namespace
}  // namespace sealpost::test
