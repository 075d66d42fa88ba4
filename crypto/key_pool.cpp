// SPDX-License-Identifier: Apache-2.0
// Implements key_pool.h.
#include "crypto/key_pool.h"

#include <sys/resource.h>

#include <algorithm>
#include <exception>

namespace sealpost {
namespace {

/// Other nodes and sealpostctl take pairs, too, and tell nobody here.
constexpr std::chrono::seconds look_interval{5};
constexpr std::chrono::seconds first_pause{1};
constexpr std::chrono::seconds longest_pause{60};
constexpr int lowest_priority = 19;

}  // namespace

KeyPool::KeyPool(KeyVault& vault, std::size_t wanted, Log& log) : vault_(vault), wanted_(wanted), log_(log) {}

KeyPool::~KeyPool() { stop(); }

void KeyPool::start() {
  if (wanted_ == 0) return;
  vault_.on_pool_use([this] {
    {
      const std::lock_guard lock(mutex_);
      used_ = true;
    }
    wake_.notify_all();
  });
  thread_ = std::jthread([this](const std::stop_token& stop) {
    // On Linux the priority is the thread's own. Without it the pool is filled all the same.
    if (::setpriority(PRIO_PROCESS, 0, lowest_priority) != 0) log_.warning("pool.priority_not_lowered");
    try {
      run(stop);
    } catch (const std::exception& why) {
      log_.error("pool.thread_ended", {{"reason", why.what()}});
    }
  });
}

void KeyPool::stop() {
  if (!thread_.joinable()) return;
  vault_.on_pool_use({});
  thread_.request_stop();
  thread_.join();
}

void KeyPool::run(const std::stop_token& stop) {
  auto pause = first_pause;
  while (!stop.stop_requested()) {
    const bool healthy = fill(stop);
    std::unique_lock lock(mutex_);
    if (healthy) {
      pause = first_pause;
      wake_.wait_for(lock, stop, look_interval, [this] { return used_; });
    } else {
      // Pairs taken meanwhile are no reason to try earlier.
      wake_.wait_for(lock, stop, pause, [] { return false; });
      pause = std::min(pause * 2, longest_pause);
    }
    used_ = false;
  }
}

bool KeyPool::fill(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    auto stock = vault_.pool_stock();
    if (stock && *stock >= wanted_) return true;
    const Status added = stock ? vault_.add_to_pool(stop) : Status(stock.error());
    if (added) continue;
    if (stop.stop_requested()) return true;
    log_.failure("pool.fill_failed", added.error());
    return false;
  }
  return true;
}

}  // namespace sealpost
