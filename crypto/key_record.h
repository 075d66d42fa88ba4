// SPDX-License-Identifier: Apache-2.0
// What the directory knows of an address's pair: its certificate, its state, and which change leads to which state.
// Holds no private key.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/email_address.h"

namespace sealpost {

enum class PairState { Interim, Permanent, Replaced, Forgotten, Revoked };
std::string_view to_text(PairState state);
std::optional<PairState> parse_pair_state(std::string_view text);

struct KeyRecord {
  std::string address;      ///< directory key
  std::string fingerprint;  ///< SHA-256 of the certificate's DER, lower-case hex
  PairState state = PairState::Interim;
  std::string certificate;  ///< DER
  std::string placeholder;  ///< the pool's address that the pair was bound to before; empty when it was generated fresh
  Time assigned{};
  /// Of an interim pair: from then on the next message gets a new one. Of a certificate of the recipient's own: its
  /// end.
  std::optional<Time> expires;
  std::optional<Time> picked_up;  ///< first pickup
  bool own = false;               ///< a certificate of the recipient's own, whose private key never was here
  bool destroyed = false;         ///< the private key was forgotten, whatever was done to the pair before or after
  bool available = false;         ///< the server holds the private key; said by history() alone, and not stored
};

/// What the next message to an address does with its current pair.
enum class KeyUse {
  Seal,    ///< it is sealed to it
  Assign,  ///< the address is given a new pair: this one expired, was revoked, or was forgotten before any pickup
  Hold     ///< it is sealed and held: a certificate of the recipient's own that ended is replaced by nobody else
};
/// A pair that was forgotten after a pickup goes on, since its key is in the recipient's hands.
KeyUse use_of(const KeyRecord& record, Time now);

/// What can be done to a pair after it was assigned.
enum class KeyChange {
  Keep,    ///< by the recipient: it is to stay
  Forget,  ///< by the recipient: the server's copy of the private key is destroyed
  Revoke,  ///< by the operator: its certificate is not valid any more
  Retire   ///< another one takes its place
};
/// The state that a change leads to, or nothing when it cannot be made:
///
///     state      keep (current only)  forget            revoke   retire
///     interim    permanent            forgotten         revoked  replaced
///     permanent  permanent            forgotten (1)     revoked  replaced
///     replaced   -                    forgotten (1)     revoked  replaced
///     forgotten  -                    -                 revoked  forgotten
///     revoked    -                    revoked (1)       -        revoked
///
/// (1) not a certificate of the recipient's own, nor a pair whose key was destroyed: there is nothing here to destroy.
std::optional<PairState> state_after(KeyChange change, const KeyRecord& record, bool is_current);

}  // namespace sealpost
