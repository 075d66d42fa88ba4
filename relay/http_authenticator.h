// SPDX-License-Identifier: Apache-2.0
// Who calls over HTTP: Bearer tokens, and Basic with an account's name and password.
#pragma once

#include "base/authenticator.h"
#include "base/guess_throttle.h"
#include "base/metrics.h"
#include "relay/accounts.h"
#include "relay/tokens.h"

namespace sealpost {

class HttpAuthenticator final : public Authenticator {
 public:
  /// `failures`: passwords and tokens that were looked at and prove nobody.
  HttpAuthenticator(Accounts& accounts, Tokens& tokens, GuessThrottle& throttle, metrics::Counter failures = {})
      : accounts_(accounts), tokens_(tokens), throttle_(throttle), failures_(failures) {}

  Result<Caller> authenticate(std::string_view authorization, std::string_view network) override;

 private:
  Result<Caller> bearer(std::string_view token);
  Result<Caller> basic(std::string_view credentials, const std::string& network);
  Accounts& accounts_;
  Tokens& tokens_;
  GuessThrottle& throttle_;
  metrics::Counter failures_;
};

}  // namespace sealpost
