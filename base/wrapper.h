// SPDX-License-Identifier: Apache-2.0
// Bytes at rest: how any part hides a secret before it is stored, without knowing the master key. crypto/ implements
// it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace sealpost {

/// What a blob or a MAC is for. Each purpose has a subkey of its own, so that a blob of one kind is never accepted as
/// another.
enum class Purpose {
  PrivateKey,         ///< a recipient's private key
  CaKey,              ///< the private keys of the root and issuing CA
  HeaderBlock,        ///< a sealed message's outer header block
  Notice,             ///< a notice until it is sent
  ScramVerifier,      ///< an account's stored verifier
  DirectoryEntry,     ///< MAC over what the directory says of an address
  PickupToken,        ///< MAC of a pickup link's token
  PickupLink,         ///< MAC over what a pickup link leads to
  PickupCode,         ///< MAC of an authentication code
  PickupSession,      ///< MAC of a pickup session
  ApiToken,           ///< MAC of an account's bearer token
  IdempotencyKey,     ///< MAC that places and names an idempotency key
  IdempotencyBody,    ///< MAC of the body that came with an idempotency key
  UnknownAccount,     ///< salt that an account that does not exist appears to have
  EnvelopeId,         ///< a message's ENVID
  Cursor,             ///< where a page of an account's messages ended
  Webhook,            ///< an account's webhook: URL, events, signing key
  IdempotencyAnswer,  ///< what was answered to a submission with an idempotency key
  SignerKey,          ///< the private key that signs the relay's own mail
  AuditTrail,         ///< MAC that chains the entries of the audit trail
  SenderCode,         ///< MAC that is an authentication code which the sender passes on
  OperatorSession     ///< MACs of an operator's session in a browser
};

/// Octets of a MAC.
inline constexpr std::size_t mac_size = 32;

class Wrapper {
 public:
  virtual ~Wrapper() = default;
  /// Authenticated encryption bound to the context (address, id, fingerprint: whatever the blob must not be moved away
  /// from).
  virtual Result<std::string> wrap(Purpose purpose, std::string_view context, std::string_view plain) = 0;
  /// Permanent error when the blob was altered, moved, or made under a master key that is not at hand.
  virtual Result<WipedBuffer> unwrap(Purpose purpose, std::string_view context, std::string_view blob) = 0;
  /// HMAC-SHA256 under the purpose's subkey: mac_size octets.
  virtual std::string mac(Purpose purpose, std::string_view data) = 0;
};

}  // namespace sealpost
