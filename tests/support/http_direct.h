// SPDX-License-Identifier: Apache-2.0
// The HTTP conversation without sockets: a test chooses the peer, says octets and reads the answer; and an
// authenticator with fixed tokens.
#pragma once

#include <Poco/JSON/Object.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/http/server.h"

namespace sealpost::http {

/// Knows "Bearer submit", "Bearer keys" and "Bearer operator"; its store is away for "Bearer away", it saw too many
/// guesses for "Bearer throttled", and it throws for "Bearer throw".
class KnownTokens final : public Authenticator {
 public:
  Result<Caller> authenticate(std::string_view authorization, std::string_view network) override;
  std::atomic<int> asked{0};
  std::string name = "application";  ///< of the account, but the operator's
  Time created{};                    ///< of the account
  std::string last_network;
};

/// Feeds a conversation as the loop does, with jobs carried out at once.
class Direct final {
 public:
  Direct(ServerContext& context, const net::Peer& peer);
  /// What it says to these octets.
  std::string say(std::string_view octets);
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  std::unique_ptr<net::Conversation> conversation_;
  bool closed_ = false;
};

/// Status of a response's first line; 0 when it is none.
int status_of(const std::string& response);

struct Answer {
  int status = 0;
  std::string head;
  std::string body;

  /// Value of a header field, empty when absent.
  [[nodiscard]] std::string field(const std::string& name) const;
  [[nodiscard]] Poco::JSON::Object::Ptr json() const;
  /// A member of a JSON object; empty when it is absent or null.
  [[nodiscard]] std::string member(const std::string& name) const;
};

/// A request from `peer` ("127.0.0.1" counts as secure), answered on a connection of its own.
Answer ask(ServerContext& context, const std::string& method, const std::string& target, const std::string& body = {},
           std::map<std::string, std::string> fields = {}, const std::string& peer = "127.0.0.1");

}  // namespace sealpost::http
