// SPDX-License-Identifier: Apache-2.0
// Who calls: how a folder's HTTP routes learn the caller without knowing accounts. relay/ implements it.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace sealpost {

enum class Scope { Submit, Keys, Operator };

/// An account that proved itself, and what it may do with this credential.
struct Caller {
  std::string account;
  std::set<Scope> scopes;
  Time created{};                         ///< what another account of that name did before, is not this one's
  std::vector<std::string> send_as = {};  ///< addresses (directory keys) and "@domain"s that it may send as
};

class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// Checks an Authorization field (Bearer or Basic). Invalid: wrong or missing credential, the same text for both;
  /// Temporary: the store is away, or, with retry_after, too many guesses: nothing was looked at. `network` counts
  /// wrong guesses (net::Peer::network).
  virtual Result<Caller> authenticate(std::string_view authorization, std::string_view network) = 0;
};

}  // namespace sealpost
