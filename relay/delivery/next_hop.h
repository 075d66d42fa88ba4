// SPDX-License-Identifier: Apache-2.0
// One attempt at one delivery: what a next hop is given and how the attempt ended.
#pragma once

#include <string>
#include <variant>

#include "base/result.h"
#include "queue/mail_queue.h"

namespace sealpost {

/// How an attempt ended (RFC 3463 for the enhanced code). What is not known is Deferred.
struct Delivered {
  std::string response;
};
struct Deferred {
  std::string response;
  std::string enhanced = "4.0.0";
  bool from_remote = false;  ///< the response is the remote's reply, not words of ours
};
struct Failed {
  int code = 550;
  std::string enhanced = "5.0.0";
  std::string response;
  bool from_remote = false;
};
using Outcome = std::variant<Delivered, Deferred, Failed>;

/// Where an attempt went, for the history and the log.
struct AttemptTrace {
  std::string host;
  std::string address;
  std::string tls;  ///< version and cipher, empty without TLS
};

struct Attempt {
  Outcome outcome;
  AttemptTrace trace;
};

class NextHop {
 public:
  virtual ~NextHop() = default;
  /// Blocks until the attempt has ended; never throws. Called from many threads.
  virtual Attempt attempt(const Claim& claim, DeliveryBody& body) = 0;
};

}  // namespace sealpost
