// SPDX-License-Identifier: Apache-2.0
// A next hop that takes mail over SMTP and keeps every copy of it, and refuses some recipients for good.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sealpost::test {

class LedgerSink final {
 public:
  struct Taken {
    std::string recipient;
    std::string message;  ///< with dots as the sender meant them
  };

  /// `refuses`: recipients that get 550 5.1.1. Listens on a free port of loopback at once.
  explicit LedgerSink(std::function<bool(const std::string& recipient)> refuses);
  ~LedgerSink();
  LedgerSink(const LedgerSink&) = delete;
  LedgerSink& operator=(const LedgerSink&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::vector<Taken> taken();
  /// Waits until `enough` holds of what was taken; false on time-out.
  bool wait_for(const std::function<bool(const std::vector<Taken>&)>& enough,
                std::chrono::seconds timeout = std::chrono::seconds(90));

 private:
  struct Session;
  void accept_all();
  void serve(int client);
  void take_line(Session& session, const std::string& line);

  std::function<bool(const std::string&)> refuses_;
  int listener_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable more_;
  std::vector<Taken> taken_;
  std::vector<int> clients_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace sealpost::test
