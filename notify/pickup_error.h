// SPDX-License-Identifier: Apache-2.0
// Why a recipient's wish at the pickup was not granted. Interfaces choose status and words by it.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "crypto/certificate_check.h"

namespace sealpost {

enum class PickupFault {
  UnknownLink,
  Expired,
  Locked,
  WrongCode,  ///< attempts_left says how many more
  NoSession,
  NoKey,   ///< no such pair, or its private key was destroyed
  NoFile,  ///< none waits for its download (any more)
  BadPassword,
  TooFast,         ///< after wrong codes; error.retry_after says how long to wait
  TooOften,        ///< more uploads than a day has room for
  OldCode,         ///< a code that is older than a day replaces nothing
  BadCertificate,  ///< `certificate` says why
  NoCertificate,   ///< none waits for a code
  KeyGone,         ///< the server holds no private key of it (any more)
  NotCurrent,      ///< another key has taken its place
  InUse,           ///< the address has, or had, this very certificate
  Revoked,
  Failed  ///< nothing that the recipient can help; logged already
};

struct PickupError {
  PickupFault fault;
  Error error;
  unsigned attempts_left = 0;
  std::optional<CertificateRefusal> certificate = std::nullopt;
};

inline PickupError pickup_error(PickupFault fault, std::string text, unsigned attempts_left = 0) {
  return {fault, Error::permanent(std::move(text)), attempts_left};
}
/// In whole seconds: what is left of one would let the next attempt come too early again.
PickupError too_fast(Duration wait);

}  // namespace sealpost
