// SPDX-License-Identifier: Apache-2.0
// Implements connection.h.
#include "base/net/connection.h"

#include <openssl/crypto.h>

#include <utility>

namespace sealpost::net {
namespace {

using std::chrono::steady_clock;

constexpr int reads_in_a_row = 16;  ///< then the other connections have their turn
constexpr std::chrono::seconds linger_time{2};
constexpr std::size_t kept_output_capacity = 4096;

}  // namespace

Connection::Connection(LoopParts& loop, std::uint64_t tag, int descriptor, Peer peer,
                       std::chrono::milliseconds handshake_timeout, std::unique_ptr<Conversation> conversation)
    : loop_(loop),
      tag_(tag),
      stream_(descriptor),
      peer_(std::move(peer)),
      handshake_timeout_(handshake_timeout),
      conversation_(std::move(conversation)) {}

void Connection::open() {
  watched_ = loop_.poller.add(stream_.descriptor(), EPOLLIN, tag_);
  if (!watched_) return close();
  interest_ = EPOLLIN;
  if (peer_.tls) return begin_tls();
  apply(conversation_->opened(peer_));
}

void Connection::begin_tls() {
  if (loop_.tls == nullptr || !stream_.begin_tls(loop_.tls->current())) return close();
  state_ = State::Handshaking;
  until_ = steady_clock::now() + handshake_timeout_;
  handshake();
}

void Connection::handshake() {
  switch (stream_.handshake()) {
    case Stream::Outcome::WantRead:
      return set_interest(EPOLLIN);
    case Stream::Outcome::WantWrite:
      return set_interest(EPOLLOUT);
    case Stream::Outcome::Done:
      break;
    default:
      return close();
  }
  loop_.tls_counts.add(stream_.tls_version());
  state_ = State::Open;
  apply(peer_.tls ? conversation_->opened(peer_) : conversation_->tls_established());
}

void Connection::ready(std::uint32_t events) {
  if (state_ == State::Handshaking) return handshake();
  if (state_ == State::Lingering) return drain();
  // TLS may need to read before it can write.
  if (has_output() && (events & (EPOLLIN | EPOLLOUT)) != 0) return flush();
  if (!busy()) return read();
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) return lost();
  // What the peer sends now waits in the kernel. Only a peer that does so costs the calls to stop and resume watching.
  set_interest(0);
}

void Connection::read() {
  for (int i = 0; i < reads_in_a_row && state_ == State::Open && !busy(); ++i) {
    const auto moved = stream_.read(loop_.scratch);
    switch (moved.outcome) {
      case Stream::Outcome::WantRead:
        return set_interest(EPOLLIN);
      case Stream::Outcome::WantWrite:
        return set_interest(EPOLLIN | EPOLLOUT);
      case Stream::Outcome::Ended:
      case Stream::Outcome::Broken:
        return close();
      case Stream::Outcome::Done:
        break;
    }
    Step step = conversation_->received({loop_.scratch.data(), moved.octets});
    OPENSSL_cleanse(loop_.scratch.data(), moved.octets);
    apply(std::move(step));
    if (!stream_.secure() && moved.octets < loop_.scratch.size()) return;  // there was no more
  }
}

void Connection::apply(Step step) {
  // A job that is held back is a guess that has to wait: an end of the loop must not let it run early.
  if (step.delay.count() > 0 && step.job && loop_.stopping) return close();
  if (step.delay.count() > 0 && !loop_.stopping) {
    until_ = steady_clock::now() + std::exchange(step.delay, std::chrono::milliseconds(0));
    held_ = std::move(step);
    return;
  }
  if (output_.empty()) {
    output_ = std::move(step.output);
  } else {
    append(output_, view(step.output));
  }
  then_ = step.then;
  if (step.subscribe) step.subscribe(loop_.waker(tag_));
  if (step.job) {
    working_ = true;
    loop_.run(tag_, std::move(step.job));
  }
  flush();
}

void Connection::resume(const Resume& result) {
  working_ = false;
  if (lost_ || !result) return close();
  apply(result());
}

void Connection::wake() {
  if (state_ != State::Open || then_ != Step::Then::Listen || loop_.stopping) return;
  news_ = true;
  if (busy()) return;  // flushed() asks
  news_ = false;
  apply(conversation_->woken());
}

void Connection::flush() {
  while (has_output()) {
    const auto moved = stream_.write(view(output_).substr(written_));
    if (moved.outcome == Stream::Outcome::WantRead) return set_interest(EPOLLIN);
    if (moved.outcome == Stream::Outcome::WantWrite) return set_interest(EPOLLOUT);
    if (moved.outcome != Stream::Outcome::Done) return lost();
    written_ += moved.octets;
  }
  output_.clear();
  if (output_.capacity() > kept_output_capacity) WipedBuffer().swap(output_);
  written_ = 0;
  flushed();
}

void Connection::flushed() {
  if (working_) {
    if ((interest_ & EPOLLOUT) != 0) set_interest(0);
    return;
  }
  if (then_ == Step::Then::Close) return linger();
  if (loop_.stopping) return close();
  if (then_ == Step::Then::StartTls) {
    then_ = Step::Then::Read;
    return begin_tls();
  }
  set_interest(EPOLLIN);
  if (news_) wake();
}

/// A running job cannot be called back: its connection stays, unwatched, until the result is there.
void Connection::lost() {
  if (!working_) return close();
  lost_ = true;
  output_.clear();
  written_ = 0;
  unwatch();
}

/// Closing with octets unread makes the kernel send a reset, which may overtake our last reply (RFC 9112 section 9.6).
/// So only our side ends now.
void Connection::linger() {
  conversation_.reset();
  if (loop_.stopping) return close();
  stream_.finish();
  state_ = State::Lingering;
  until_ = steady_clock::now() + linger_time;
  set_interest(EPOLLIN);
}

void Connection::drain() {
  for (int i = 0; i < reads_in_a_row; ++i) {
    const auto moved = stream_.discard(loop_.scratch);
    if (moved.outcome == Stream::Outcome::WantRead) return;
    if (moved.outcome != Stream::Outcome::Done) return close();
  }
}

Connection::TimePoint Connection::deadline() const {
  if (state_ == State::Handshaking || state_ == State::Lingering || held_) return until_;
  return working_ || state_ == State::Closed ? TimePoint::max() : conversation_->deadline();
}

void Connection::expire(TimePoint now) {
  if (state_ == State::Closed || deadline() > now) return;
  if (held_) {
    Step step = std::move(*held_);
    held_.reset();
    return apply(std::move(step));
  }
  if (state_ != State::Open || has_output()) return close();
  Step step = conversation_->timed_out();
  if (step.then == Step::Then::Listen) return apply(std::move(step));
  step.job = nullptr;
  step.then = Step::Then::Close;
  apply(std::move(step));
  if (has_output()) close();
}

void Connection::stop() {
  // A listener hears of no end; what else is being answered, flushed() closes.
  if (working_ || (state_ == State::Open && has_output() && then_ != Step::Then::Listen)) return;
  close();
}

void Connection::close() {
  if (state_ == State::Closed) return;
  unwatch();
  stream_.close();
  state_ = State::Closed;
}

void Connection::set_interest(std::uint32_t interest) {
  if (!watched_ || interest_ == interest) return;
  interest_ = interest;
  loop_.poller.change(stream_.descriptor(), interest, tag_);
}

void Connection::unwatch() {
  if (watched_) loop_.poller.remove(stream_.descriptor());
  watched_ = false;
}

}  // namespace sealpost::net
