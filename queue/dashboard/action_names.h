// SPDX-License-Identifier: Apache-2.0
// What the actions on deliveries are called, what they do, and which of them a delivery's state allows.
#pragma once

#include <array>

#include "queue/queue_actions.h"

namespace sealpost::dashboard {

struct ActionName {
  QueueAction action;
  const char* label;
  const char* meaning;
  bool final;  ///< cannot be taken back
};

inline constexpr std::array action_names = {
    ActionName{QueueAction::Retry, "Retry", "attempt it now", false},
    ActionName{QueueAction::Hold, "Hold", "set it aside until it is released", false},
    ActionName{QueueAction::Release, "Release", "let what is held go on", false},
    ActionName{QueueAction::Reroute, "Reroute", "send it to another next hop, now", true},
    ActionName{QueueAction::Bounce, "Bounce", "give up, and tell the sender", true},
    ActionName{QueueAction::Drop, "Drop", "give up, and tell nobody", true}};

inline const ActionName& name_of(QueueAction action) {
  for (const auto& name : action_names) {
    if (name.action == action) return name;
  }
  return action_names.front();
}

inline bool fits(QueueAction action, DeliveryState state) {
  const bool waits = state == DeliveryState::Queued || state == DeliveryState::Deferred;
  const bool held = state == DeliveryState::Held;
  switch (action) {
    case QueueAction::Retry:
    case QueueAction::Hold:
      return waits;
    case QueueAction::Release:
      return held;
    default:
      return waits || held;
  }
}

}  // namespace sealpost::dashboard
