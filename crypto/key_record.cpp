// SPDX-License-Identifier: Apache-2.0
// Implements key_record.h.
#include "crypto/key_record.h"

#include <array>
#include <utility>

namespace sealpost {
namespace {

constexpr std::array<std::pair<PairState, std::string_view>, 4> names = {{{PairState::Interim, "interim"},
                                                                          {PairState::Permanent, "permanent"},
                                                                          {PairState::Replaced, "replaced"},
                                                                          {PairState::Forgotten, "forgotten"}}};

}  // namespace

std::string_view to_text(PairState state) {
  for (const auto& [value, name] : names) {
    if (value == state) return name;
  }
  return {};
}

std::optional<PairState> parse_pair_state(std::string_view text) {
  for (const auto& [value, name] : names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

bool is_usable(const KeyRecord& record, Time now) {
  if (record.expires && *record.expires <= now) return false;
  switch (record.state) {
    case PairState::Interim:
    case PairState::Permanent:
      return true;
    case PairState::Forgotten:
      return record.picked_up.has_value();
    case PairState::Replaced:
      return false;
  }
  return false;
}

}  // namespace sealpost
