// SPDX-License-Identifier: Apache-2.0
// Time, randomness and wrapping that a test controls.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/random.h"

namespace sealpost::test {

/// Stands still until it is told to move.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t start_ms = 1'790'000'000'000) : now_(start_ms) {}
  [[nodiscard]] Time now() const override { return from_milliseconds(now_.load()); }
  void advance(Duration by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_;
};

/// A repeatable sequence (splitmix64); never for production.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed = 1) : state_(seed) {}
  void fill(std::span<unsigned char> out) override {
    for (auto& octet : out) {
      std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
      z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
      octet = static_cast<unsigned char>((z ^ (z >> 27U)) >> 56U);
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace sealpost::test
