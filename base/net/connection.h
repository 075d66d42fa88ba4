// SPDX-License-Identifier: Apache-2.0
// One accepted connection: carries out a conversation's steps on a stream (handshake, read, write, hold, linger). The
// loop tells it what happened and asks afterwards whether it has closed and when it wants to be woken.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/net/conversation.h"
#include "base/net/poller.h"
#include "base/net/stream.h"
#include "base/net/tls_context.h"
#include "base/net/tls_counts.h"

namespace sealpost::net {

/// What all connections of a loop share.
struct LoopParts {
  Poller poller;
  TlsContext* tls = nullptr;
  TlsCounts tls_counts = {};
  std::function<void(std::uint64_t tag, Job job)> run;  ///< the result comes back through Connection::resume
  std::array<char, 32UL * 1024> scratch{};              ///< read into, passed on, wiped
  std::function<Waker(std::uint64_t tag)> waker;        ///< leads to Connection::wake
  bool stopping = false;
};

class Connection final {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Takes the descriptor, which must be non-blocking.
  Connection(LoopParts& loop, std::uint64_t tag, int descriptor, Peer peer, std::chrono::milliseconds handshake_timeout,
             std::unique_ptr<Conversation> conversation);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void open();
  /// epoll's events for the socket.
  void ready(std::uint32_t events);
  /// The job's result; empty when the job failed, which ends the connection.
  void resume(const Resume& result);
  /// The conversation has news: it is asked for them now, or once the peer has taken what is being sent.
  void wake();
  /// Acts on the deadline if it has passed.
  void expire(TimePoint now);
  /// The loop stops: closes at once, or after the running job's reply.
  void stop();
  /// Closes without another word.
  void close();

  [[nodiscard]] bool closed() const { return state_ == State::Closed; }
  [[nodiscard]] TimePoint deadline() const;
  [[nodiscard]] const Peer& peer() const { return peer_; }

 private:
  enum class State {
    Open,
    Handshaking,
    Lingering,  ///< all is said and our side is ended; what the peer still sends is thrown away
    Closed
  };
  [[nodiscard]] bool has_output() const { return written_ < output_.size(); }
  /// Nothing may be read: an answer is being made, held back, or not yet taken by the peer.
  [[nodiscard]] bool busy() const { return working_ || held_.has_value() || has_output(); }
  void begin_tls();
  void handshake();
  void read();
  void drain();
  void apply(Step step);
  void flush();
  void flushed();
  void lost();
  void linger();
  void set_interest(std::uint32_t interest);
  void unwatch();

  LoopParts& loop_;
  std::uint64_t tag_;
  Stream stream_;
  Peer peer_;
  std::chrono::milliseconds handshake_timeout_;
  std::unique_ptr<Conversation> conversation_;
  State state_ = State::Open;
  std::uint32_t interest_ = 0;
  bool watched_ = false;
  bool working_ = false;  ///< a job runs
  bool lost_ = false;     ///< the peer is gone, but a job still runs for it
  bool news_ = false;     ///< the conversation was not asked yet for what woke it
  WipedBuffer output_;
  std::size_t written_ = 0;
  Step::Then then_ = Step::Then::Read;
  std::optional<Step> held_;
  TimePoint until_{};  ///< the end of the handshake, of the holding back or of the lingering
};

}  // namespace sealpost::net
