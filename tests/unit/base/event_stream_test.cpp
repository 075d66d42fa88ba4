// SPDX-License-Identifier: Apache-2.0
// Answers that go on: events as they happen, heartbeats, ends, places, slow and lost listeners; no worker waits.
#include "base/http/event_stream.h"

#include <memory>
#include <mutex>
#include <vector>

#include "tests/support/eventually.h"
#include "tests/unit/base/http_fixture.h"

namespace sealpost::http {
namespace {

using std::chrono::milliseconds;
using test::RawClient;

/// What a test says to all who listen.
class Studio final {
 public:
  class Listener final : public EventStream {
   public:
    explicit Listener(Studio& studio) : studio_(studio) { ++studio_.listening; }
    ~Listener() override { --studio_.listening; }
    void subscribe(std::function<void()> wake) override {
      const std::lock_guard lock(studio_.mutex_);
      studio_.wakes_.push_back(std::move(wake));
    }
    [[nodiscard]] bool ended() const override { return studio_.closed; }
    std::string take() override {
      const std::lock_guard lock(studio_.mutex_);
      ++studio_.asked;
      std::string text;
      for (; heard_ < studio_.said_.size(); ++heard_) text += studio_.said_[heard_];
      return text;
    }

   private:
    Studio& studio_;
    std::size_t heard_ = 0;
  };

  void say(const std::string& data) {
    std::vector<std::function<void()>> wakes;
    {
      const std::lock_guard lock(mutex_);
      said_.push_back(format_event(std::to_string(said_.size() + 1), "word", data));
      wakes = wakes_;
    }
    for (const auto& wake : wakes) wake();
  }

  std::atomic<int> listening{0};
  std::atomic<int> asked{0};
  std::atomic<bool> closed{false};

 private:
  std::mutex mutex_;
  std::vector<std::string> said_;
  std::vector<std::function<void()>> wakes_;
};

const std::string listen_request = "GET /events HTTP/1.1\r\nHost: x\r\n\r\n";

class EventStreams : public HttpTest {
 protected:
  EventStreams() {
    router_.add({{"GET", "/events", Access::Public, 0, [this](const Request& request) {
                    return Response::event_stream(std::make_shared<Studio::Listener>(studio_),
                                                  request.query.empty() ? "admin" : request.query.begin()->second);
                  }}});
  }
  ~EventStreams() override { loop_.stop(milliseconds(0)); }

  void wait_for_listeners(int count) {
    EXPECT_TRUE(test::eventually([&] { return studio_.listening == count; })) << studio_.listening;
  }

  Studio studio_;
};

TEST_F(EventStreams, BeginWithTheirFieldsAndGoOn) {
  studio_.say("before");
  RawClient client(serve());
  ASSERT_TRUE(client.send(listen_request));
  const std::string head = client.read_until("\r\n\r\n");
  EXPECT_EQ(status_of(head), 200);
  for (const char* field : {"\r\nContent-Type: text/event-stream\r\n", "\r\nCache-Control: no-store\r\n",
                            "\r\nX-Accel-Buffering: no\r\n", "\r\nConnection: close\r\n"}) {
    EXPECT_NE(head.find(field), std::string::npos) << head;
  }
  EXPECT_EQ(head.find("Content-Length"), std::string::npos) << head;
  EXPECT_EQ(client.read_until("\n\n"), "id: 1\nevent: word\ndata: before\n\n");
  studio_.say("two\nlines");
  EXPECT_EQ(client.read_until("\n\n"), "id: 2\nevent: word\ndata: two\ndata: lines\n\n");
}

TEST_F(EventStreams, HoldNoWorker) {
  const auto port = serve();  // with two workers
  std::vector<std::unique_ptr<RawClient>> listeners;
  for (int i = 0; i < 6; ++i) {
    listeners.push_back(std::make_unique<RawClient>(port));
    ASSERT_TRUE(listeners.back()->send(listen_request));
    EXPECT_EQ(status_of(listeners.back()->read_until("\r\n\r\n")), 200);
  }
  RawClient client(port);
  ASSERT_TRUE(client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(status_of(read_response(client)), 200);
  studio_.say("all");
  for (const auto& listener : listeners) EXPECT_NE(listener->read_until("\n\n").find("data: all"), std::string::npos);
}

TEST_F(EventStreams, AHeadHasNoEvents) {
  studio_.say("before");
  RawClient client(serve());
  ASSERT_TRUE(client.send("HEAD /events HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_TRUE(client.read_to_end().ends_with("\r\n\r\n"));
  EXPECT_EQ(studio_.asked, 0);
}

TEST_F(EventStreams, WhatIsSentMeanwhileIsNoRequest) {
  RawClient client(serve());
  ASSERT_TRUE(client.send(listen_request + "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"));
  client.read_until("\r\n\r\n");
  ASSERT_TRUE(client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"));
  studio_.say("still");
  EXPECT_EQ(client.read_until("\n\n"), "id: 1\nevent: word\ndata: still\n\n");
  EXPECT_EQ(handled_, 0);
}

TEST_F(EventStreams, AreKeptAliveInSilence) {
  context_.options.stream_heartbeat = milliseconds(50);
  RawClient client(serve());
  ASSERT_TRUE(client.send(listen_request));
  client.read_until("\r\n\r\n");
  EXPECT_EQ(client.read_until("\n\n"), ":\n\n");
  EXPECT_EQ(client.read_until("\n\n"), ":\n\n");
  studio_.say("word");
  std::string heard;
  for (int i = 0; i < 20 && heard.find("data: word") == std::string::npos; ++i) heard = client.read_until("\n\n");
  EXPECT_NE(heard.find("data: word"), std::string::npos) << "a heartbeat is no end";
}

TEST_F(EventStreams, EndAfterTheirTimeHoweverBusy) {
  context_.options.stream_heartbeat = milliseconds(50);
  context_.options.stream_lifetime = milliseconds(300);
  RawClient client(serve());
  ASSERT_TRUE(client.send(listen_request));
  while (!client.closed_within(milliseconds(10))) studio_.say("word");
  EXPECT_NE(client.read_to_end().find("data: word"), std::string::npos);
  wait_for_listeners(0);
}

TEST_F(EventStreams, EndWhenTheirSourceSaysSo) {
  RawClient client(serve());
  ASSERT_TRUE(client.send(listen_request));
  client.read_until("\r\n\r\n");
  wait_for_listeners(1);
  studio_.closed = true;
  studio_.say("not for you");
  EXPECT_EQ(client.read_to_end(), "");
  wait_for_listeners(0);
}

TEST_F(EventStreams, EndAtOnceWhenTheServerDrains) {
  RawClient client(serve());
  ASSERT_TRUE(client.send(listen_request));
  client.read_until("\r\n\r\n");
  wait_for_listeners(1);
  const auto begun = std::chrono::steady_clock::now();
  loop_.stop(std::chrono::seconds(30));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  EXPECT_TRUE(client.expect_close());
  studio_.say("to nobody");  // a waker may outlive its loop
}

TEST_F(EventStreams, ASlowReaderHoldsUpNoDrain) {
  RawClient slow(serve(), 4096);
  ASSERT_TRUE(slow.send(listen_request));
  wait_for_listeners(1);
  studio_.say(std::string(16UL << 20U, 'x'));
  const auto begun = std::chrono::steady_clock::now();
  loop_.stop(std::chrono::seconds(30));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
}

TEST_F(EventStreams, ASlowReaderIsAskedForNothingMoreAndDropped) {
  context_.options.stream_heartbeat = milliseconds(4000);  // a quick one needs a while, too, on a busy machine
  const auto port = serve();
  RawClient slow(port, 4096);
  RawClient quick(port);
  for (auto* client : {&slow, &quick}) ASSERT_TRUE(client->send(listen_request));
  wait_for_listeners(2);
  const std::string much(16UL << 20U, 'x');  // more than the kernel keeps for it
  studio_.say(much);
  const auto heard = [&] { return quick.read_until("\n\n").size(); };
  EXPECT_GT(heard(), much.size());
  const int asked = studio_.asked;
  studio_.say("more");
  EXPECT_LT(heard(), 100U);
  EXPECT_EQ(studio_.asked, asked + 1) << "the slow one was not asked";
  wait_for_listeners(1);
}

TEST_F(EventStreams, AListenerWhoLeavesFreesThePlaceAtOnce) {
  const auto port = serve();
  std::vector<std::unique_ptr<RawClient>> listeners;
  const auto join = [&] {
    listeners.push_back(std::make_unique<RawClient>(port));
    EXPECT_TRUE(listeners.back()->send(listen_request));
    return listeners.back()->read_until("\r\n\r\n");
  };
  for (std::size_t i = 0; i < StreamPlaces::of_one; ++i) EXPECT_EQ(status_of(join()), 200) << i;
  const std::string refused = join();
  EXPECT_EQ(status_of(refused), 503);
  EXPECT_NE(refused.find("\r\nRetry-After: 30\r\n"), std::string::npos) << refused;
  listeners.front()->reset();
  wait_for_listeners(StreamPlaces::of_one - 1);
  EXPECT_EQ(status_of(join()), 200);
  listeners[1]->half_close();
  wait_for_listeners(StreamPlaces::of_one - 1);
}

TEST(Places, AreCountedInAllByAccountAndByNetwork) {
  StreamPlaces places;
  std::vector<std::shared_ptr<void>> taken;
  for (std::size_t i = 0; i < StreamPlaces::of_one; ++i) {
    taken.push_back(places.take("a", "n" + std::to_string(i)));
    ASSERT_TRUE(taken.back());
  }
  EXPECT_FALSE(places.take("a", "elsewhere")) << "of the account";
  taken.clear();
  for (std::size_t i = 0; i < StreamPlaces::of_one; ++i) taken.push_back(places.take("a" + std::to_string(i), "n"));
  EXPECT_FALSE(places.take("other", "n")) << "of the network";
  taken.clear();
  for (std::size_t i = 0; i < StreamPlaces::in_all; ++i) {
    taken.push_back(places.take("a" + std::to_string(i), "n" + std::to_string(i)));
    ASSERT_TRUE(taken.back()) << i;
  }
  EXPECT_FALSE(places.take("other", "elsewhere")) << "of the process";
  taken.pop_back();
  EXPECT_TRUE(places.take("other", "elsewhere"));
}

}  // namespace
}  // namespace sealpost::http
