// SPDX-License-Identifier: Apache-2.0
// Implements poller.h.
#include "base/net/poller.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdlib>

namespace sealpost::net {
namespace {

constexpr std::uint64_t wake_tag = UINT64_MAX;
constexpr std::size_t events_at_once = 256;

bool control(int epoll, int operation, int descriptor, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return epoll_ctl(epoll, operation, descriptor, &event) == 0;
}

/// Fails only for a descriptor that we mismanaged.
void must(bool done) {
  if (!done) std::abort();
}

}  // namespace

Poller::Poller()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), raw_(events_at_once) {
  must(epoll_ >= 0 && wake_ >= 0 && control(epoll_, EPOLL_CTL_ADD, wake_, EPOLLIN, wake_tag));
}

Poller::~Poller() {
  close(wake_);
  close(epoll_);
}

bool Poller::add(int descriptor, std::uint32_t events, std::uint64_t tag) {
  return control(epoll_, EPOLL_CTL_ADD, descriptor, events, tag);
}
void Poller::change(int descriptor, std::uint32_t events, std::uint64_t tag) {
  must(control(epoll_, EPOLL_CTL_MOD, descriptor, events, tag));
}
void Poller::remove(int descriptor) { must(control(epoll_, EPOLL_CTL_DEL, descriptor, 0, 0)); }

const std::vector<Poller::Event>& Poller::wait(std::chrono::milliseconds timeout) {
  ready_.clear();
  const int count = epoll_wait(epoll_, raw_.data(), static_cast<int>(raw_.size()), static_cast<int>(timeout.count()));
  for (int i = 0; i < count; ++i) {
    const auto& event = raw_[static_cast<std::size_t>(i)];
    if (event.data.u64 == wake_tag) {
      std::uint64_t value = 0;
      [[maybe_unused]] const auto drained = read(wake_, &value, sizeof(value));
      continue;
    }
    ready_.push_back({event.data.u64, event.events});
  }
  return ready_;
}

void Poller::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_, &one, sizeof(one));
}

}  // namespace sealpost::net
