// SPDX-License-Identifier: Apache-2.0
// Implements waiting_notices.h.
#include "notify/waiting_notices.h"

#include <vector>

namespace sealpost {
namespace {

constexpr std::size_t notices_at_once = 500;

Status add_waiting(QueueView& view, const DeliveryFilter& filter, std::vector<DeliveryId>& ids) {
  std::string cursor;
  do {
    auto found = view.list(filter, notices_at_once, cursor);
    if (!found) return found.error();
    for (const auto& delivery : found->deliveries) {
      if (delivery.notification) ids.push_back(delivery.id);
    }
    cursor = found->cursor;
  } while (!cursor.empty());
  return {};
}

}  // namespace

Result<std::size_t> drop_waiting_notifications(QueueView& view, const std::string& address) {
  std::vector<DeliveryId> ids;
  for (const auto state : {DeliveryState::Queued, DeliveryState::Deferred, DeliveryState::Held}) {
    DeliveryFilter filter;
    filter.state = state;
    filter.recipient = address;
    if (auto added = add_waiting(view, filter, ids); !added) return added.error();
  }
  if (ids.empty()) return std::size_t{0};
  auto dropped = view.act(QueueAction::Drop, ids, false);
  if (!dropped) return dropped.error();
  return dropped->changed;
}

}  // namespace sealpost
