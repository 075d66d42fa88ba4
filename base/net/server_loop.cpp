// SPDX-License-Identifier: Apache-2.0
// Implements server_loop.h: accepts, reads, writes and times out.
#include "base/net/server_loop.h"

#include <Poco/Exception.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>
#include <optional>
#include <queue>
#include <unordered_map>
#include <vector>

#include "base/net/poller.h"
#include "base/net/stream.h"

namespace sealpost::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t read_octets = 32 * 1024;
constexpr int reads_in_a_row = 16;
/// Pause of a listener when the process has no descriptor left for a new connection.
constexpr milliseconds accept_pause{100};
constexpr std::uint64_t first_connection_tag = 1024;  ///< below: listeners

/// What one connection is at.
struct Connection {
  Connection(int descriptor, std::uint64_t the_tag) : stream(descriptor), tag(the_tag) {}

  Stream stream;
  std::uint64_t tag;
  Peer peer;
  std::unique_ptr<Conversation> conversation;
  milliseconds handshake_timeout{};
  std::uint32_t interest = 0;
  WipedBuffer output;
  std::size_t written = 0;
  Step::Then then = Step::Then::Read;
  bool handshaking = false;
  bool working = false;    ///< a job runs
  bool ended = false;      ///< the peer sends nothing more
  bool unwatched = false;  ///< hung up while a job runs: not polled any more
  steady_clock::time_point handshake_deadline{};
  bool in_heap = false;
  std::optional<Step> held;  ///< a step that waits for its delay; the connection counts as working meanwhile
  steady_clock::time_point held_until{};

  [[nodiscard]] bool has_output() const { return written < output.size(); }
};

struct Listener {
  ListenerOptions options;
  Poco::Net::ServerSocket socket;
  std::size_t connections = 0;
  std::map<std::string, std::size_t> by_network;
};

struct Timer {
  steady_clock::time_point at;
  std::uint64_t tag;
  bool operator>(const Timer& other) const { return at > other.at; }
};

std::string network_of(const Poco::Net::IPAddress& address) {
  if (address.family() == Poco::Net::AddressFamily::IPv4) return address.toString();
  if (address.isIPv4Mapped()) return address.toString();
  return (address & Poco::Net::IPAddress(64U, Poco::Net::AddressFamily::IPv6)).toString();
}

}  // namespace

class ServerLoop::Impl {
 public:
  Impl(WorkerPool& workers, TlsContext* tls, Log& log) : workers_(workers), tls_(tls), log_(log) {}
  ~Impl() { stop(milliseconds(0)); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<std::uint16_t> listen(ListenerOptions options);
  void start() {
    thread_ = std::thread([this] { run(); });
  }
  void stop(milliseconds grace);
  [[nodiscard]] std::size_t connections() const { return count_; }

 private:
  void run();
  void one_round();
  milliseconds wait_time() const;
  void accept_from(Listener& listener, std::uint64_t tag);
  void adopt(Listener& listener, std::uint64_t listener_tag, int descriptor, const Poco::Net::SocketAddress& from);
  void refuse(const Listener& listener, int descriptor) const;
  void begin(Connection& connection);
  void handle(Connection& connection, std::uint32_t events);
  void continue_handshake(Connection& connection);
  void read_from(Connection& connection);
  void apply(Connection& connection, Step step);
  void flush(Connection& connection);
  void after_flush(Connection& connection);
  void watch(Connection& connection);
  void set_interest(Connection& connection, std::uint32_t interest);
  void drop(Connection& connection);
  void run_job(Connection& connection, Job job);
  void take_results();
  void expire();
  void schedule(Connection& connection);
  [[nodiscard]] static steady_clock::time_point deadline_of(const Connection& connection);
  Connection* find(std::uint64_t tag);
  void begin_stop();

  WorkerPool& workers_;
  TlsContext* tls_;
  Log& log_;
  Poller poller_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<bool> listening_;
  steady_clock::time_point accept_again_{};
  bool accept_paused_ = false;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::unordered_map<std::uint64_t, std::uint64_t> listener_of_;
  std::uint64_t next_tag_ = first_connection_tag;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::vector<std::uint64_t> again_;  ///< TLS may hold octets that the socket does not show
  std::vector<std::uint64_t> gone_;
  std::array<char, read_octets> buffer_{};

  std::mutex results_mutex_;
  std::vector<std::pair<std::uint64_t, Resume>> results_;
  std::atomic<std::size_t> count_{0};
  std::atomic<std::size_t> jobs_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> stop_by_{0};
  bool stop_begun_ = false;
  std::thread thread_;
};

Result<std::uint16_t> ServerLoop::Impl::listen(ListenerOptions options) {
  if (options.tls && tls_ == nullptr) return Error::internal("a TLS listener without a certificate");
  try {
    auto listener = std::make_unique<Listener>();
    const Poco::Net::SocketAddress address(options.address);
    listener->options = std::move(options);
    if (address.family() == Poco::Net::AddressFamily::IPv6) {
      listener->socket.bind6(address, true, true);
    } else {
      listener->socket.bind(address, true);
    }
    listener->socket.listen(1024);
    listener->socket.setBlocking(false);
    fcntl(listener->socket.impl()->sockfd(), F_SETFD, FD_CLOEXEC);
    const std::uint16_t port = listener->socket.address().port();
    poller_.add(listener->socket.impl()->sockfd(), EPOLLIN, listeners_.size());
    listeners_.push_back(std::move(listener));
    return port;
  } catch (const Poco::Exception& why) {
    return Error::invalid(options.address + ": cannot listen", why.displayText());
  }
}

void ServerLoop::Impl::stop(milliseconds grace) {
  if (!thread_.joinable()) return;
  stop_by_ = (steady_clock::now() + grace).time_since_epoch().count();
  stopping_ = true;
  poller_.wake();
  thread_.join();
  // A job that still runs posts its result to us.
  while (jobs_ > 0) std::this_thread::sleep_for(milliseconds(5));
  connections_.clear();
  count_ = 0;
}

void ServerLoop::Impl::run() {
  while (true) {
    one_round();
    if (!stopping_) continue;
    if (!stop_begun_) begin_stop();
    if (connections_.empty() || steady_clock::now().time_since_epoch().count() >= stop_by_) return;
  }
}

void ServerLoop::Impl::one_round() {
  for (const auto& event : poller_.wait(wait_time())) {
    if (event.tag < first_connection_tag) {
      if (!stopping_) accept_from(*listeners_[event.tag], event.tag);
    } else if (Connection* connection = find(event.tag)) {
      handle(*connection, event.events);
    }
  }
  take_results();
  std::vector<std::uint64_t> again;
  again.swap(again_);
  for (const auto tag : again) {
    if (Connection* connection = find(tag)) read_from(*connection);
  }
  expire();
  for (const auto tag : gone_) connections_.erase(tag);
  gone_.clear();
  if (accept_paused_ && steady_clock::now() >= accept_again_ && !stopping_) {
    accept_paused_ = false;
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      poller_.change(listeners_[i]->socket.impl()->sockfd(), EPOLLIN, i);
    }
  }
}

milliseconds ServerLoop::Impl::wait_time() const {
  if (!again_.empty()) return milliseconds(0);
  milliseconds wait = stopping_ ? milliseconds(20) : milliseconds(1000);
  if (accept_paused_) wait = std::min(wait, accept_pause);
  if (!timers_.empty()) {
    const auto until = std::chrono::ceil<milliseconds>(timers_.top().at - steady_clock::now());
    wait = std::clamp(until, milliseconds(0), wait);
  }
  return wait;
}

/// Closes the listeners and what is idle; what is at work goes on until the grace ends.
void ServerLoop::Impl::begin_stop() {
  stop_begun_ = true;
  for (auto& listener : listeners_) {
    poller_.remove(listener->socket.impl()->sockfd());
    listener->socket.close();
  }
  for (auto& [tag, connection] : connections_) {
    if (!connection->working && !connection->has_output()) drop(*connection);
  }
}

Connection* ServerLoop::Impl::find(std::uint64_t tag) {
  const auto found = connections_.find(tag);
  if (found == connections_.end() || !listener_of_.contains(tag)) return nullptr;
  return found->second.get();
}

void ServerLoop::Impl::accept_from(Listener& listener, std::uint64_t tag) {
  for (int i = 0; i < 64; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    const int descriptor = accept4(listener.socket.impl()->sockfd(), reinterpret_cast<sockaddr*>(&address), &size,
                                   SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      adopt(listener, tag, descriptor, Poco::Net::SocketAddress(reinterpret_cast<sockaddr*>(&address), size));
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      log_.warning("net.accept_paused", {{"listener", listener.options.name}, {"errno", errno}});
      accept_paused_ = true;
      accept_again_ = steady_clock::now() + accept_pause;
      for (std::size_t n = 0; n < listeners_.size(); ++n) poller_.change(listeners_[n]->socket.impl()->sockfd(), 0, n);
    }
    return;
  }
}

void ServerLoop::Impl::refuse(const Listener& listener, int descriptor) const {
  if (!listener.options.tls && !listener.options.refusal.empty()) {
    [[maybe_unused]] const auto sent =
        ::send(descriptor, listener.options.refusal.data(), listener.options.refusal.size(), MSG_NOSIGNAL);
    shutdown(descriptor, SHUT_WR);
  }
  ::close(descriptor);
}

void ServerLoop::Impl::adopt(Listener& listener, std::uint64_t listener_tag, int descriptor,
                             const Poco::Net::SocketAddress& from) {
  const std::string network = network_of(from.host());
  auto& of_network = listener.by_network[network];
  if (listener.connections >= listener.options.max_connections ||
      of_network >= listener.options.max_connections_per_network) {
    if (of_network == 0) listener.by_network.erase(network);
    return refuse(listener, descriptor);
  }
  ++of_network;
  ++listener.connections;
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const std::uint64_t tag = next_tag_++;
  auto owned = std::make_unique<Connection>(descriptor, tag);
  Connection& connection = *owned;
  connection.peer = {from.host().toString(), network, from.host().isLoopback(), listener.options.tls};
  connection.conversation = listener.options.accept();
  connection.handshake_timeout = listener.options.handshake_timeout;
  connections_[tag] = std::move(owned);
  listener_of_[tag] = listener_tag;
  ++count_;
  connection.interest = EPOLLIN;
  poller_.add(descriptor, EPOLLIN, tag);
  if (listener.options.tls) {
    connection.then = Step::Then::StartTls;
    after_flush(connection);
  } else {
    begin(connection);
  }
}

void ServerLoop::Impl::begin(Connection& connection) {
  apply(connection, connection.conversation->opened(connection.peer));
}

void ServerLoop::Impl::handle(Connection& connection, std::uint32_t events) {
  if (connection.handshaking) return continue_handshake(connection);
  // TLS may need to read before it can write.
  if ((events & (EPOLLIN | EPOLLOUT)) != 0 && connection.has_output()) return flush(connection);
  if (connection.working || connection.has_output()) {
    // Only errors and hang-up are reported now; left in the set they would be reported for ever.
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
      connection.ended = true;
      if (!connection.working) return drop(connection);
      poller_.remove(connection.stream.descriptor());
      connection.unwatched = true;
    }
    return;
  }
  read_from(connection);
}

void ServerLoop::Impl::continue_handshake(Connection& connection) {
  switch (connection.stream.handshake()) {
    case Stream::Outcome::WantRead:
      return set_interest(connection, EPOLLIN);
    case Stream::Outcome::WantWrite:
      return set_interest(connection, EPOLLOUT);
    case Stream::Outcome::Done:
      break;
    default:
      return drop(connection);
  }
  connection.handshaking = false;
  again_.push_back(connection.tag);
  if (connection.peer.tls) return begin(connection);
  apply(connection, connection.conversation->tls_established());
}

void ServerLoop::Impl::read_from(Connection& connection) {
  for (int i = 0; i < reads_in_a_row; ++i) {
    if (connection.working || connection.has_output() || connection.handshaking || connection.ended) return;
    const auto moved = connection.stream.read(buffer_);
    switch (moved.outcome) {
      case Stream::Outcome::WantRead:
        return set_interest(connection, EPOLLIN);
      case Stream::Outcome::WantWrite:
        return set_interest(connection, EPOLLOUT | EPOLLIN);
      case Stream::Outcome::Broken:
        return drop(connection);
      case Stream::Outcome::Ended:
        connection.ended = true;
        connection.conversation->ended();
        return drop(connection);
      case Stream::Outcome::Done:
        break;
    }
    Step step = connection.conversation->received({buffer_.data(), moved.octets});
    OPENSSL_cleanse(buffer_.data(), moved.octets);
    apply(connection, std::move(step));
    if (!listener_of_.contains(connection.tag)) return;
  }
  again_.push_back(connection.tag);
}

void ServerLoop::Impl::apply(Connection& connection, Step step) {
  if (step.delay.count() > 0 && !stopping_) {
    connection.held_until = steady_clock::now() + std::exchange(step.delay, milliseconds(0));
    connection.held = std::move(step);
    connection.working = true;
    timers_.push({connection.held_until, connection.tag});
    return watch(connection);
  }
  if (connection.output.empty()) {
    connection.output = std::move(step.output);
  } else {
    append(connection.output, view(step.output));
  }
  connection.then = step.then;
  if (step.job) run_job(connection, std::move(step.job));
  schedule(connection);
  flush(connection);
}

void ServerLoop::Impl::flush(Connection& connection) {
  while (connection.has_output()) {
    const auto moved = connection.stream.write(view(connection.output).substr(connection.written));
    switch (moved.outcome) {
      case Stream::Outcome::Done:
        connection.written += moved.octets;
        break;
      case Stream::Outcome::WantRead:
        return set_interest(connection, EPOLLIN);
      case Stream::Outcome::WantWrite:
        return set_interest(connection, EPOLLOUT);
      default:
        connection.output.clear();
        connection.written = 0;
        connection.ended = true;
        if (!connection.working) return drop(connection);
        return;
    }
  }
  connection.output.clear();
  connection.written = 0;
  if (connection.output.capacity() > read_octets) WipedBuffer().swap(connection.output);
  after_flush(connection);
}

void ServerLoop::Impl::after_flush(Connection& connection) {
  if (connection.working) return watch(connection);
  if (connection.then == Step::Then::Close || connection.ended || (stopping_ && stop_begun_)) return drop(connection);
  if (connection.then == Step::Then::StartTls) {
    connection.then = Step::Then::Read;
    if (tls_ == nullptr || !connection.stream.begin_tls(tls_->current())) return drop(connection);
    connection.handshaking = true;
    connection.handshake_deadline = steady_clock::now() + connection.handshake_timeout;
    schedule(connection);
    return continue_handshake(connection);
  }
  watch(connection);
}

void ServerLoop::Impl::watch(Connection& connection) {
  set_interest(connection, connection.working ? 0U : static_cast<std::uint32_t>(EPOLLIN));
}

void ServerLoop::Impl::set_interest(Connection& connection, std::uint32_t interest) {
  if (connection.unwatched || connection.interest == interest) return;
  connection.interest = interest;
  poller_.change(connection.stream.descriptor(), interest, connection.tag);
}

/// The object stays until the end of the round: callers up the stack still hold it.
void ServerLoop::Impl::drop(Connection& connection) {
  const auto listener = listener_of_.find(connection.tag);
  if (listener == listener_of_.end()) return;
  auto& owner = *listeners_[listener->second];
  --owner.connections;
  const auto network = owner.by_network.find(connection.peer.network);
  if (network != owner.by_network.end() && --network->second == 0) owner.by_network.erase(network);
  listener_of_.erase(listener);
  if (!connection.unwatched) poller_.remove(connection.stream.descriptor());
  connection.stream.close();
  gone_.push_back(connection.tag);
  --count_;
}

void ServerLoop::Impl::run_job(Connection& connection, Job job) {
  connection.working = true;
  ++jobs_;
  workers_.post([this, tag = connection.tag, job = std::move(job)]() mutable {
    Resume resume = job();
    job = nullptr;
    bool first = false;
    {
      const std::lock_guard lock(results_mutex_);
      first = results_.empty();
      results_.emplace_back(tag, std::move(resume));
    }
    if (first) poller_.wake();
    --jobs_;
  });
}

void ServerLoop::Impl::take_results() {
  std::vector<std::pair<std::uint64_t, Resume>> results;
  {
    const std::lock_guard lock(results_mutex_);
    results.swap(results_);
  }
  for (auto& [tag, resume] : results) {
    Connection* connection = find(tag);
    if (connection == nullptr || connection->held) continue;
    connection->working = false;
    if (connection->unwatched) {
      drop(*connection);
      continue;
    }
    apply(*connection, resume());
    if (!connection->working) again_.push_back(tag);
  }
}

steady_clock::time_point ServerLoop::Impl::deadline_of(const Connection& connection) {
  return connection.handshaking ? connection.handshake_deadline : connection.conversation->deadline();
}

/// One heap entry per connection: an entry that comes too early is put back with the deadline of then.
void ServerLoop::Impl::schedule(Connection& connection) {
  if (connection.in_heap) return;
  connection.in_heap = true;
  // A later deadline may become an earlier one (a handshake, the next state): look again every few seconds.
  const auto soon = steady_clock::now() + std::chrono::seconds(5);
  timers_.push({std::min(deadline_of(connection), soon), connection.tag});
}

void ServerLoop::Impl::expire() {
  const auto now = steady_clock::now();
  while (!timers_.empty() && timers_.top().at <= now) {
    const std::uint64_t tag = timers_.top().tag;
    timers_.pop();
    Connection* connection = find(tag);
    if (connection == nullptr) continue;
    if (connection->held && connection->held_until <= now) {
      Step step = std::move(*connection->held);
      connection->held.reset();
      connection->working = false;
      if (connection->unwatched) {
        drop(*connection);
        continue;
      }
      apply(*connection, std::move(step));
      again_.push_back(tag);
      continue;
    }
    connection->in_heap = false;
    if (connection->working || deadline_of(*connection) > now) {
      if (connection->working) {
        connection->in_heap = true;
        timers_.push({now + std::chrono::seconds(1), tag});
      } else {
        schedule(*connection);
      }
      continue;
    }
    if (!connection->handshaking && !connection->has_output()) {
      Step step = connection->conversation->timed_out();
      [[maybe_unused]] const auto moved = connection->stream.write(view(step.output));
    }
    drop(*connection);
  }
}

ServerLoop::ServerLoop(WorkerPool& workers, TlsContext* tls, Log& log)
    : impl_(std::make_unique<Impl>(workers, tls, log)) {}
ServerLoop::~ServerLoop() = default;
Result<std::uint16_t> ServerLoop::listen(ListenerOptions options) { return impl_->listen(std::move(options)); }
void ServerLoop::start() { impl_->start(); }
void ServerLoop::stop(milliseconds grace) { impl_->stop(grace); }
std::size_t ServerLoop::connections() const { return impl_->connections(); }

}  // namespace sealpost::net
