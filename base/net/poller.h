// SPDX-License-Identifier: Apache-2.0
// Readiness of many sockets, and a way to wake the waiting thread. A thin cover over epoll and eventfd: Poco 1.11's
// PollSet cannot be woken and builds a map of sockets on each wait.
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace sealpost::net {

class Poller final {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// `events` as for epoll_ctl; 0 watches for errors and hang-up only. False when the kernel has no room for another
  /// one.
  [[nodiscard]] bool add(int descriptor, std::uint32_t events, std::uint64_t tag);
  void change(int descriptor, std::uint32_t events, std::uint64_t tag);
  void remove(int descriptor);

  struct Event {
    std::uint64_t tag = 0;
    std::uint32_t events = 0;
  };
  /// What became ready; empty after the timeout or a wake().
  const std::vector<Event>& wait(std::chrono::milliseconds timeout);
  /// Ends a wait; from any thread.
  void wake() const;

 private:
  int epoll_ = -1;
  int wake_ = -1;
  std::vector<epoll_event> raw_;
  std::vector<Event> ready_;
};

}  // namespace sealpost::net
