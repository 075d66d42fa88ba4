// SPDX-License-Identifier: Apache-2.0
// Which deliveries an operator means.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "queue/delivery.h"
#include "queue/index_walk.h"

namespace sealpost {

/// What is not set, matches all; an empty text matches only an empty one.
struct DeliveryFilter {
  std::optional<DeliveryState> state;
  bool waiting = false;  ///< only what has not come to its end (is_waiting)
  std::optional<std::string> domain;
  std::optional<std::string> sender;  ///< empty for <>
  std::optional<std::string> recipient;
  std::optional<std::string> account;
  std::optional<MessageId> message;
  std::optional<Duration> older_than;
  std::optional<Duration> newer_than;
  std::optional<std::string> error;  ///< part of failure_text, in whatever letters; 451 or 4.7.1 alone mean its codes
  WalkOrder order = WalkOrder::OldestFirst;

  /// Names nothing: it means every delivery.
  [[nodiscard]] bool is_empty() const;
};

bool matches(const DeliveryFilter& filter, const DeliveryRecord& record, Time now);

/// The reply or the reason of the last attempt, without the host that gave it; empty when the delivery did not fail.
std::string failure_text(const DeliveryRecord& record);
/// `part` may stand in a reply of this class (`error_class` in queue/scripts/common.lua), in which # stands for any
/// digits.
bool class_may_contain(std::string_view error_class, std::string_view part);

/// Where a listing goes on: opaque to others, and good for the filter that it was made with. Invalid for anything else.
std::string cursor_behind(const DeliveryFilter& filter, const IndexPosition& last);
Result<std::optional<IndexPosition>> parse_cursor(const DeliveryFilter& filter, const std::string& cursor);

}  // namespace sealpost
