// SPDX-License-Identifier: Apache-2.0
// What can be done to a delivery by an operator, and how much of it was.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/message_id.h"
#include "base/result.h"
#include "queue/delivery.h"

namespace sealpost {

enum class QueueAction {
  Retry,    ///< attempt what waits now
  Hold,     ///< set aside until it is released
  Release,  ///< let what is held go on
  Drop,     ///< give up without a bounce
  Bounce,   ///< give up with a bounce to the sender
  Reroute   ///< send what waits or is held to another next hop, now
};
std::string_view to_text(QueueAction action);
std::optional<QueueAction> parse_queue_action(std::string_view text);

/// An action with what it needs.
struct QueueOrder {
  QueueOrder(QueueAction what, std::string where = {})  // NOLINT(google-explicit-constructor)
      : action(what), route(std::move(where)) {}
  QueueAction action;
  /// Of Reroute: "smtp://host:port", "smtps://…", "lmtp://…", or "mx".
  std::string route;
};

/// As act.lua has it: only sealed mail is sent another way, and neither the relay's own notices nor a webhook's event.
[[nodiscard]] bool may_be_rerouted(const DeliveryRecord& record);
/// Invalid for what deliveries cannot be sent to. Gives the port when none is named.
Result<std::string> parse_reroute(std::string_view text);

/// One of the deliveries that were named, and why the action does not reach it: "it is delivered".
struct Unreached {
  DeliveryId id;
  std::string why;
};

struct ActionResult {
  std::size_t matched = 0;
  std::size_t changed = 0;  ///< of a dry run: that would change
  std::string cursor = {};  ///< where to go on; empty at the end
  /// What ended it before its time: what is counted is done, and some of what was just at work may be.
  std::optional<Error> broken = {};
  std::vector<Unreached> unreached = {};  ///< of deliveries that were named by their ids

  [[nodiscard]] bool goes_on() const { return !broken && !cursor.empty(); }
  /// Takes in what the step from its cursor on came to.
  void add(Result<ActionResult> step);
};

}  // namespace sealpost
