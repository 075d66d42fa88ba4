// SPDX-License-Identifier: Apache-2.0
// Implements server_loop.h: the rounds of one thread over listeners, connections, jobs' results and deadlines.
#include "base/net/server_loop.h"

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <queue>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "base/net/connection.h"
#include "base/net/connection_limits.h"
#include "base/net/listener.h"
#include "base/net/network.h"

namespace sealpost::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using TimePoint = steady_clock::time_point;

constexpr int accepts_in_a_row = 64;
constexpr milliseconds longest_wait{60000};
/// Pause of the listeners when the process has no descriptor left for a new connection.
constexpr milliseconds accept_pause{100};
constexpr std::chrono::seconds pause_warning_interval{10};
constexpr std::uint64_t first_connection_tag = 1024;  ///< below: listeners

}  // namespace

class ServerLoop::Impl {
 public:
  Impl(WorkerPool& workers, TlsContext* tls, Log& log, TlsCounts tls_counts) : workers_(workers), log_(log) {
    parts_.tls = tls;
    parts_.tls_counts = tls_counts;
    parts_.run = [this](std::uint64_t tag, Job job) { run_job(tag, std::move(job)); };
    parts_.waker = [this](std::uint64_t tag) { return waker(tag); };
    news_->poller = &parts_.poller;
  }
  ~Impl() {
    stop(milliseconds(0));
    const std::lock_guard lock(news_->mutex);
    news_->poller = nullptr;
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<std::uint16_t> listen(ListenerOptions options);
  void start() {
    thread_ = std::thread([this] { run(); });
  }
  void stop(milliseconds grace);
  [[nodiscard]] std::size_t connections() const { return limits_.total(); }

 private:
  /// One accepted connection in the loop's books.
  struct Entry {
    Connection connection;
    TimePoint scheduled = TimePoint::max();  ///< its one timer that counts; others in the heap are stale
  };

  struct Timer {
    TimePoint at;
    std::uint64_t tag;
    bool operator>(const Timer& other) const { return at > other.at; }
  };
  /// Which conversations have news. Shared with their wakers, which may outlive the loop.
  struct News {
    std::mutex mutex;
    std::vector<std::uint64_t> tags;
    const Poller* poller = nullptr;  ///< none once the loop is gone
  };

  void run();
  void one_round();
  [[nodiscard]] milliseconds wait_time() const;
  void accept_from(const Listener& listener);
  void adopt(const Listener& listener, Listener::Accepted accepted);
  void pause_accepting();
  void resume_accepting();
  void begin_stop();
  template <class Event>
  void tell(std::uint64_t tag, Event event);
  void schedule(std::uint64_t tag, Entry& entry);
  void take_results();
  [[nodiscard]] Waker waker(std::uint64_t tag) const;
  void take_news();
  void expire();
  void run_job(std::uint64_t tag, Job job);
  Resume carry_out(Job& job);

  WorkerPool& workers_;
  Log& log_;
  LoopParts parts_;
  ConnectionLimits limits_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Entry>> entries_;
  std::uint64_t next_tag_ = first_connection_tag;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  TimePoint accept_again_ = TimePoint::max();
  TimePoint pause_warned_{};

  std::shared_ptr<News> news_ = std::make_shared<News>();
  std::mutex mutex_;  ///< guards what workers and stop() share with the loop's thread
  std::condition_variable idle_;
  std::vector<std::pair<std::uint64_t, Resume>> results_;
  std::size_t jobs_ = 0;
  TimePoint stop_by_{};
  std::atomic<bool> stop_asked_{false};
  std::atomic<bool> abandoned_{false};  ///< nobody waits for jobs any more: those that have not begun need not
  std::thread thread_;
};

Result<std::uint16_t> ServerLoop::Impl::listen(ListenerOptions options) {
  if (options.tls && parts_.tls == nullptr) return Error::internal("a TLS listener without a certificate");
  auto listener = Listener::bind(std::move(options));
  if (!listener) return listener.error();
  if (!parts_.poller.add((*listener)->descriptor(), EPOLLIN, listeners_.size())) {
    return Error::temporary((*listener)->options().address + ": cannot be watched");
  }
  const std::uint16_t port = (*listener)->port();
  listeners_.push_back(std::move(*listener));
  return port;
}

void ServerLoop::Impl::stop(milliseconds grace) {
  if (!thread_.joinable()) return;
  stop_by_ = steady_clock::now() + grace;
  stop_asked_ = true;  // publishes stop_by_
  parts_.poller.wake();
  thread_.join();
  // Running jobs hold references into the conversations' contexts: they must end before those do.
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return jobs_ == 0; });
  results_.clear();
}

void ServerLoop::Impl::run() {
  while (true) {
    guarded(log_, "net.round_failed", [this] { one_round(); });
    if (!stop_asked_) continue;
    if (!parts_.stopping) guarded(log_, "net.stop_failed", [this] { begin_stop(); });
    if (entries_.empty() || steady_clock::now() >= stop_by_) break;
  }
  abandoned_ = true;
  for (auto& [tag, entry] : entries_) limits_.release(entry->connection.peer().network);
  entries_.clear();
}

void ServerLoop::Impl::one_round() {
  for (const auto& event : parts_.poller.wait(wait_time())) {
    if (event.tag < first_connection_tag) {
      accept_from(*listeners_[event.tag]);
    } else {
      tell(event.tag, [&](Connection& connection) { connection.ready(event.events); });
    }
  }
  take_results();
  take_news();
  expire();
  if (steady_clock::now() >= accept_again_) resume_accepting();
}

milliseconds ServerLoop::Impl::wait_time() const {
  TimePoint until = steady_clock::now() + longest_wait;
  if (!timers_.empty()) until = std::min(until, timers_.top().at);
  if (parts_.stopping) until = std::min(until, stop_by_);
  until = std::min(until, accept_again_);
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(until - steady_clock::now()));
}

/// Closes the listeners and what is idle; what is at work goes on until the grace ends.
void ServerLoop::Impl::begin_stop() {
  parts_.stopping = true;
  accept_again_ = TimePoint::max();
  for (auto& listener : listeners_) {
    parts_.poller.remove(listener->descriptor());
    listener->close();
  }
  std::vector<std::uint64_t> tags;
  for (const auto& [tag, entry] : entries_) tags.push_back(tag);
  for (const auto tag : tags) tell(tag, [](Connection& connection) { connection.stop(); });
}

void ServerLoop::Impl::accept_from(const Listener& listener) {
  for (int i = 0; i < accepts_in_a_row; ++i) {
    Listener::Accepted accepted = listener.accept();
    if (accepted.outcome == Listener::Accepted::Outcome::OutOfDescriptors) return pause_accepting();
    if (accepted.outcome == Listener::Accepted::Outcome::Nothing) return;
    adopt(listener, std::move(accepted));
  }
}

/// The socket stays ready while nothing can be accepted: watched, it would keep the loop spinning.
void ServerLoop::Impl::pause_accepting() {
  const auto now = steady_clock::now();
  if (now - pause_warned_ >= pause_warning_interval) {
    pause_warned_ = now;
    log_.warning("net.accept_paused", {{"reason", "no descriptors left"}, {"connections", limits_.total()}});
  }
  accept_again_ = now + accept_pause;
  for (std::size_t i = 0; i < listeners_.size(); ++i) parts_.poller.change(listeners_[i]->descriptor(), 0, i);
}

void ServerLoop::Impl::resume_accepting() {
  accept_again_ = TimePoint::max();
  for (std::size_t i = 0; i < listeners_.size(); ++i) parts_.poller.change(listeners_[i]->descriptor(), EPOLLIN, i);
}

void ServerLoop::Impl::adopt(const Listener& listener, Listener::Accepted accepted) {
  const ListenerOptions& options = listener.options();
  Peer peer{accepted.from.toString(), network_of(accepted.from), accepted.from.isLoopback(), options.tls};
  const std::string network = peer.network;
  if (!limits_.admit(network, options.max_connections, options.max_connections_per_network)) {
    return listener.refuse(accepted.descriptor);
  }
  const std::uint64_t tag = next_tag_++;
  std::unique_ptr<Entry> entry;
  const bool entered = guarded(log_, "net.accept_failed", [&] {
    auto conversation = options.accept();
    entry.reset(new Entry{
        {parts_, tag, accepted.descriptor, std::move(peer), options.handshake_timeout, std::move(conversation)}});
    entries_[tag] = std::move(entry);
  });
  if (entered) return tell(tag, [](Connection& connection) { connection.open(); });
  entries_.erase(tag);
  limits_.release(network);
  if (!entry) ::close(accepted.descriptor);  // else the entry closes it
}

/// Passes an event on, then brings the books up to date. Events of connections that are gone lead nowhere.
template <class Event>
void ServerLoop::Impl::tell(std::uint64_t tag, Event event) {
  const auto found = entries_.find(tag);
  if (found == entries_.end()) return;
  Entry& entry = *found->second;
  const bool told = guarded(log_, "net.conversation_failed", [&] {
    event(entry.connection);
    schedule(tag, entry);
  });
  if (!told) entry.connection.close();
  if (!entry.connection.closed()) return;
  limits_.release(entry.connection.peer().network);
  entries_.erase(found);
}

/// A later deadline is found out when the timer comes; so steady traffic costs no timers.
void ServerLoop::Impl::schedule(std::uint64_t tag, Entry& entry) {
  const TimePoint deadline = entry.connection.deadline();
  if (deadline >= entry.scheduled) return;
  timers_.push({deadline, tag});
  entry.scheduled = deadline;
}

void ServerLoop::Impl::expire() {
  const auto now = steady_clock::now();
  while (!timers_.empty() && timers_.top().at <= now) {
    const Timer timer = timers_.top();
    timers_.pop();
    const auto found = entries_.find(timer.tag);
    if (found == entries_.end() || found->second->scheduled != timer.at) continue;
    found->second->scheduled = TimePoint::max();
    tell(timer.tag, [&](Connection& connection) { connection.expire(now); });
  }
}

void ServerLoop::Impl::run_job(std::uint64_t tag, Job job) {
  {
    const std::lock_guard lock(mutex_);
    ++jobs_;
  }
  workers_.post([this, tag, job = std::move(job)]() mutable {
    Resume resume = abandoned_ ? Resume() : carry_out(job);
    job = nullptr;
    // All of it under the lock: once the last job is counted down, stop() may return and we be gone.
    const std::lock_guard lock(mutex_);
    if (results_.empty()) parts_.poller.wake();
    guarded(log_, "net.result_lost", [&] { results_.emplace_back(tag, std::move(resume)); });
    if (--jobs_ == 0) idle_.notify_all();
  });
}

Resume ServerLoop::Impl::carry_out(Job& job) {
  Resume resume;
  guarded(log_, "net.job_failed", [&] { resume = job(); });
  return resume;
}

void ServerLoop::Impl::take_results() {
  std::vector<std::pair<std::uint64_t, Resume>> results;
  {
    const std::lock_guard lock(mutex_);
    results.swap(results_);
  }
  for (const auto& [tag, resume] : results) {
    tell(tag, [&result = resume](Connection& connection) { connection.resume(result); });
  }
}

Waker ServerLoop::Impl::waker(std::uint64_t tag) const {
  return [news = news_, tag] {
    const std::lock_guard lock(news->mutex);
    if (news->poller == nullptr) return;
    if (news->tags.empty()) news->poller->wake();
    news->tags.push_back(tag);
  };
}

void ServerLoop::Impl::take_news() {
  std::vector<std::uint64_t> tags;
  {
    const std::lock_guard lock(news_->mutex);
    tags.swap(news_->tags);
  }
  for (const auto tag : tags) tell(tag, [](Connection& connection) { connection.wake(); });
}

ServerLoop::ServerLoop(WorkerPool& workers, TlsContext* tls, Log& log, TlsCounts tls_counts)
    : impl_(std::make_unique<Impl>(workers, tls, log, tls_counts)) {}
ServerLoop::~ServerLoop() = default;
Result<std::uint16_t> ServerLoop::listen(ListenerOptions options) { return impl_->listen(std::move(options)); }
void ServerLoop::start() { impl_->start(); }
void ServerLoop::stop(milliseconds grace) { impl_->stop(grace); }
std::size_t ServerLoop::connections() const { return impl_->connections(); }

}  // namespace sealpost::net
