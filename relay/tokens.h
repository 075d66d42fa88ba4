// SPDX-License-Identifier: Apache-2.0
// API tokens: made, listed and revoked by the operator; Redis holds a MAC of each, its account and its scopes, and a
// MAC over all of these.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/authenticator.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/wrapper.h"

namespace sealpost {

std::string_view to_text(Scope scope);
std::optional<Scope> parse_scope(std::string_view text);

struct TokenRecord {
  std::string id;  ///< names the token to the operator; no secret
  std::string account;
  std::set<Scope> scopes;
  Time created{};
};

struct NewToken {
  std::string id;
  Secret token;
};

class Tokens final {
 public:
  Tokens(redis::Client& redis, Wrapper& wrapper, const Clock& clock, Random& random, Log& log)
      : redis_(redis), wrapper_(wrapper), clock_(clock), random_(random), log_(log) {}

  /// The token itself is in this answer only. That there is such an account is for the caller to know.
  Result<NewToken> create(const std::string& account, const std::set<Scope>& scopes);
  Result<std::vector<TokenRecord>> list();
  Status revoke(const std::string& id);
  /// Those of an account that is removed; altered ones, too.
  Status revoke_all_of(const std::string& account);
  /// NotFound for a token that was never made or was revoked; Permanent when its record was altered.
  Result<TokenRecord> find(std::string_view token);

 private:
  /// A record and the MAC of its token, as they were stored together.
  struct Entry {
    TokenRecord record;
    std::string mac;
  };
  Result<Entry> read(const std::string& id);
  redis::Client& redis_;
  Wrapper& wrapper_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
};

}  // namespace sealpost
