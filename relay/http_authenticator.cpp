// SPDX-License-Identifier: Apache-2.0
// Implements http_authenticator.h.
#include "relay/http_authenticator.h"

#include "base/encoding.h"

namespace sealpost {
namespace {

/// An altered record (Permanent) proves nobody; the log has the reason.
bool proves_nobody(const Error& why) { return why.kind == ErrorKind::NotFound || why.kind == ErrorKind::Permanent; }

Error refused() { return Error::invalid("wrong or missing credential"); }

bool take_scheme(std::string_view& authorization, std::string_view scheme) {
  if (authorization.size() <= scheme.size() || !ascii_iequals(authorization.substr(0, scheme.size()), scheme))
    return false;
  if (authorization[scheme.size()] != ' ') return false;
  authorization.remove_prefix(scheme.size() + 1);
  return true;
}

}  // namespace

Result<Caller> HttpAuthenticator::authenticate(std::string_view authorization, std::string_view network) {
  const bool is_bearer = take_scheme(authorization, "Bearer");
  if (!is_bearer && !take_scheme(authorization, "Basic")) return refused();
  auto caller = is_bearer ? bearer(authorization) : basic(authorization, std::string(network));
  if (!caller && caller.error().kind == ErrorKind::Invalid) failures_.add();
  return caller;
}

Result<Caller> HttpAuthenticator::bearer(std::string_view token) {
  auto record = tokens_.find(token);
  if (!record && proves_nobody(record.error())) return refused();
  if (!record) return record.error();
  // A token ends with its account.
  auto account = accounts_.find(record->account);
  if (!account && proves_nobody(account.error())) return refused();
  if (!account) return account.error();
  if (record->created < account->created) return refused();  // of an earlier account of that name
  return Caller{record->account, record->scopes, account->created, std::move(account->send_as)};
}

Result<Caller> HttpAuthenticator::basic(std::string_view credentials, const std::string& network) {
  const auto plain = from_base64_wiped(credentials);
  if (!plain) return refused();
  const auto colon = view(*plain).find(':');
  if (colon == std::string_view::npos) return refused();
  const std::string name(view(*plain).substr(0, colon));
  auto attempt = throttle_.begin(name, network);
  if (!attempt) {
    Error later = Error::temporary("too many wrong logins; try again later");
    later.retry_after = std::chrono::ceil<std::chrono::seconds>(attempt.error());
    return later;
  }
  auto account = accounts_.verify(name, Secret::copy_of(view(*plain).substr(colon + 1)));
  if (!account && account.error().kind == ErrorKind::Invalid) {
    attempt->wrong();
    return refused();
  }
  if (!account) return proves_nobody(account.error()) ? refused() : account.error();
  attempt->right();
  Caller caller{name, {Scope::Submit, Scope::Keys}, account->created, std::move(account->send_as)};
  if (account->admin) caller.scopes.insert(Scope::Operator);
  return caller;
}

}  // namespace sealpost
