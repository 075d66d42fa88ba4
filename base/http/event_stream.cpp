// SPDX-License-Identifier: Apache-2.0
// Implements event_stream.h.
#include "base/http/event_stream.h"

#include <array>

namespace sealpost::http {

std::string format_event(std::string_view id, std::string_view name, std::string_view data) {
  std::string text = "id: " + std::string(id) + "\nevent: " + std::string(name) + "\n";
  while (true) {
    const auto end = data.find('\n');
    text += "data: " + std::string(data.substr(0, end)) + "\n";
    if (end == std::string_view::npos) return text + "\n";
    data.remove_prefix(end + 1);
  }
}

std::shared_ptr<void> StreamPlaces::take(const std::string& account, const std::string& network) {
  const std::array owners = {"account " + account, "network " + network};
  const std::lock_guard lock(mutex_);
  if (taken_ >= in_all) return nullptr;
  for (const auto& owner : owners) {
    const auto found = by_owner_.find(owner);
    if (found != by_owner_.end() && found->second >= of_one) return nullptr;
  }
  ++taken_;
  for (const auto& owner : owners) ++by_owner_[owner];
  return {this, [this, owners](void*) {
            const std::lock_guard freed(mutex_);
            --taken_;
            for (const auto& owner : owners) {
              const auto found = by_owner_.find(owner);
              if (--found->second == 0) by_owner_.erase(found);
            }
          }};
}

}  // namespace sealpost::http
