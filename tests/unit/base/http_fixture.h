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
#include "tests/support/http_direct.h"
#include "tests/support/raw_client.h"
#include "tests/support/temp_dir.h"

namespace sealpost::http {

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

/// Reads one response off a kept connection, body included.
std::string read_response(test::RawClient& client);

}  // namespace sealpost::http
