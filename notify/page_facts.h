// SPDX-License-Identifier: Apache-2.0
// What pages are told of an address and its keys: plain facts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "crypto/key_record.h"

namespace sealpost {

struct PageKey {
  std::string fingerprint;
  PairState state = PairState::Interim;
  Time assigned{};
  std::optional<Time> expires = std::nullopt;  ///< of an interim pair, and of a certificate of the recipient's own
  bool own = false;                            ///< a certificate of the recipient's own
  bool available = true;                       ///< the server holds the private key
  bool picked_up = false;
  bool receipt_owed = false;  ///< its private key was destroyed, but the receipt could not be sent
};

/// What an open session may see, and what its forms carry.
struct VisitFacts {
  std::string token;
  std::string address;
  std::vector<PageKey> keys;  ///< the current one first
  std::string csrf;
  Time now{};
};

}  // namespace sealpost
