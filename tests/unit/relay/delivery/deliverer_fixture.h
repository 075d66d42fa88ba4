// SPDX-License-Identifier: Apache-2.0
// A deliverer over a real queue in a real Redis, with a next hop that a test plays itself.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "relay/delivery/deliverer.h"
#include "tests/support/eventually.h"
#include "tests/unit/queue/queue_fixture.h"
#include "tests/unit/relay/delivery/delivery_fixture.h"

namespace sealpost::test {

/// Notes every attempt, and answers as it is told.
class PlayedHop final : public NextHop {
 public:
  using Play = std::function<Outcome(const Claim&)>;
  using Reach = std::function<bool(const Claim&)>;
  explicit PlayedHop(Play play) : play_(std::move(play)) {}

  Attempt attempt(const Claim& claim, DeliveryBody& body) override {
    std::string content;
    while (true) {
      auto piece = body.next();
      if (!piece || piece->empty()) break;
      content += *piece;
    }
    Play play;
    Reach reach;
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back({claim.delivery, std::move(content)});
      play = play_;
      reach = reach_;
    }
    changed_.notify_all();
    return {play(claim), {"mx.example.net", "192.0.2.1:25", "TLSv1.3 X"}, reach(claim)};
  }

  void play(Play play) {
    const std::lock_guard lock(mutex_);
    play_ = std::move(play);
  }
  /// Which attempts get through to their destination; all, unless told otherwise.
  void reach(Reach reach) {
    const std::lock_guard lock(mutex_);
    reach_ = std::move(reach);
  }
  struct Seen {
    DeliveryRecord delivery;
    std::string content;
  };
  std::vector<Seen> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  bool wait_for_attempts(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return seen_.size() >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Play play_;
  Reach reach_ = [](const Claim&) { return true; };
  std::vector<Seen> seen_;
};

class DelivererTest : public QueueTest {
 protected:
  DelivererTest() {
    options.workers = 4;
    options.destination_concurrency = 20;
    options.retry = {std::chrono::minutes(1), std::chrono::minutes(5)};
    options.max_age = std::chrono::hours(5 * 24);
    options.warn_after = std::chrono::hours(4);
    options.history = std::chrono::hours(7 * 24);
    options.sender = {"Sealpost", "postmaster@relay.example.org", "relay.example.org"};
  }

  void start() {
    deliverer = std::make_unique<Deliverer>(
        *queue, permits, suppressions, hop, abandon, master, clock, random, log, options,
        DelivererHooks{[this](const std::string& recipient, bool arrived) {
                         const std::lock_guard lock(failed_mutex);
                         (arrived ? sent_notifications : failed_notifications).push_back(recipient);
                       },
                       [this](const DeliveryEvent& event) -> Status {
                         const std::lock_guard lock(failed_mutex);
                         events.push_back(std::string(to_text(event.type)) + " " + event.response);
                         return event_faults.empty() ? Status() : next_fault();
                       }});
    deliverer->start();
  }
  void stop_in(std::chrono::milliseconds grace) { deliverer->stop(std::chrono::steady_clock::now() + grace); }

  DeliveryRecord show(const MessageId& id) { return view.show(DeliveryId(id, 1)).value(); }
  /// Time is the test's own, so that the deliverer must be told to look.
  bool eventually(const std::function<bool()>& holds) {
    return test::eventually([&] {
      deliverer->kick();
      return holds();
    });
  }
  bool becomes(const MessageId& id, DeliveryState wanted, std::uint32_t attempts) {
    return eventually([&] {
      const DeliveryRecord record = show(id);
      return record.state == wanted && record.attempts == attempts;
    });
  }
  std::vector<std::string> failed() {
    const std::lock_guard lock(failed_mutex);
    return failed_notifications;
  }
  std::vector<std::string> told() {
    const std::lock_guard lock(failed_mutex);
    return events;
  }
  Status next_fault() {
    Error fault = std::move(event_faults.front());
    event_faults.pop_front();
    return fault;
  }
  std::vector<std::string> arrived() {
    const std::lock_guard lock(failed_mutex);
    return sent_notifications;
  }
  /// The relay's own mail among the attempts.
  std::vector<PlayedHop::Seen> notices() {
    std::vector<PlayedHop::Seen> found;
    for (auto& seen : hop.seen()) {
      if (seen.delivery.notice) found.push_back(std::move(seen));
    }
    return found;
  }

  std::unique_ptr<MailQueue> queue = process();
  Suppressions suppressions{redis, clock, {3, std::chrono::hours(7 * 24)}};
  PlayedHop hop{[](const Claim&) { return Delivered{"250 2.0.0 ok"}; }};
  PollableFlag abandon;
  Permits permits{redis, "node-a", 1000};
  DelivererOptions options;
  std::mutex failed_mutex;
  std::vector<std::string> failed_notifications;
  std::vector<std::string> sent_notifications;
  std::vector<std::string> events;  ///< "deferred 450 4.2.0 later"
  std::deque<Error> event_faults;   ///< what telling comes to, in turn
  std::unique_ptr<Deliverer> deliverer;
};

}  // namespace sealpost::test
