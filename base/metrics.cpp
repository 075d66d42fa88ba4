// SPDX-License-Identifier: Apache-2.0
// Implements metrics.h.
#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <sstream>

namespace sealpost::metrics {

struct Registry::Families {
  prometheus::Registry registry;
};

void Counter::add() const {
  if (counter_ != nullptr) counter_->Increment();
}

void Timing::took(std::chrono::nanoseconds duration) const {
  if (histogram_ != nullptr) histogram_->Observe(std::chrono::duration<double>(duration).count());
}

void Timing::since(std::chrono::steady_clock::time_point begun) const {
  if (histogram_ != nullptr) took(std::chrono::steady_clock::now() - begun);
}

Registry::Registry() : families_(std::make_unique<Families>()) {}
Registry::~Registry() = default;

Counter Registry::counter(const std::string& name, const std::string& help, const Labels& labels) {
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(families_->registry);
  return Counter(family.Add(labels));
}

Timing Registry::timing(const std::string& name, const std::string& help, const std::vector<double>& limits,
                        const Labels& labels) {
  auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(families_->registry);
  return Timing(family.Add(labels, limits));
}

std::string Registry::text(const std::vector<Reading>& readings) const {
  auto families = families_->registry.Collect();
  for (const auto& reading : readings) {
    if (families.empty() || families.back().name != reading.name) {
      families.push_back({reading.name, reading.help, prometheus::MetricType::Gauge, {}});
    }
    prometheus::ClientMetric metric;
    for (const auto& [name, value] : reading.labels) metric.label.push_back({name, value});
    metric.gauge.value = reading.value;
    families.back().metric.push_back(std::move(metric));
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return std::move(out).str();
}

}  // namespace sealpost::metrics
