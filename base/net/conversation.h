// SPDX-License-Identifier: Apache-2.0
// The seam between a protocol and the network: octets and results in, octets and wishes out. SMTP and HTTP sessions
// implement it and do no I/O themselves.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace sealpost::net {

struct Step;
/// Runs on the loop's thread after a Job, with the conversation still alive.
using Resume = std::function<Step()>;
/// Runs on a worker and may block. Must not touch the conversation, which may be gone by then; its Resume may.
using Job = std::function<Resume()>;
/// Has the loop ask a conversation that listens for news (woken()). From any thread, also when the conversation, or the
/// loop, is gone.
using Waker = std::function<void()>;

/// What a conversation wants done now, in this order: send `output`, then run `job`, then `then`.
struct Step {
  enum class Then {
    Read,      ///< wait for octets (after the job's result, if there is a job)
    Listen,    ///< wait for news and octets; a deadline is no end, but for a peer that has not taken the last output
    StartTls,  ///< TLS handshake; the conversation hears tls_established() next
    Close      ///< after `output` is flushed
  };
  WipedBuffer output;  ///< wiped, since answers of HTTP routes may hold a code's session or a key
  Job job;             ///< while it runs, no octets are passed on and the peer's are left in the kernel's buffer
  Then then = Then::Read;
  std::chrono::milliseconds delay{
      0};  ///< the whole step, its job too, is held back that long; nothing is read meanwhile
  /// With Listen: is given what brings the conversation's news, before the output is sent.
  std::function<void(Waker)> subscribe = {};
};

struct Peer {
  std::string address;  ///< numeric
  std::string network;  ///< what limits count by: the IPv4 address, or the IPv6 /64
  bool loopback = false;
  bool tls = false;  ///< a TLS listener
};

class Conversation {
 public:
  virtual ~Conversation() = default;
  /// The connection stands (over TLS: after the handshake).
  virtual Step opened(const Peer& peer) = 0;
  virtual Step received(std::string_view octets) = 0;
  virtual Step tls_established() = 0;
  /// There are news. Asked only when the peer has taken all output before, so that none is heaped up.
  virtual Step woken() { return {}; }
  /// The deadline passed. The step's output is sent if it can be at once, then the connection is closed, unless the
  /// step listens.
  virtual Step timed_out() = 0;
  /// When the loop should call timed_out(); asked again after every step. Not asked while a job runs.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point deadline() const = 0;
};

}  // namespace sealpost::net
