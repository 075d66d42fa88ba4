// SPDX-License-Identifier: Apache-2.0
// Accounts that may submit: names, send-as rules and SCRAM verifiers (wrapped) in Redis; checks of passwords and the
// send-as rule.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/email_address.h"
#include "base/log.h"
#include "base/random.h"
#include "base/redis/client.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/wrapper.h"
#include "relay/password_cache.h"
#include "relay/scram.h"

namespace sealpost {

struct Account {
  std::string name;
  std::vector<std::string> send_as;  ///< directory keys, or "@" and an A-label domain
  bool admin = false;
  Time created{};
  std::string stamp = {};  ///< another one after any change: of the password, of the rights, of the account itself

  [[nodiscard]] bool may_send_as(const EmailAddress& address) const;
};

class Accounts final {
 public:
  Accounts(redis::Client& redis, Wrapper& wrapper, const Clock& clock, Random& random, Log& log);

  /// Invalid: a name or send-as entry that cannot be one, a name that is taken. What add() says of it, before there is
  /// a password.
  Status check_new(const Account& account);
  /// The same, and Invalid for an empty password.
  Status add(Account account, const Secret& password);
  Status remove(const std::string& name);
  Status set_password(const std::string& name, const Secret& password);
  Result<std::vector<Account>> list();
  Result<Account> find(const std::string& name);
  /// Whether the account still is what it was when it was read. Invalid: removed, replaced, or with another password.
  Status unchanged(const Account& account);

  /// The stamp of an operator's account. NotFound when it is no operator's, or not there.
  Result<std::string> operator_stamp(const std::string& name);

  /// Checks a PLAIN or LOGIN password. Invalid: wrong or unknown, after the same work for both; Temporary: Redis away;
  /// Permanent: the account's record was altered.
  Result<Account> verify(const std::string& name, const Secret& password);
  /// The verifier for a SCRAM exchange; an account that does not exist has a stable, made-up one that no password fits.
  Result<ScramVerifier> scram_verifier(const std::string& name);

 private:
  /// An account with its verifier.
  struct Entry {
    Account account;
    ScramVerifier verifier;
    std::string wrapped;   ///< the verifier as it is stored
    std::string bound_to;  ///< the context that it is wrapped for: name and rights
  };
  /// Permanent when the stored record was altered: rights and verifier hold together or not at all.
  Result<Entry> read(const std::string& name);
  Result<std::string> wrap_password(const std::string& bound_to, const Secret& password);
  [[nodiscard]] ScramVerifier made_up_verifier(const std::string& name) const;

  redis::Client& redis_;
  Wrapper& wrapper_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
  PasswordCache cache_;
};

}  // namespace sealpost
