// SPDX-License-Identifier: Apache-2.0
// Implements certificate_holds.h.
#include "notify/certificate_holds.h"

#include <string_view>
#include <vector>

namespace sealpost {
namespace {

constexpr std::string_view expired = "the recipient's own certificate has expired";
constexpr std::string_view revoked = "the recipient's own certificate was revoked";
constexpr std::size_t holds_at_once = 500;

}  // namespace

std::string hold_reason(const KeyRecord& key, Time now) {
  if (use_of(key, now) != KeyUse::Hold) return {};
  return std::string(key.state == PairState::Revoked ? revoked : expired);
}

Result<std::size_t> release_for_certificate(QueueView& view, const std::string& address,
                                            const std::string& fingerprint) {
  DeliveryFilter filter;
  filter.state = DeliveryState::Held;
  filter.recipient = address;
  filter.error = std::string(expired);
  std::vector<DeliveryId> ids;
  std::string cursor;
  do {
    auto found = view.list(filter, holds_at_once, cursor);
    if (!found) return found.error();
    for (const auto& delivery : found->deliveries) {
      if (delivery.fingerprint == fingerprint) ids.push_back(delivery.id);
    }
    cursor = found->cursor;
  } while (!cursor.empty());
  if (ids.empty()) return std::size_t{0};
  auto released = view.act(QueueAction::Release, ids, false);
  if (!released) return released.error();
  return released->changed;
}

}  // namespace sealpost
