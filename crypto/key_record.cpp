// SPDX-License-Identifier: Apache-2.0
// Implements key_record.h.
#include "crypto/key_record.h"

#include <array>
#include <utility>

namespace sealpost {
namespace {

constexpr std::array<std::pair<PairState, std::string_view>, 5> state_names = {{{PairState::Interim, "interim"},
                                                                                {PairState::Permanent, "permanent"},
                                                                                {PairState::Replaced, "replaced"},
                                                                                {PairState::Forgotten, "forgotten"},
                                                                                {PairState::Revoked, "revoked"}}};

bool in_use(PairState state) { return state == PairState::Interim || state == PairState::Permanent; }

std::optional<PairState> after_forget(const KeyRecord& record) {
  if (record.own || record.destroyed || record.state == PairState::Forgotten) return std::nullopt;
  return record.state == PairState::Revoked ? PairState::Revoked : PairState::Forgotten;
}

}  // namespace

std::string_view to_text(PairState state) {
  for (const auto& [value, name] : state_names) {
    if (value == state) return name;
  }
  return {};
}

std::optional<PairState> parse_pair_state(std::string_view text) {
  for (const auto& [value, name] : state_names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

KeyUse use_of(const KeyRecord& record, Time now) {
  const bool over = (record.expires && *record.expires <= now) || record.state == PairState::Revoked ||
                    (record.state == PairState::Forgotten && !record.picked_up);
  if (over) return record.own ? KeyUse::Hold : KeyUse::Assign;
  return record.state == PairState::Replaced ? KeyUse::Assign : KeyUse::Seal;
}

std::optional<PairState> state_after(KeyChange change, const KeyRecord& record, bool is_current) {
  switch (change) {
    case KeyChange::Keep:
      if (!is_current || !in_use(record.state)) return std::nullopt;
      return PairState::Permanent;
    case KeyChange::Forget:
      return after_forget(record);
    case KeyChange::Revoke:
      if (record.state == PairState::Revoked) return std::nullopt;
      return PairState::Revoked;
    case KeyChange::Retire:
      return in_use(record.state) ? PairState::Replaced : record.state;
  }
  return std::nullopt;
}

}  // namespace sealpost
