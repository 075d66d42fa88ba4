// SPDX-License-Identifier: Apache-2.0
// The lines of `sealpostctl top`: all numbers, the busiest destinations, and never more than the terminal holds.
#include "relay/ctl/top_screen.h"

#include <gmock/gmock.h>

namespace sealpost::ctl {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

const Time noon = from_milliseconds(1'769'860'800'000);

QueueSummary summary() {
  QueueSummary made;
  for (const auto state : all_delivery_states) made.states[state] = static_cast<std::size_t>(state);
  made.oldest = noon - 10min;
  made.ages = {1, 2, 3, 0, 0, 4};
  made.rates = {12.34, 3, 0.2, 0};
  made.keys = KeyStatus{{5, 64}, {3, noon - 1h}, {1, 2, {}}};
  for (int i = 0; i < 30; ++i) {
    DestinationSummary row;
    row.domain = "d" + std::to_string(i) + ".example";
    row.queued = 1;
    row.deferred = 1200;
    row.oldest = noon - 3h;
    row.delivered_per_minute = 4.5;
    row.last_error = "451 \033[2Jlater";
    made.destinations.push_back(row);
  }
  return made;
}

TEST(TopScreen, HasTheNumbers) {
  const auto lines = top_screen(summary(), noon, {10, 200});
  EXPECT_THAT(
      lines,
      ElementsAre(
          "sealpost 2026-01-31T12:00:00Z   oldest waiting: 10 min",
          "queued 0   sending 1   deferred 2   held 3   delivered 4   bounced 5   dropped 6",
          "per minute: accepted 12.3   delivered 3.0   deferred 0.2   bounced 0.0",
          "waiting by age: <5m 1   <20m 2   <80m 3   <320m 0   <1280m 0   older 4",
          "key pairs: 5 of 64 ready   not picked up 3   certificates ending 2, ended 1", "",
          "DESTINATION                               QUEUED SENDING DEFERRED  HELD  OLDEST PER MIN  LAST ERROR",
          "d0.example                                     1       0     1200     0     3 h     4.5  451 ?[2Jlater",
          "d1.example                                     1       0     1200     0     3 h     4.5  451 ?[2Jlater"));
}

TEST(TopScreen, FitsTheTerminal) {
  for (const auto& [rows, columns] : {std::pair{24U, 80U}, {6U, 20U}, {200U, 60U}, {1U, 1U}}) {
    const auto lines = top_screen(summary(), noon, {rows, columns});
    EXPECT_LT(lines.size(), rows);
    for (const auto& line : lines) EXPECT_LE(line.size(), columns);
  }
}

TEST(TopScreen, CutsNoNumberAtEightyColumns) {
  auto made = summary();
  for (auto& [state, count] : made.states) count = 1'234'567;
  made.rates = {123456.7, 123456.7, 123456.7, 123456.7};
  made.ages = {123456, 123456, 123456, 123456, 123456, 123456};
  std::string screen;
  for (const auto& line : top_screen(made, noon, {24, 80})) screen += line + "\n";
  for (const auto state : all_delivery_states) EXPECT_THAT(screen, HasSubstr(std::string(to_text(state)) + " 1234567"));
  for (const char* rate : {"accepted 123456.7", "delivered 123456.7", "deferred 123456.7", "bounced 123456.7"}) {
    EXPECT_THAT(screen, HasSubstr(rate));
  }
  EXPECT_THAT(screen, HasSubstr("older 123456"));
  EXPECT_THAT(screen, HasSubstr("ended 1"));
  EXPECT_THAT(screen, HasSubstr("d0.example                 1       0     1200     0     3 h     4.5  451 ?[2Jl"));
}

}  // namespace
}  // namespace sealpost::ctl
