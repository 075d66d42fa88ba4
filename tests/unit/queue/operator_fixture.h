// SPDX-License-Identifier: Apache-2.0
// Accounts as the dashboard sees them: an operator, and one who is none, whose rights and passwords a test changes.
#pragma once

#include <map>
#include <string>

#include "base/encoding.h"
#include "queue/operator_session.h"

namespace sealpost::test {

class People final : public Authenticator {
 public:
  struct Account {
    std::string password;
    bool admin = false;
    int version = 0;
  };
  std::map<std::string, Account> accounts = {{"olga", {"right", true}}, {"app", {"right", false}}};
  bool away = false;
  bool throttled = false;
  std::string last_network;

  Result<Caller> authenticate(std::string_view authorization, std::string_view network) override {
    last_network = network;
    if (away) return Error::temporary("the store is away");
    if (throttled) {
      Error later = Error::temporary("too many wrong logins");
      later.retry_after = std::chrono::seconds(7);
      return later;
    }
    const std::string pair = from_base64(authorization.substr(std::string_view("Basic ").size())).value_or("");
    const std::string name = pair.substr(0, pair.find(':'));
    const auto found = accounts.find(name);
    if (found == accounts.end() || pair != name + ":" + found->second.password) return Error::invalid("wrong");
    Caller caller{name, {Scope::Submit, Scope::Keys}};
    if (found->second.admin) caller.scopes.insert(Scope::Operator);
    return caller;
  }

  Result<std::string> stamp(const std::string& name) {
    if (away) return Error::temporary("the store is away");
    const auto found = accounts.find(name);
    if (found == accounts.end() || !found->second.admin) return Error::not_found("no operator");
    return found->second.password + std::to_string(found->second.version);
  }
};

}  // namespace sealpost::test
