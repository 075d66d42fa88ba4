// SPDX-License-Identifier: Apache-2.0
// Implements delivery.h.
#include "queue/delivery.h"

#include <algorithm>
#include <array>

namespace sealpost {
namespace {

constexpr std::array<std::string_view, 7> state_names = {"queued",    "sending", "deferred", "held",
                                                         "delivered", "bounced", "dropped"};

}  // namespace

std::string_view to_text(DeliveryState state) { return state_names[static_cast<std::size_t>(state)]; }

std::optional<DeliveryState> parse_delivery_state(std::string_view text) {
  const auto found = std::find(state_names.begin(), state_names.end(), text);
  if (found == state_names.end()) return std::nullopt;
  return static_cast<DeliveryState>(found - state_names.begin());
}

}  // namespace sealpost
