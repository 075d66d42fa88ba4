// SPDX-License-Identifier: Apache-2.0
// Implements pulse.h.
#include "queue/pulse.h"

#include <Poco/JSON/Object.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <sstream>
#include <utility>

#include "base/guarded.h"
#include "base/redis/number.h"
#include "queue/keys.h"

namespace sealpost {
namespace {

constexpr std::array flows = {"accepted", "delivered", "deferred", "bounced"};
/// A rate over a longer pause would be drawn at one point, and is not what happens now.
constexpr std::chrono::seconds longest_gap{10};
constexpr unsigned rounds_between_checks = 10;

std::string written(const Poco::JSON::Object& object) {
  std::ostringstream out;
  object.stringify(out);
  return out.str();
}

double rounded(double value) { return std::round(value * 100) / 100; }

}  // namespace

/// The kept events and who wants to hear of more. Outlives the pulse while somebody listens.
class Pulse::Shared final {
 public:
  /// One who listens.
  struct Place {
    Admitted admitted;
    std::function<void()> wake;
    std::atomic<bool> ended{false};
  };
  struct Event {
    std::uint64_t id;
    std::string text;
    Instant at;
  };

  void add(std::string_view name, const std::string& data, Time now) {
    const std::lock_guard lock(mutex_);
    last_id_ = std::max(last_id_ + 1, static_cast<std::uint64_t>(to_milliseconds(now)));
    const auto at = std::chrono::steady_clock::now();
    events_.push_back({last_id_, http::format_event(std::to_string(last_id_), name, data), at});
    while (events_.size() > kept || at - events_.front().at > std::chrono::minutes(5)) events_.pop_front();
    for (const auto& place : places_) place->wake();
  }

  std::string after(std::uint64_t& heard) {
    const std::lock_guard lock(mutex_);
    if (heard > last_id_) heard = 0;  // of another life, or made up
    std::string text;
    for (const auto& event : events_) {
      if (event.id > heard) text += event.text;
    }
    heard = last_id_;
    return text;
  }

  void enter(const std::shared_ptr<Place>& place) {
    const std::lock_guard lock(mutex_);
    places_.insert(place);
    joined_.notify_all();
  }
  void leave(const std::shared_ptr<Place>& place) {
    const std::lock_guard lock(mutex_);
    places_.erase(place);
  }
  std::set<std::shared_ptr<Place>> places() {
    const std::lock_guard lock(mutex_);
    return places_;
  }

  /// False when it is over.
  bool wait_for_listener(const std::stop_token& stopped) {
    std::unique_lock lock(mutex_);
    return joined_.wait(lock, stopped, [this] { return !places_.empty(); });
  }
  void pause(const std::stop_token& stopped, Instant until) {
    std::unique_lock lock(mutex_);
    joined_.wait_until(lock, stopped, until, [] { return false; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any joined_;
  std::deque<Event> events_;
  std::uint64_t last_id_ = 0;
  std::set<std::shared_ptr<Place>> places_;
};

class Pulse::Listener final : public http::EventStream {
 public:
  Listener(std::shared_ptr<Shared> shared, std::uint64_t heard, Admitted admitted)
      : shared_(std::move(shared)), place_(std::make_shared<Shared::Place>()), heard_(heard) {
    place_->admitted = std::move(admitted);
  }
  ~Listener() override { shared_->leave(place_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  void subscribe(std::function<void()> wake) override {
    place_->wake = std::move(wake);
    shared_->enter(place_);
  }
  std::string take() override { return shared_->after(heard_); }
  [[nodiscard]] bool ended() const override { return place_->ended; }

 private:
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<Shared::Place> place_;
  std::uint64_t heard_;
};

Pulse::Pulse(redis::Client& redis, const Clock& clock, Pool pool, Log& log, std::chrono::milliseconds interval)
    : redis_(redis),
      clock_(clock),
      pool_(std::move(pool)),
      log_(log),
      interval_(interval),
      shared_(std::make_shared<Shared>()),
      thread_([this](const std::stop_token& stopped) { run(stopped); }) {}

Pulse::~Pulse() = default;

std::shared_ptr<http::EventStream> Pulse::listen(std::string_view last_event_id, Admitted admitted) {
  std::uint64_t heard = 0;
  const char* end = last_event_id.data() + last_event_id.size();
  const auto parsed = std::from_chars(last_event_id.data(), end, heard);
  if (parsed.ec != std::errc() || parsed.ptr != end) heard = 0;
  return std::make_shared<Listener>(shared_, heard, std::move(admitted));
}

void Pulse::run(const std::stop_token& stopped) {
  while (shared_->wait_for_listener(stopped)) {
    if (stopped.stop_requested()) return;
    const auto next = std::chrono::steady_clock::now() + interval_;
    guarded(log_, "pulse.round_failed", [this] {
      look();
      if (++round_ % rounds_between_checks == 0 && !in_trouble_) dismiss();
    });
    shared_->pause(stopped, next);
  }
}

void Pulse::look() {
  auto reading = read();
  if (!reading) {
    last_.reset();
    if (std::exchange(in_trouble_, true)) return;
    Poco::JSON::Object trouble(Poco::JSON_PRESERVE_KEY_ORDER);
    trouble.set("time", to_rfc3339(clock_.now()));
    trouble.set("reason", reading.error().public_text);
    return shared_->add("trouble", written(trouble), clock_.now());
  }
  in_trouble_ = false;
  if (last_ && reading->at - last_->at < longest_gap) {
    shared_->add("sample", sample(*last_, *reading), clock_.now());
  }
  last_ = *reading;
}

void Pulse::dismiss() {
  for (const auto& place : shared_->places()) {
    if (place->admitted()) continue;
    place->ended = true;
    place->wake();
  }
}

Result<Pulse::Reading> Pulse::read() {
  std::vector<redis::Command> commands;
  for (unsigned shard = 0; shard < shard_count; ++shard) {
    redis::Command command = {"HMGET", queue_keys::counts(shard)};
    command.insert(command.end(), flows.begin(), flows.end());
    commands.push_back(std::move(command));
  }
  auto replies = redis_.pipeline(commands);
  if (!replies) return replies.error();
  Reading reading;
  reading.at = std::chrono::steady_clock::now();
  auto counts = read_queue_counts(redis_, clock_.now());
  if (!counts) return counts.error();
  reading.states = std::move(counts->states);
  auto latency = read_latency(redis_, clock_.now());
  if (!latency) return latency.error();
  reading.latency = *latency;
  for (const auto& reply : *replies) {
    for (std::size_t i = 0; i < flows.size(); ++i) reading.flows[i] += redis::to_number(reply[i].text());
  }
  return reading;
}

std::string Pulse::sample(const Reading& before, const Reading& now) const {
  const double seconds = std::chrono::duration<double>(now.at - before.at).count();
  Poco::JSON::Object rates(Poco::JSON_PRESERVE_KEY_ORDER);
  for (std::size_t i = 0; i < flows.size(); ++i) {
    // Counts that shrink are another store's: that is no flow.
    const auto difference = std::max<std::int64_t>(0, now.flows[i] - before.flows[i]);
    rates.set(flows[i], rounded(static_cast<double>(difference) / seconds));
  }
  Poco::JSON::Object by_state(Poco::JSON_PRESERVE_KEY_ORDER);
  for (const auto& [state, count] : now.states) by_state.set(std::string(to_text(state)), count);
  Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
  object.set("time", to_rfc3339(clock_.now()));
  object.set("rates", rates);
  object.set("states", by_state);
  Poco::Dynamic::Var latency;
  if (now.latency) {
    Poco::JSON::Object percentiles(Poco::JSON_PRESERVE_KEY_ORDER);
    percentiles.set("p50", rounded(now.latency->p50));
    percentiles.set("p95", rounded(now.latency->p95));
    percentiles.set("p99", rounded(now.latency->p99));
    latency = percentiles;
  }
  object.set("latency", latency);
  Poco::Dynamic::Var pool;
  if (const auto stock = pool_()) {
    Poco::JSON::Object counts(Poco::JSON_PRESERVE_KEY_ORDER);
    counts.set("ready", stock->ready);
    counts.set("wanted", stock->wanted);
    pool = counts;
  }
  object.set("pool", pool);
  return written(object);
}

}  // namespace sealpost
