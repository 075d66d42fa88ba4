// SPDX-License-Identifier: Apache-2.0
// A bound on plaintext and buffers in flight (relay.memory_limit): whoever holds much asks here first and is refused
// beyond it.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace sealpost {

class MemoryBudget final {
 public:
  explicit MemoryBudget(std::size_t limit) : limit_(limit) {}

  /// Octets held until it is destroyed.
  class Reservation final {
   public:
    Reservation() = default;
    Reservation(Reservation&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), octets_(std::exchange(other.octets_, 0)) {}
    Reservation& operator=(Reservation&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(octets_, other.octets_);
      return *this;
    }
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;
    ~Reservation() { release(); }
    /// Holds `octets` in all from now on; false, and nothing changed, when the budget has not as much left.
    [[nodiscard]] bool grow_to(MemoryBudget& budget, std::size_t octets) {
      if (octets <= octets_) return true;
      if (!budget.take(octets - octets_)) return false;
      budget_ = &budget;
      octets_ = octets;
      return true;
    }
    void release() {
      if (budget_ != nullptr) budget_->used_ -= octets_;
      budget_ = nullptr;
      octets_ = 0;
    }

   private:
    MemoryBudget* budget_ = nullptr;
    std::size_t octets_ = 0;
  };

  [[nodiscard]] std::size_t used() const { return used_; }
  [[nodiscard]] std::size_t limit() const { return limit_; }

 private:
  bool take(std::size_t octets) {
    std::size_t used = used_.load();
    do {
      if (octets > limit_ || used > limit_ - octets) return false;
    } while (!used_.compare_exchange_weak(used, used + octets));
    return true;
  }
  std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace sealpost
