// SPDX-License-Identifier: Apache-2.0
// Implements deliverer.h: one dispatcher, delivery.workers workers, and a thread that keeps the leases alive.
#include "relay/delivery/deliverer.h"

#include <array>
#include <exception>
#include <new>
#include <utility>

#include "base/guarded.h"
#include "queue/retry_schedule.h"
#include "relay/delivery/bad_address.h"

namespace sealpost {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Other nodes' mail and what falls due by time is found by looking; our own new mail by a kick.
constexpr milliseconds poll_interval{500};
/// History is trimmed this often: with a small Redis, finished records must not fill it between two looks.
constexpr std::chrono::seconds trim_interval{1};
constexpr int trims_per_heartbeat = 5;
constexpr milliseconds longest_record_pause{10'000};

std::string_view outcome_name(const Outcome& outcome) {
  constexpr std::array<std::string_view, std::variant_size_v<Outcome>> names = {"delivered", "deferred", "failed",
                                                                                "abandoned", "unreadable"};
  return names[outcome.index()];
}

/// Whose words a report quotes: a host that answered, or nobody but us.
std::string remote_host(const Attempt& attempt, int code) { return code != 0 ? attempt.trace.host : std::string(); }

/// What is thrown on the way becomes an error like any other.
template <class Work>
Status caught(Work work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return Error::temporary("memory is short");
  } catch (const std::exception& why) {
    return Error::internal(why.what());
  }
}

/// An outcome that is recorded counts.
Status counted(const metrics::Counter& counter, Status recorded) {
  if (recorded) counter.add();
  return recorded;
}

/// "host [address] tls: reply" for the history. The host stands for an address that is not known: what failed is found
/// behind the bracket (failure_text).
std::string describe(const Attempt& attempt, const std::string& response) {
  const auto& [host, address, tls] = attempt.trace;
  if (host.empty()) return response;
  return host + " [" + (address.empty() ? host : address) + "]" + (tls.empty() ? "" : " " + tls) + ": " + response;
}

/// The operator's word counts for more than what attempts before it have taught, and not than what they teach since.
bool asked_for(const DeliveryRecord& delivery, const Destinations::Rest& rest, Time now) {
  if (delivery.history.empty() || !delivery.history.back().text.starts_with("operator: ")) return false;
  return now - delivery.history.back().time < std::chrono::duration_cast<Duration>(rest.since);
}

}  // namespace

Deliverer::Deliverer(MailQueue& queue, Permits& permits, Suppressions& suppressions, NextHop& next_hop,
                     PollableFlag& abandon, Wrapper& wrapper, const Clock& clock, Random& random, Log& log,
                     DelivererOptions options, DelivererHooks hooks)
    : queue_(queue),
      permits_(permits),
      suppressions_(suppressions),
      next_hop_(next_hop),
      abandon_(abandon),
      clock_(clock),
      random_(random),
      log_(log),
      options_(std::move(options)),
      destinations_({options_.destination_concurrency, options_.workers, options_.retry}),
      hooks_(std::move(hooks)),
      notices_(queue, wrapper, clock, options_.destination, [this] { kick(); }) {}

Deliverer::~Deliverer() { stop(steady_clock::now()); }

void Deliverer::start() {
  threads_.emplace_back([this] { dispatch(); });
  keeper_ = std::thread([this] { keep_alive(); });
  for (std::size_t i = 0; i < options_.workers; ++i) threads_.emplace_back([this] { work(); });
}

void Deliverer::kick() {
  {
    const std::lock_guard lock(mutex_);
    if (kicked_) return;
    kicked_ = true;
  }
  wake_dispatcher_.notify_one();
}

void Deliverer::stop(Deadline abandon_at) {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_dispatcher_.notify_all();
    wake_workers_.notify_all();
    attempts_ended_.wait_until(lock, abandon_at, [this] { return attempting_ == 0; });
    out_of_time_ = true;
  }
  abandon_.raise();
  stopped_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  {
    // Leases stay alive until the last attempt has ended.
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  stopped_.notify_all();
  if (keeper_.joinable()) keeper_.join();
  for (const auto& claim : waiting_) {
    if (auto released = queue_.release(claim); !released) log_.failure("delivery.release_failed", released.error());
  }
  waiting_.clear();
}

/// False when there is no time left for another try.
bool Deliverer::pause(milliseconds duration) {
  std::unique_lock lock(mutex_);
  return !stopped_.wait_for(lock, duration, [this] { return out_of_time_; });
}

void Deliverer::dispatch() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_dispatcher_.wait_for(lock, poll_interval,
                              [this] { return stopping_ || (kicked_ && idle_ > waiting_.size()); });
    if (stopping_) return;
    const std::size_t room = idle_ > waiting_.size() ? idle_ - waiting_.size() : 0;
    if (room == 0) continue;
    kicked_ = false;
    lock.unlock();
    guarded(log_, "delivery.dispatch_threw", [&] { claim(room); });
    lock.lock();
  }
}

void Deliverer::claim(std::size_t room) {
  auto claims = queue_.claim(room, destinations_.limits(steady_clock::now()));
  if (!claims) return log_.failure("delivery.claim_failed", claims.error());
  const bool full = claims->size() == room;
  keep_permitted(*claims);
  const std::lock_guard lock(mutex_);
  if (full) kicked_ = true;  // there may be more
  for (auto& claim : *claims) waiting_.push_back(std::move(claim));
  for (std::size_t i = 0; i < claims->size(); ++i) wake_workers_.notify_one();
}

void Deliverer::keep_permitted(std::vector<Claim>& claims) {
  const auto in_flight = queue_.in_flight();
  Permits::Counts wanted;
  for (const auto& claim : claims) wanted[claim.delivery.destination] = in_flight.at(claim.delivery.destination);
  auto permitted = permits_.hold(wanted);
  // Without an answer nothing could be recorded either: the attempts go on as far as this process alone allows.
  if (!permitted) return log_.failure("delivery.permits_failed", permitted.error());
  for (const auto& [destination, count] : wanted) {
    if ((*permitted)[destination] < count) {
      destinations_.others_have_the_rest(destination, (*permitted)[destination], steady_clock::now());
    }
  }
  std::erase_if(claims, [&](const Claim& claim) {
    std::size_t& count = wanted[claim.delivery.destination];
    if (count <= (*permitted)[claim.delivery.destination]) return false;
    --count;
    if (auto released = queue_.release(claim); !released) log_.failure("delivery.release_failed", released.error());
    return true;
  });
}

void Deliverer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    if (kicked_) wake_dispatcher_.notify_one();
    wake_workers_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    --idle_;
    if (stopping_) return;
    const Claim claim = std::move(waiting_.front());
    waiting_.pop_front();
    ++attempting_;
    lock.unlock();
    attempt(claim);
    lock.lock();
    --attempting_;
    if (stopping_) attempts_ended_.notify_all();
    kicked_ = true;  // the destination has a place free now
  }
}

void Deliverer::keep_alive() {
  for (int trims = 0;; ++trims) {
    guarded(log_, "delivery.keep_alive_threw", [&] {
      if (trims % trims_per_heartbeat == 0) {
        if (auto beat = queue_.heartbeat(); !beat) log_.failure("delivery.heartbeat_failed", beat.error());
        if (auto reaped = queue_.reap(); !reaped) log_.failure("delivery.reap_failed", reaped.error());
        if (auto kept = permits_.renew([this] { return queue_.in_flight(); }); !kept) {
          log_.failure("delivery.permits_failed", kept.error());
        }
      }
      auto trimmed = queue_.trim_history(options_.history);
      if (!trimmed) log_.failure("delivery.trim_failed", trimmed.error());
    });
    guarded(log_, "delivery.tidy_threw", [&] { next_hop_.tidy(); });
    std::unique_lock lock(mutex_);
    if (stopped_.wait_for(lock, trim_interval, [this] { return finished_; })) return;
  }
}

void Deliverer::attempt(const Claim& claim) {
  const auto begun = steady_clock::now();
  Attempt attempt{Deferred{"internal error", "4.3.0"}, {}};
  milliseconds took{};
  const std::string& destination = claim.delivery.destination;
  if (claim.delivery.to_be_bounced) {
    return settle(claim, {Failed{0, "5.0.0", "given up by the operator of this relay"}, {}});
  }
  const auto resting = destinations_.resting(destination, begun);
  if (resting && !asked_for(claim.delivery, *resting, clock_.now())) {
    attempt.outcome = Deferred{std::string(left_out) + resting->why, "4.4.1"};
  } else {
    destinations_.begun(destination, begun);
    guarded(log_, "delivery.attempt_threw", [&] { attempt = try_once(claim); });
    const auto now = steady_clock::now();
    const auto rest = destinations_.ended(destination, begun, attempt, now);
    if (rest) guarded(log_, "delivery.rest_not_told", [&] { hooks_.rests(destination, *rest); });
    took = std::chrono::duration_cast<milliseconds>(now - begun);
    options_.counts.attempt.took(now - begun);
  }
  guarded(log_, "delivery.attempt_not_told", [&] {
    log_.info("delivery.attempt", {{"delivery", claim.delivery.id.text()},
                                   {"destination", claim.delivery.destination},
                                   {"host", attempt.trace.host},
                                   {"tls", attempt.trace.tls},
                                   {"outcome", outcome_name(attempt.outcome)},
                                   {"response", response_of(attempt.outcome)},
                                   {"ms", took.count()}});
  });
  settle(claim, attempt);
}

Attempt Deliverer::try_once(const Claim& claim) {
  auto body = queue_.open(claim);
  if (body) return next_hop_.attempt(claim, **body);
  if (body.error().kind == ErrorKind::Permanent) {
    log_.error("delivery.body_altered", {{"delivery", claim.delivery.id.text()}, {"reason", body.error().public_text}});
    return {Unreadable{"the message or its records were altered in the store"}, {}};
  }
  log_.failure("delivery.body_unreadable", body.error(), {{"delivery", claim.delivery.id.text()}});
  return {Deferred{"the message cannot be read from the store now", "4.3.0"}, {}};
}

/// A live worker keeps its outcome and goes on trying to record it, also while the relay stops and until the time for
/// that is over: Redis being away must not turn a delivery into a second one.
void Deliverer::settle(const Claim& claim, const Attempt& attempt) {
  milliseconds wait{100};
  while (true) {
    bool settled = false;
    guarded(log_, "delivery.settle_threw", [&] { settled = try_to_settle(claim, attempt); });
    if (settled || !pause(wait)) return;
    wait = std::min(wait * 2, longest_record_pause);
  }
}

bool Deliverer::try_to_settle(const Claim& claim, const Attempt& attempt) {
  const Status recorded = caught([&] { return record(claim, attempt); });
  if (recorded) return true;
  log_.failure("delivery.not_recorded", recorded.error(), {{"delivery", claim.delivery.id.text()}});
  if (recorded.error().kind == ErrorKind::NotFound) return true;  // the lease was taken: somebody else answers for it
  if (recorded.error().kind == ErrorKind::Temporary) return false;
  // Trying again would end the same way; a human should look.
  return counted(options_.counts.held,
                 queue_.held(claim, "the outcome cannot be recorded: " + recorded.error().public_text))
      .ok();
}

Status Deliverer::record(const Claim& claim, const Attempt& attempt) {
  if (const auto* delivered = std::get_if<Delivered>(&attempt.outcome)) return succeed(claim, attempt, *delivered);
  if (const auto* failed = std::get_if<Failed>(&attempt.outcome)) return fail(claim, attempt, *failed, false);
  if (std::holds_alternative<Abandoned>(attempt.outcome)) return queue_.release(claim);
  if (const auto* unreadable = std::get_if<Unreadable>(&attempt.outcome)) {
    return counted(options_.counts.held, queue_.held(claim, unreadable->response));
  }
  const auto& deferred = std::get<Deferred>(attempt.outcome);
  if (clock_.now() - claim.delivery.created >= options_.max_age) {
    return fail(claim, attempt, Failed{deferred.code, "4.4.7", deferred.response}, true);
  }
  return defer(claim, attempt, deferred);
}

/// What is done beside an outcome waits for a store that is away; else what fails is logged and left: what has arrived
/// must not be held, and sent again, because nobody could be told so.
Status Deliverer::beside(const Claim& claim, std::string_view event, const std::function<Status()>& work) {
  Status done = caught(work);
  if (done || done.error().kind == ErrorKind::Temporary) return done;
  log_.failure(event, done.error(), {{"delivery", claim.delivery.id.text()}});
  return {};
}

Status Deliverer::succeed(const Claim& claim, const Attempt& attempt, const Delivered& delivered) {
  auto told = beside(claim, "delivery.not_confirmed", [&] { return confirm(claim, attempt, delivered); });
  if (!told) return told;
  auto noted = beside(claim, "delivery.address_not_noted", [&] { return note_good_address(claim); });
  if (!noted) return noted;
  if (claim.delivery.notification) hooks_.notification_ended(claim.delivery.recipient, true);
  const std::string response = describe(attempt, delivered.response);
  if (auto event = tell(claim, EventType::Delivered, response); !event) return event;
  auto recorded = counted(options_.counts.delivered, queue_.delivered(claim, response));
  if (recorded) options_.counts.whole.took(clock_.now() - claim.delivery.created);
  return recorded;
}

/// RFC 3461 section 5.2: a next hop that was given the sender's wish answers for it.
Status Deliverer::confirm(const Claim& claim, const Attempt& attempt, const Delivered& delivered) {
  if (delivered.custody == Custody::DsnRelay || !wants_confirmation(claim.delivery)) return {};
  const ReportFacts facts{
      .delivery = claim.delivery,
      .action = delivered.custody == Custody::Relay ? ReportAction::Relayed : ReportAction::Delivered,
      .enhanced = delivered.enhanced,
      .response = delivered.response,
      .remote_host = remote_host(attempt, delivered.code)};
  return report(claim, "confirmation:" + claim.delivery.id.text(), facts);
}

/// The report first: a crash between the two repeats the attempt, but not the report.
Status Deliverer::fail(const Claim& claim, const Attempt& attempt, const Failed& failed, bool expired) {
  if (wants_bounce(claim.delivery)) {
    const ReportFacts facts{.delivery = claim.delivery,
                            .action = ReportAction::Failed,
                            .enhanced = failed.enhanced,
                            .response = failed.response,
                            .remote_host = remote_host(attempt, failed.code),
                            .expired = expired};
    if (auto told = report(claim, "bounce:" + claim.delivery.id.text(), facts); !told) return told;
  }
  auto noted = beside(claim, "delivery.address_not_noted", [&] { return note_bad_address(claim, failed); });
  if (!noted) return noted;
  if (claim.delivery.notification) hooks_.notification_ended(claim.delivery.recipient, false);
  const std::string response = describe(attempt, failed.response);
  if (auto event = tell(claim, EventType::Bounced, response); !event) return event;
  return counted(options_.counts.bounced, queue_.bounced(claim, response));
}

Status Deliverer::defer(const Claim& claim, const Attempt& attempt, const Deferred& deferred) {
  const Time now = clock_.now();
  const Time end = claim.delivery.created + options_.max_age;
  if (!claim.delivery.warned && now - claim.delivery.created >= options_.warn_after && wants_warning(claim.delivery)) {
    const ReportFacts facts{.delivery = claim.delivery,
                            .action = ReportAction::Delayed,
                            .enhanced = deferred.enhanced,
                            .response = deferred.response,
                            .remote_host = remote_host(attempt, deferred.code),
                            .retry_until = end};
    if (auto told = report(claim, "warning:" + claim.delivery.id.text(), facts); !told) return told;
    if (auto warned = queue_.warned(claim); !warned) return warned;
  }
  const Time next = std::min(now + retry_pause(options_.retry, claim.delivery.attempts + 1), end);
  const std::string response = describe(attempt, deferred.response);
  if (auto event = tell(claim, EventType::Deferred, response, next); !event) return event;
  return counted(options_.counts.deferred, queue_.deferred(claim, response, next));
}

/// Notices, webhooks' events among them, are the relay's own business.
Status Deliverer::tell(const Claim& claim, EventType type, const std::string& response,
                       const std::optional<Time>& next_attempt) {
  if (claim.delivery.notice) return {};
  return beside(claim, "delivery.event_not_put", [&] {
    return hooks_.ended({type, claim.delivery, response, next_attempt});
  });
}

/// Before the delivery ends, so that a crash loses no count; the same delivery counts once. The relay's own mail says
/// nothing about what senders may submit.
Status Deliverer::note_bad_address(const Claim& claim, const Failed& failed) {
  if (claim.delivery.notice || !condemns_address(failed)) return {};
  auto address = EmailAddress::parse(claim.delivery.recipient);
  if (!address) return {};
  return suppressions_.count(*address, claim.delivery.id, failed.response);
}

/// Only an address that had bounced costs a round trip.
Status Deliverer::note_good_address(const Claim& claim) {
  if (!claim.delivery.bounced_before) return {};
  auto address = EmailAddress::parse(claim.delivery.recipient);
  if (!address) return {};
  auto cleared = suppressions_.clear(*address);
  if (!cleared) return cleared.error();
  return {};
}

Status Deliverer::report(const Claim& claim, const std::string& once_name, ReportFacts facts) {
  auto sender = EmailAddress::parse(claim.delivery.mail_from);
  if (!sender) return sender.error();
  auto body = queue_.open(claim);
  if (!body) return body.error();
  facts.header_block = (*body)->header_block();
  auto put = notices_.put(compose_report(options_.sender, facts, clock_, random_), *sender, once_name);
  return put ? Status() : Status(put.error());
}

}  // namespace sealpost
