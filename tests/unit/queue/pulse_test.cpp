// SPDX-License-Identifier: Apache-2.0
// The queue's pulse: what a sample says, that it beats for listeners only, resumes behind an id, and outlives Redis'
// absence and its listeners' rights.
#include "queue/pulse.h"

#include <Poco/JSON/Parser.h>

#include <condition_variable>
#include <mutex>

#include "base/memory_budget.h"
#include "queue/pulse_routes.h"
#include "tests/support/http_direct.h"
#include "tests/unit/queue/queue_fixture.h"

namespace sealpost::test {
namespace {

using std::chrono::milliseconds;

/// Hears events and waits for them.
class Ear final {
 public:
  explicit Ear(std::shared_ptr<http::EventStream> stream) : stream_(std::move(stream)) {
    stream_->subscribe([news = news_] {
      const std::lock_guard lock(news->mutex);
      ++news->count;
      news->came.notify_all();
    });
  }

  struct Event {
    std::string id, name, data;
    [[nodiscard]] Poco::JSON::Object::Ptr json() const {
      return Poco::JSON::Parser().parse(data).extract<Poco::JSON::Object::Ptr>();
    }
  };
  /// The next event; empty when the stream ends first, or none comes in a minute.
  Event next() {
    std::size_t seen = 0;
    while (heard_.find("\n\n") == std::string::npos) {
      std::unique_lock lock(news_->mutex);
      const auto came = [&] { return news_->count > seen || stream_->ended(); };
      if (!news_->came.wait_for(lock, std::chrono::minutes(1), came) || stream_->ended()) return {};
      seen = news_->count;
      lock.unlock();
      heard_ += stream_->take();
    }
    const std::string text = heard_.substr(0, heard_.find("\n\n") + 1);
    heard_.erase(0, text.size() + 1);
    const auto field = [&](const std::string& name) {
      const auto at = text.find(name + ": ") + name.size() + 2;
      return text.substr(at, text.find('\n', at) - at);
    };
    return {field("id"), field("event"), field("data")};
  }
  Event next(const std::string& name) {
    Event event = next();
    while (!event.name.empty() && event.name != name) event = next();
    return event;
  }

 private:
  struct News {
    std::mutex mutex;
    std::condition_variable came;
    std::size_t count = 1;  // what happened before is looked for at once, as the server does
  };
  std::shared_ptr<News> news_ = std::make_shared<News>();
  std::shared_ptr<http::EventStream> stream_;
  std::string heard_;
};

class PulseTest : public QueueTest {
 protected:
  std::unique_ptr<Pulse> pulse(std::optional<PoolStatus> pool = PoolStatus{7, 64}) {
    return std::make_unique<Pulse>(
        redis, clock, [pool] { return pool; }, log, milliseconds(20));
  }
  static double rate(const Ear::Event& event, const char* name) {
    return event.json()->getObject("rates")->getValue<double>(name);
  }
};

TEST_F(PulseTest, TellsWhatCameAndWhatWaits) {
  const auto queue = process();
  const auto beat = pulse();
  Ear ear(beat->listen(""));
  const auto before = ear.next("sample");
  EXPECT_EQ(rate(before, "accepted"), 0);
  EXPECT_EQ(before.json()->getObject("states")->getValue<int>("queued"), 0);
  put(*queue, {"bob@example.net", "carol@example.net"});
  auto event = ear.next("sample");
  while (!event.name.empty() && rate(event, "accepted") == 0) event = ear.next("sample");
  EXPECT_GT(rate(event, "accepted"), 0);
  EXPECT_EQ(event.json()->getObject("states")->getValue<int>("queued"), 2);
  EXPECT_EQ(event.json()->getObject("pool")->getValue<int>("ready"), 7);
  EXPECT_EQ(event.json()->getObject("pool")->getValue<int>("wanted"), 64);
  EXPECT_EQ(event.json()->getValue<std::string>("time"), to_rfc3339(clock.now()));
  EXPECT_EQ(rate(ear.next("sample"), "accepted"), 0) << "a rate is of now";
}

TEST_F(PulseTest, TellsHowLongDeliveriesTook) {
  const auto queue = process();
  const auto beat = pulse();
  Ear ear(beat->listen(""));
  EXPECT_TRUE(ear.next("sample").json()->isNull("latency"));
  put(*queue, {"bob@example.net"});
  ASSERT_TRUE(queue->delivered(claim_all(*queue).at(0), "250 ok"));
  auto event = ear.next("sample");
  while (!event.name.empty() && event.json()->isNull("latency")) event = ear.next("sample");
  const auto latency = event.json()->getObject("latency");
  for (const char* part : {"p50", "p95", "p99"}) EXPECT_LE(latency->getValue<double>(part), 0.1) << part;
}

TEST_F(PulseTest, AnUnknownPoolIsNull) {
  const auto beat = pulse(std::nullopt);
  Ear ear(beat->listen(""));
  EXPECT_TRUE(ear.next("sample").json()->isNull("pool"));
}

TEST_F(PulseTest, ANewListenerBeginsWithWhatWasKept) {
  const auto beat = pulse();
  Ear first(beat->listen(""));
  const std::string id = first.next().id;
  const std::string second_id = first.next().id;
  EXPECT_EQ(Ear(beat->listen("")).next().id, id);
  EXPECT_EQ(Ear(beat->listen(id)).next().id, second_id) << "resumes behind what was heard";
  for (const char* forged : {"0", "x", "-1", "99999999999999999", "999999999999999999999999", "1 2"}) {
    EXPECT_EQ(Ear(beat->listen(forged)).next().id, id) << forged;
  }
}

TEST_F(PulseTest, BeatsForListenersOnly) {
  const auto beat = pulse();
  std::string id;
  {
    Ear ear(beat->listen(""));
    id = ear.next().id;
  }
  const auto commands = [&] {
    const std::string info(redis.command({"INFO", "commandstats"}).value().text());
    const auto at = info.find("cmdstat_hmget:calls=");
    return info.substr(at, info.find(',', at) - at);
  };
  // The round that runs may end; then there is none.
  std::string before;
  for (std::string now = commands(); now != before; now = commands()) {
    before = now;
    std::this_thread::sleep_for(milliseconds(100));  // five beats
  }
  EXPECT_FALSE(Ear(beat->listen(id)).next("sample").name.empty()) << "and begins anew";
}

TEST_F(PulseTest, SaysThatRedisIsAwayAndGoesOn) {
  const auto beat = pulse();
  Ear ear(beat->listen(""));
  EXPECT_EQ(ear.next().name, "sample");
  server.kill();
  const auto trouble = ear.next("trouble");
  EXPECT_FALSE(trouble.json()->getValue<std::string>("reason").empty());
  EXPECT_EQ(Ear(beat->listen("")).next("trouble").id, trouble.id) << "a new listener hears of it";
  server.start();
  EXPECT_EQ(ear.next().name, "sample");
}

TEST_F(PulseTest, WhoMayHearNoMoreIsDismissed) {
  const auto beat = pulse();
  std::atomic<bool> admitted{true};
  Ear out(beat->listen("", [&] { return admitted.load(); }));
  Ear other(beat->listen(""));
  EXPECT_EQ(out.next().name, "sample");
  admitted = false;
  EXPECT_EQ(out.next("never").name, "");
  EXPECT_EQ(other.next().name, "sample");
}

TEST_F(PulseTest, AListenerMayOutliveIt) {
  auto beat = pulse();
  const auto stream = beat->listen("");
  stream->subscribe([] {});
  beat.reset();
  stream->take();
  EXPECT_FALSE(stream->ended());
}

/// A call of somebody's server is no mail that came and went.
TEST_F(PulseTest, WebhooksEventsAreNoMail) {
  MailQueue events(redis, master, clock, random, log, std::chrono::seconds(60), Schedule::Webhooks);
  Addressee receiver = addressee("abc@webhook.invalid");
  receiver.destination = "webhook:abc";
  const Envelope own{events.new_id(), {}, std::nullopt, {}, false, clock.now()};
  ASSERT_TRUE(events.put(Notice(Notice::Kind::WebhookEvent, WipedBuffer(3, 'x')), own, receiver));
  const auto claims = claim_all(events);
  ASSERT_EQ(claims.size(), 1U);
  ASSERT_TRUE(events.delivered(claims[0], "200"));
  EXPECT_TRUE(keys("queue:*:counts").empty());
  const auto summary = view.summary().value();
  EXPECT_EQ(summary.rates.delivered, 0);
}

TEST_F(PulseTest, TheRouteIsAnOperatorsAndHasItsLimit) {
  const auto beat = pulse();
  http::Router router;
  http::KnownTokens tokens;
  router.add(pulse_routes(*beat, tokens));
  MemoryBudget budget{1'000'000};
  http::ServerContext context{router, tokens, budget, log, {}};
  const auto ask = [&](const std::string& token) {
    return http::ask(context, "GET", "/v1/queue/stream", {}, {{"Authorization", "Bearer " + token}});
  };
  EXPECT_EQ(ask("submit").status, 403);
  EXPECT_EQ(ask("nobody").status, 401);
  const auto answer = ask("operator");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("Content-Type"), "text/event-stream");
  std::vector<std::shared_ptr<void>> places;
  for (std::size_t i = 0; i < http::StreamPlaces::of_one; ++i) places.push_back(context.streams->take("admin", "n"));
  EXPECT_EQ(ask("operator").status, 503);
}

}  // namespace
}  // namespace sealpost::test
