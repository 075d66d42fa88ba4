// SPDX-License-Identifier: Apache-2.0
// What the directory knows of an address: its current pair's certificate and state. Holds no private key.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/email_address.h"

namespace sealpost {

enum class PairState { Interim, Permanent, Replaced, Forgotten };
std::string_view to_text(PairState state);
std::optional<PairState> parse_pair_state(std::string_view text);

struct KeyRecord {
  std::string address;      ///< directory key
  std::string fingerprint;  ///< SHA-256 of the certificate's DER, lower-case hex
  PairState state = PairState::Interim;
  std::string certificate;  ///< DER
  std::string placeholder;  ///< the pool's address that the pair was bound to before; empty when it was generated fresh
  Time assigned{};
  std::optional<Time> expires;    ///< of an interim pair: from then on the next message gets a new one
  std::optional<Time> picked_up;  ///< first pickup
};

/// True when the next message may be sealed to the pair. An expired interim pair and one that was forgotten before
/// anybody picked it up count as none; a pair forgotten later stays, since its key is in the recipient's hands.
bool is_usable(const KeyRecord& record, Time now);

}  // namespace sealpost
