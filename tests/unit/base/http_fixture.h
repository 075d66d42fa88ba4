// SPDX-License-Identifier: Apache-2.0
// A small site behind the HTTP conversation, reached over real sockets or, to choose the peer's address, without any.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/http/server.h"
#include "base/net/server_loop.h"
#include "tests/support/raw_client.h"
#include "tests/support/temp_dir.h"

namespace sealpost::http {

/// Knows "Bearer submit", "Bearer keys" and "Bearer operator"; its store is away for "Bearer away", and it throws for "Bearer throw".
class KnownTokens final : public Authenticator {
 public:
  Result<Caller> authenticate(std::string_view authorization, std::string_view network) override;
  std::atomic<int> asked{0};
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

class HttpTest : public testing::Test {
 protected:
  HttpTest();
  ~HttpTest() override;

  std::uint16_t serve();
  [[nodiscard]] std::string logged() const { return test::read_file(log_path_); }
  static net::Peer from(const std::string& address);

  test::TempDir directory_;
  SystemClock clock_;
  std::string log_path_;
  int log_file_;
  Log log_;
  Router router_;
  KnownTokens tokens_;
  MemoryBudget budget_{2000};
  std::atomic<int> handled_{0};
  ServerContext context_{router_, tokens_, budget_, log_, {}};
  net::WorkerPool workers_{2};
  net::ServerLoop loop_{workers_, nullptr, log_};
};

/// Status of a response's first line; 0 when it is none.
int status_of(const std::string& response);
/// Reads one response off a kept connection, body included.
std::string read_response(test::RawClient& client);

}  // namespace sealpost::http
