// SPDX-License-Identifier: Apache-2.0
// Takes due deliveries from the queue, attempts them, and records how each attempt ended: delivered, deferred by the
// schedule, or bounced with a report to the sender.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/wrapper.h"
#include "conf/settings.h"
#include "notify/bounce.h"
#include "notify/notice_queue.h"
#include "notify/webhook_events.h"
#include "queue/mail_queue.h"
#include "queue/permits.h"
#include "queue/suppressions.h"
#include "relay/delivery/destinations.h"
#include "relay/delivery/next_hop.h"
#include "relay/delivery/pollable_flag.h"
#include "relay/delivery/wait.h"

namespace sealpost {

/// Attempts that were made, and what became of deliveries by them; a delivery is deferred as often as that happens.
struct DeliveryCounts {
  metrics::Timing attempt;
  metrics::Timing whole;  ///< from the acceptance to the end of the attempt that succeeded
  metrics::Counter delivered;
  metrics::Counter deferred;
  metrics::Counter bounced;
  metrics::Counter held;
};

struct DelivererOptions {
  std::size_t workers = 1;
  std::size_t destination_concurrency = 1;
  std::vector<std::chrono::milliseconds> retry;
  std::chrono::milliseconds max_age{};
  std::chrono::milliseconds warn_after{};
  std::chrono::milliseconds history{};  ///< queue.history
  NoticeSender sender;
  std::string destination;  ///< as IntakeOptions::destination
  DeliveryCounts counts = {};
};

/// Whom a deliverer tells; called from many threads.
struct DelivererHooks {
  std::function<void(const std::string& recipient, bool arrived)> notification_ended;
  /// Before the outcome is recorded: again, when that fails.
  std::function<Status(const DeliveryEvent&)> ended;
  /// For those who ask why mail waits; nothing depends on it.
  std::function<void(const std::string& destination, const Destinations::RestChange&)> rests =
      [](const std::string&, const Destinations::RestChange&) {};
};

class Deliverer final {
 public:
  /// `abandon` is the flag that the next hop was made with.
  Deliverer(MailQueue& queue, Permits& permits, Suppressions& suppressions, NextHop& next_hop, PollableFlag& abandon,
            Wrapper& wrapper, const Clock& clock, Random& random, Log& log, DelivererOptions options,
            DelivererHooks hooks);
  ~Deliverer();
  Deliverer(const Deliverer&) = delete;
  Deliverer& operator=(const Deliverer&) = delete;

  void start();
  /// Deliveries became due: look at once.
  void kick();
  /// Takes no more deliveries. Attempts that run may end in their own time until `abandon_at`; then the flag is raised,
  /// and what was not handed over goes back into the queue as it was, together with what has not begun.
  void stop(Deadline abandon_at);

 private:
  void dispatch();
  void claim(std::size_t room);
  /// Gives back those for which other nodes have the permits.
  void keep_permitted(std::vector<Claim>& claims);
  void work();
  void keep_alive();
  void attempt(const Claim& claim);
  Attempt try_once(const Claim& claim);
  void settle(const Claim& claim, const Attempt& attempt);
  bool try_to_settle(const Claim& claim, const Attempt& attempt);
  Status record(const Claim& claim, const Attempt& attempt);
  Status succeed(const Claim& claim, const Attempt& attempt, const Delivered& delivered);
  Status confirm(const Claim& claim, const Attempt& attempt, const Delivered& delivered);
  Status fail(const Claim& claim, const Attempt& attempt, const Failed& failed, bool expired);
  Status defer(const Claim& claim, const Attempt& attempt, const Deferred& deferred);
  Status beside(const Claim& claim, std::string_view event, const std::function<Status()>& work);
  Status tell(const Claim& claim, EventType type, const std::string& response,
              const std::optional<Time>& next_attempt = std::nullopt);
  Status note_bad_address(const Claim& claim, const Failed& failed);
  Status note_good_address(const Claim& claim);
  Status report(const Claim& claim, const std::string& once, ReportFacts facts);
  bool pause(std::chrono::milliseconds duration);

  MailQueue& queue_;
  Permits& permits_;
  Suppressions& suppressions_;
  NextHop& next_hop_;
  PollableFlag& abandon_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
  DelivererOptions options_;
  Destinations destinations_;
  DelivererHooks hooks_;
  NoticeQueue notices_;
  std::mutex mutex_;
  std::condition_variable wake_dispatcher_;
  std::condition_variable wake_workers_;
  std::condition_variable attempts_ended_;
  std::condition_variable stopped_;
  std::deque<Claim> waiting_;
  std::size_t idle_ = 0;
  std::size_t attempting_ = 0;
  bool kicked_ = false;
  bool stopping_ = false;     ///< no new attempts
  bool out_of_time_ = false;  ///< outcomes that cannot be recorded now are left to the reaper
  bool finished_ = false;     ///< no attempt runs any more
  std::vector<std::thread> threads_;
  std::thread keeper_;
};

}  // namespace sealpost
