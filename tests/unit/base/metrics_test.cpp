// SPDX-License-Identifier: Apache-2.0
// What was counted and what is read, as Prometheus' text format 0.0.4.
#include "base/metrics.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/metrics_text.h"

namespace sealpost::metrics {
namespace {

using test::sample;
using namespace std::chrono_literals;

TEST(Metrics, TextIsAsPrometheusReadsIt) {
  Registry registry;
  const Counter counter = registry.counter("doors_opened_total", "Doors.", {{"side", "in"}});
  counter.add();
  const Timing timing = registry.timing("door_seconds", "A door.", {.25, 1});
  timing.took(250ms);
  timing.took(500ms);
  timing.took(2s);
  EXPECT_EQ(registry.text({{"rooms", "Rooms.", 1.5, {{"name", "a\"b\\c\nd"}}}, {"rooms", "Rooms.", 2, {}}}),
            "# HELP doors_opened_total Doors.\n"
            "# TYPE doors_opened_total counter\n"
            "doors_opened_total{side=\"in\"} 1\n"
            "# HELP door_seconds A door.\n"
            "# TYPE door_seconds histogram\n"
            "door_seconds_count 3\n"
            "door_seconds_sum 2.75\n"
            "door_seconds_bucket{le=\"0.25\"} 1\n"
            "door_seconds_bucket{le=\"1\"} 2\n"
            "door_seconds_bucket{le=\"+Inf\"} 3\n"
            "# HELP rooms Rooms.\n"
            "# TYPE rooms gauge\n"
            "rooms{name=\"a\\\"b\\\\c\\nd\"} 1.5\n"
            "rooms 2\n");
}

TEST(Metrics, WhatWasNotCountedYetIsShownAsZero) {
  Registry registry;
  registry.counter("doors_opened_total", "Doors.");
  EXPECT_EQ(sample(registry.text({}), "doors_opened_total"), 0);
}

TEST(Metrics, LabelsOfOneNameStandTogether) {
  Registry registry;
  const Counter in = registry.counter("doors_opened_total", "Doors.", {{"side", "in"}});
  const Counter out = registry.counter("doors_opened_total", "Doors.", {{"side", "out"}});
  in.add();
  out.add();
  out.add();
  const std::string text = registry.text({});
  EXPECT_EQ(sample(text, "doors_opened_total{side=\"in\"}"), 1);
  EXPECT_EQ(sample(text, "doors_opened_total{side=\"out\"}"), 2);
  EXPECT_EQ(text.find("# HELP"), text.rfind("# HELP")) << text;
}

TEST(Metrics, CopiesCountIntoTheSameNumberFromAnyThread) {
  Registry registry;
  const Counter counter = registry.counter("doors_opened_total", "Doors.");
  const Timing timing = registry.timing("door_seconds", "A door.", {1});
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([counter, timing] {
        for (int k = 0; k < 1000; ++k) {
          counter.add();
          timing.took(1s);
        }
      });
    }
  }
  const std::string text = registry.text({});
  EXPECT_EQ(sample(text, "doors_opened_total"), 4000);
  EXPECT_EQ(sample(text, "door_seconds_count"), 4000);
  EXPECT_EQ(sample(text, "door_seconds_sum"), 4000);
}

TEST(Metrics, SinceMeasuresUntilNow) {
  Registry registry;
  const Timing timing = registry.timing("door_seconds", "A door.", {1, 100});
  timing.since(std::chrono::steady_clock::now() - 50s);
  const std::string text = registry.text({});
  EXPECT_EQ(sample(text, "door_seconds_bucket{le=\"1\"}"), 0);
  EXPECT_EQ(sample(text, "door_seconds_bucket{le=\"100\"}"), 1);
}

TEST(Metrics, WhatNoRegistryMadeCountsNothing) {
  Counter().add();
  Timing().took(1s);
  Timing().since(std::chrono::steady_clock::now());
}

}  // namespace
}  // namespace sealpost::metrics
