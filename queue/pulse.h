// SPDX-License-Identifier: Apache-2.0
// The queue's pulse: once a second, while somebody listens, what came and went, what waits, and how many key pairs are
// ready, as events for dashboards. One reader of Redis serves all listeners.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/http/event_stream.h"
#include "base/log.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "queue/queue_view.h"

namespace sealpost {

/// Events: `sample` {time, rates{accepted, delivered, deferred, bounced}, states{…}, latency{p50, p95, p99},
/// pool{ready, wanted}}, rates per second of deliveries, latency and pool null when
/// unknown; and `trouble` {time, reason} when Redis stops to answer: the next sample says that it does again.
class Pulse final {
 public:
  using Pool = std::function<std::optional<PoolStatus>()>;
  static constexpr std::size_t kept = 300;  ///< events: five minutes

  Pulse(redis::Client& redis, const Clock& clock, Pool pool, Log& log,
        std::chrono::milliseconds interval = std::chrono::seconds(1));
  ~Pulse();
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

  /// Whether a listener may still hear; may block.
  using Admitted = std::function<bool()>;
  /// What was kept since the event of that id (of anything else: all that was kept), then what comes, as long as the
  /// listener is admitted, which is looked at every tenth time. May outlive us.
  std::shared_ptr<http::EventStream> listen(
      std::string_view last_event_id, Admitted admitted = [] { return true; });

 private:
  using Instant = std::chrono::steady_clock::time_point;
  /// What is so now.
  struct Reading {
    std::array<std::int64_t, 4> flows{};  ///< accepted, delivered, deferred and bounced since the beginning
    std::map<DeliveryState, std::size_t> states;
    Instant at;
    std::optional<DeliveryLatency> latency{};
  };
  class Shared;
  class Listener;

  void run(const std::stop_token& stopped);
  void look();
  void dismiss();
  Result<Reading> read();
  [[nodiscard]] std::string sample(const Reading& before, const Reading& now) const;

  redis::Client& redis_;
  const Clock& clock_;
  Pool pool_;
  Log& log_;
  std::chrono::milliseconds interval_;
  std::shared_ptr<Shared> shared_;
  std::optional<Reading> last_;  ///< of the sampling thread
  bool in_trouble_ = false;
  unsigned round_ = 0;
  std::jthread thread_;
};

}  // namespace sealpost
