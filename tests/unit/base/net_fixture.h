// SPDX-License-Identifier: Apache-2.0
// A ServerLoop with a conversation that a test steers by lines, and what the test learns of it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/net/server_loop.h"
#include "tests/support/raw_client.h"
#include "tests/support/temp_dir.h"

namespace sealpost::net {

/// What the loop's thread and the workers tell the test, and the gate at which jobs wait.
class Story final {
 public:
  void add(const std::string& event);
  /// True when the event comes, or came, within ten seconds.
  bool wait_for(const std::string& event);
  [[nodiscard]] std::size_t count(const std::string& event);
  void received(std::size_t octets);
  [[nodiscard]] std::size_t octets();
  void open_gate();
  void wait_at_gate();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> events_;
  std::size_t octets_ = 0;
  bool gate_open_ = false;
};

/// Lines that a client sends: echo X, big N, job X (waits at the gate), later-job (waits at the gate,
/// then wants a second job held back for long), throw-job, throw, starttls, close X, hold MS X, deadline MS.
std::unique_ptr<Conversation> steered_conversation(Story& story);

class NetTest : public testing::Test {
 protected:
  NetTest();
  ~NetTest() override;

  ListenerOptions options(bool tls = false);
  std::uint16_t serve(ListenerOptions options);
  std::uint16_t serve() { return serve(options()); }
  [[nodiscard]] std::string logged() const { return test::read_file(log_path_); }
  /// Waits until the loop has that many connections.
  [[nodiscard]] bool settles_at(std::size_t connections) const;

  test::TempDir directory_;
  SystemClock clock_;
  std::string log_path_;
  int log_file_;
  Log log_;
  Story story_;
  metrics::Registry registry_;
  std::unique_ptr<TlsContext> tls_;
  std::unique_ptr<WorkerPool> workers_ = std::make_unique<WorkerPool>(2);
  std::unique_ptr<ServerLoop> loop_;
};

}  // namespace sealpost::net
