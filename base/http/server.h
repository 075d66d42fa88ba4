// SPDX-License-Identifier: Apache-2.0
// The HTTP/1.1 conversation: reads a request strictly (RFC 9112), checks its scope, lets the route answer on a worker,
// writes the response.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/authenticator.h"
#include "base/http/call_rate.h"
#include "base/http/event_stream.h"
#include "base/http/router.h"
#include "base/log.h"
#include "base/memory_budget.h"
#include "base/net/conversation.h"

namespace sealpost::http {

struct ServerOptions {
  std::vector<std::string> trusted_proxies;  ///< numeric addresses
  std::size_t max_header_octets = 16UL * 1024;
  std::chrono::milliseconds header_deadline{10000};  ///< absolute, from the first octet
  std::chrono::milliseconds body_deadline{120000};   ///< absolute, from the end of the header
  std::chrono::milliseconds idle_timeout{60000};     ///< between requests of a kept connection
  /// Of event streams: a comment after so much silence, and for how long a listener may leave output untaken.
  std::chrono::milliseconds stream_heartbeat{15000};
  std::chrono::milliseconds stream_lifetime{3'600'000};  ///< then the listener has to ask, and prove itself, again
};

/// What all HTTP conversations share; must outlive them.
struct ServerContext {
  const Router& router;
  Authenticator& authenticator;
  MemoryBudget& budget;
  Log& log;
  ServerOptions options;
  CallRate* call_rate = nullptr;  ///< of accounts; nothing: as often as they like
  std::shared_ptr<StreamPlaces> streams = std::make_shared<StreamPlaces>();
};

std::unique_ptr<net::Conversation> make_conversation(ServerContext& context);

}  // namespace sealpost::http
