// SPDX-License-Identifier: Apache-2.0
// A scrape over a real Redis: what is looked up, what promtool says to it, and what is left of it when Redis is away or
// hangs.
#include "relay/metrics_routes.h"

#include <gmock/gmock.h>

#include <csignal>
#include <regex>
#include <set>

#include "relay/metrics.h"
#include "tests/support/metrics_text.h"
#include "tests/support/process.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class MetricsRoutes : public QueueTest {
 protected:
  MetricsRoutes() : QueueTest({"--maxmemory", "100mb"}) {}

  std::string scrape() {
    const auto routes = metrics_routes(context);
    EXPECT_EQ(routes.size(), 1U);
    auto answer = routes.at(0).handle({});
    EXPECT_EQ(answer.status, 200);
    type = answer.fields.at(0).second;
    return std::string(view_of(answer));
  }
  static std::string_view view_of(const http::Response& answer) { return sealpost::view(answer.body); }
  static std::set<std::string> names(const std::string& text) {
    std::set<std::string> found;
    const std::regex line(R"(# TYPE (\S+) )");
    for (std::sregex_iterator at(text.begin(), text.end(), line), end; at != end; ++at) found.insert((*at)[1]);
    return found;
  }

  const Metrics metrics;
  redis::Client impatient{server.endpoint(), scrape_patience, 2};
  MemoryBudget budget{1000};
  Result<Time> tls_end = clock.now() + 24h;
  std::size_t connections = 3;
  MetricsRoutesContext context{metrics.registry,
                               impatient,
                               clock,
                               budget,
                               KeyType::P256,
                               64,
                               {{"tls", [this] { return tls_end; }}},
                               {{"smtp", [this] { return connections; }}, {"http", [] { return std::size_t{0}; }}},
                               clock.now()};
  std::string type;
};

TEST_F(MetricsRoutes, LooksUpQueueKeysRedisAndProcess) {
  auto queue = process();
  put(*queue, {"a@example.net", "b@example.net"});
  clock.advance(90s);
  ASSERT_TRUE(redis.command({"RPUSH", "keys:pool:p256", "one", "two"}));
  ASSERT_TRUE(redis.command({"HSET", "keys:{3}:outbox:rows", "a@example.net", "row"}));
  ASSERT_TRUE(redis.command({"ZADD", "keys:{3}:not_picked_up", "1", "a@example.net", "2", "b@example.net"}));
  const std::string soon = std::to_string(to_milliseconds(clock.now() + 24h));
  ASSERT_TRUE(redis.command({"ZADD", "keys:{4}:own_ends", "1", "c@example.net", soon, "d@example.net"}));
  MemoryBudget::Reservation held;
  ASSERT_TRUE(held.grow_to(budget, 400));
  const std::string text = scrape();
  EXPECT_EQ(type, "text/plain; version=0.0.4; charset=utf-8");
  const auto start = static_cast<double>(to_milliseconds(clock.now() - 90s)) / 1000;
  const std::map<std::string, double> wanted = {
      {"sealpost_deliveries{state=\"queued\"}", 2},
      {"sealpost_deliveries{state=\"sending\"}", 0},
      {"sealpost_deliveries{state=\"deferred\"}", 0},
      {"sealpost_deliveries{state=\"held\"}", 0},
      {"sealpost_deliveries{state=\"delivered\"}", 0},
      {"sealpost_deliveries{state=\"bounced\"}", 0},
      {"sealpost_deliveries{state=\"dropped\"}", 0},
      {"sealpost_oldest_waiting_seconds", 90},
      {"sealpost_oldest_moving_seconds", 90},
      {"sealpost_key_pool_ready", 2},
      {"sealpost_key_pool_wanted", 64},
      {"sealpost_notifications_waiting", 1},
      {"sealpost_keys_not_picked_up", 2},
      {"sealpost_recipient_certificates_ending", 1},
      {"sealpost_recipient_certificates_ended", 1},
      {"sealpost_redis_up", 1},
      {"sealpost_redis_durable", 1},
      {"sealpost_redis_memory_limit_bytes", 100 * 1024 * 1024},
      {"sealpost_open_connections{service=\"smtp\"}", 3},
      {"sealpost_open_connections{service=\"http\"}", 0},
      {"sealpost_memory_budget_bytes", 400},
      {"sealpost_memory_budget_limit_bytes", 1000},
      {"sealpost_certificate_expiry_timestamp_seconds{certificate=\"tls\"}", start + 24 * 3600},
      {"process_start_time_seconds", start},
      {"sealpost_build_info{version=\"0.1.0\"}", 1},
  };
  for (const auto& [series, value] : wanted) EXPECT_EQ(sample(text, series), value) << series;
  EXPECT_GT(sample(text, "sealpost_redis_memory_bytes"), 500'000);
}

TEST_F(MetricsRoutes, NothingWaitsAndACertificateIsMissing) {
  tls_end = Error::not_found("there is none");
  const std::string text = scrape();
  EXPECT_EQ(sample(text, "sealpost_oldest_waiting_seconds"), 0);
  EXPECT_THAT(text, Not(HasSubstr("certificate_expiry")));
}

TEST_F(MetricsRoutes, PromtoolFindsNoFault) {
  const auto checked = run({"promtool", "check", "metrics"}, scrape());
  EXPECT_EQ(checked.status, 0) << checked.out << checked.err;
  EXPECT_EQ(checked.out + checked.err, "");
}

TEST_F(MetricsRoutes, AStoreThatMayLoseMailIsNotDurable) {
  ASSERT_TRUE(redis.command({"CONFIG", "SET", "appendfsync", "everysec"}));
  EXPECT_EQ(sample(scrape(), "sealpost_redis_durable"), 0);
}

TEST_F(MetricsRoutes, WithoutRedisTheProcessStillTells) {
  const auto before = names(scrape());
  server.kill();
  const std::string text = scrape();
  EXPECT_EQ(sample(text, "sealpost_redis_up"), 0);
  auto missing = before;
  for (const auto& name : names(text)) missing.erase(name);
  EXPECT_EQ(missing,
            (std::set<std::string>{
                "sealpost_deliveries", "sealpost_oldest_waiting_seconds", "sealpost_oldest_moving_seconds",
                "sealpost_key_pool_ready", "sealpost_notifications_waiting", "sealpost_keys_not_picked_up",
                "sealpost_recipient_certificates_ending", "sealpost_recipient_certificates_ended",
                "sealpost_redis_durable", "sealpost_redis_memory_bytes", "sealpost_redis_memory_limit_bytes"}));
  server.start();
  EXPECT_EQ(names(scrape()), before);
}

TEST_F(MetricsRoutes, ARedisThatHangsHoldsUpNoScrape) {
  scrape();
  ASSERT_EQ(::kill(server.pid(), SIGSTOP), 0);
  const auto begun = std::chrono::steady_clock::now();
  const std::string text = scrape();
  const auto took = std::chrono::steady_clock::now() - begun;
  ASSERT_EQ(::kill(server.pid(), SIGCONT), 0);
  EXPECT_EQ(sample(text, "sealpost_redis_up"), 0);
  EXPECT_LT(took, 2 * scrape_patience);
}

/// Every count that a part can make is there from the start, so that a rate sees its first step.
TEST_F(MetricsRoutes, EverySeriesIsThereFromTheStart) {
  const std::string text = scrape();
  for (const char* series :
       {"sealpost_messages_accepted_total{protocol=\"smtp\"}", "sealpost_messages_accepted_total{protocol=\"rest\"}",
        "sealpost_messages_refused_total{code=\"552\",protocol=\"smtp\"}",
        "sealpost_messages_refused_total{code=\"other\",protocol=\"smtp\"}",
        "sealpost_messages_refused_total{code=\"422\",protocol=\"rest\"}",
        "sealpost_delivery_outcomes_total{outcome=\"delivered\"}", "sealpost_delivery_outcomes_total{outcome=\"held\"}",
        "sealpost_tls_sessions_total{side=\"in\",version=\"TLSv1.2\"}",
        "sealpost_tls_sessions_total{side=\"out\",version=\"TLSv1.3\"}",
        "sealpost_auth_failures_total{protocol=\"smtp\"}", "sealpost_auth_failures_total{protocol=\"http\"}",
        "sealpost_accept_seconds_count{protocol=\"smtp\"}", "sealpost_accept_seconds_count{protocol=\"rest\"}",
        "sealpost_seal_seconds_count", "sealpost_delivery_attempt_seconds_count", "sealpost_delivery_seconds_count",
        "sealpost_redis_command_seconds_count", "sealpost_key_generation_seconds_count{type=\"rsa3072\"}",
        "sealpost_key_generation_seconds_count{type=\"p256\"}"}) {
    EXPECT_EQ(sample(text, series), 0) << series;
  }
}

}  // namespace
}  // namespace sealpost::test
