// SPDX-License-Identifier: Apache-2.0
// Implements http_direct.h.
#include "tests/support/http_direct.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace sealpost::http {

Result<Caller> KnownTokens::authenticate(std::string_view authorization, std::string_view network) {
  ++asked;
  last_network = network;
  if (authorization == "Bearer submit") return Caller{"application", {Scope::Submit}};
  if (authorization == "Bearer keys") return Caller{"application", {Scope::Keys}};
  if (authorization == "Bearer operator") return Caller{"admin", {Scope::Operator}};
  if (authorization == "Bearer away") return Error::temporary("the store is away");
  if (authorization == "Bearer throttled") {
    Error later = Error::temporary("too many wrong logins");
    later.retry_after = std::chrono::seconds(7);
    return later;
  }
  if (authorization == "Bearer throw") throw std::runtime_error("authenticator");
  return Error::invalid("wrong or missing credential");
}

Direct::Direct(ServerContext& context, const net::Peer& peer) : conversation_(make_conversation(context)) {
  EXPECT_TRUE(conversation_->opened(peer).output.empty());
}

std::string Direct::say(std::string_view octets) {
  std::string said;
  net::Step step = conversation_->received(octets);
  while (true) {
    said += view(step.output);
    if (!step.job) break;
    const net::Resume resume = step.job();
    step = resume();
  }
  closed_ = step.then == net::Step::Then::Close;
  return said;
}

int status_of(const std::string& response) {
  return response.starts_with("HTTP/1.1 ") && response.size() > 12 ? std::stoi(response.substr(9, 3)) : 0;
}

}  // namespace sealpost::http
