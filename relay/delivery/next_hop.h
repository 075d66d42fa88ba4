// SPDX-License-Identifier: Apache-2.0
// One attempt at one delivery: what a next hop is given and how the attempt ended.
#pragma once

#include <string>
#include <variant>

#include "base/result.h"
#include "queue/mail_queue.h"

namespace sealpost {

/// Who has the message now, and so who confirms it to a sender that asked for NOTIFY=SUCCESS (RFC 3461 section 5.2).
enum class Custody {
  Mailbox,  ///< delivered for good: we say so (5.2.3)
  Relay,    ///< a server that knows no DSN: we say that it was relayed, and nobody says more (5.2.2)
  DsnRelay  ///< a server that took the DSN parameters over: it confirms (5.2.1)
};

/// How an attempt ended (RFC 3463 for the enhanced code). What is not known is Deferred.
struct Delivered {
  std::string response;
  std::string enhanced = "2.0.0";
  int code = 0;  ///< of the remote's reply; 0: the response is in our own words
  Custody custody = Custody::Mailbox;
};
struct Deferred {
  std::string response;
  std::string enhanced = "4.0.0";
  int code = 0;  ///< as above
};
/// What a reply was said to, and so whom it speaks of.
enum class Refused { Message, Sender, Recipient };

struct Failed {
  int code = 0;  ///< as above
  std::string enhanced = "5.0.0";
  std::string response;
  Refused refused = Refused::Message;
};
/// The relay stops, and nothing was handed over: no attempt was made.
struct Abandoned {
  std::string response;
};
/// No attempt was made, and none ever can be: somebody has to look.
struct Unreadable {
  std::string response;
};
using Outcome = std::variant<Delivered, Deferred, Failed, Abandoned, Unreadable>;

inline const std::string& response_of(const Outcome& outcome) {
  return std::visit([](const auto& ended) -> const std::string& { return ended.response; }, outcome);
}

/// Where an attempt went, for the history and the log.
struct AttemptTrace {
  std::string host;
  std::string address;
  std::string tls;  ///< version and cipher, empty without TLS
};

struct Attempt {
  Outcome outcome;
  AttemptTrace trace;
  /// The next hop looked at this delivery. False: what failed would have met every delivery to that destination (no
  /// connection, no greeting, no TLS, DNS that does not say).
  bool reached = true;
};

class NextHop {
 public:
  virtual ~NextHop() = default;
  /// Blocks until the attempt has ended, or until the flag is raised that the next hop was made with. Called from many
  /// threads.
  virtual Attempt attempt(const Claim& claim, DeliveryBody& body) = 0;
  /// Gives up what was not used for long; called about every second.
  virtual void tidy() {}
};

}  // namespace sealpost
