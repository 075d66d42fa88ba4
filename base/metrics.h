// SPDX-License-Identifier: Apache-2.0
// What a process tells of itself to Prometheus: the adapter over prometheus-cpp. Parts are handed what they count,
// never the registry; whoever puts them together chooses the names.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Histogram;
}  // namespace prometheus

namespace sealpost::metrics {

using Labels = std::map<std::string, std::string>;

/// How often something happened. Copies count into the same number; one that no registry made counts nothing.
class Counter final {
 public:
  Counter() = default;
  void add() const;

 private:
  friend class Registry;
  explicit Counter(prometheus::Counter& counter) : counter_(&counter) {}
  prometheus::Counter* counter_ = nullptr;
};

/// How long something took, as a histogram of seconds. Copies as those of a counter.
class Timing final {
 public:
  Timing() = default;
  void took(std::chrono::nanoseconds duration) const;
  /// Until now.
  void since(std::chrono::steady_clock::time_point begun) const;

 private:
  friend class Registry;
  explicit Timing(prometheus::Histogram& histogram) : histogram_(&histogram) {}
  prometheus::Histogram* histogram_ = nullptr;
};

/// A value that nobody counts: it is looked up when it is asked for.
struct Reading {
  std::string name;
  std::string help;
  double value = 0;
  Labels labels = {};
};

/// What it makes must not outlive it. Safe from any thread.
class Registry final {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// Shown from now on, as 0 until something is counted. One name has one help, and each set of labels once.
  Counter counter(const std::string& name, const std::string& help, const Labels& labels = {});
  /// `limits`: the upper ends of the buckets, in seconds, growing.
  Timing timing(const std::string& name, const std::string& help, const std::vector<double>& limits,
                const Labels& labels = {});
  /// Prometheus' text format 0.0.4 of all that was counted, and of the readings as gauges; those of one name stand
  /// together.
  [[nodiscard]] std::string text(const std::vector<Reading>& readings) const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace sealpost::metrics
