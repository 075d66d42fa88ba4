// SPDX-License-Identifier: Apache-2.0
// Implements operator_session.h. The key: docs/redis.md, "Operators' sessions".
#include "queue/operator_session.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/redis/number.h"

namespace sealpost {
namespace {

constexpr std::size_t cookie_octets = 24;  // 192 bits

/// Operators log in when Redis is full, too: to see why, and to make room.
const redis::Script& store_script() {
  static const redis::Script script("operator_session", R"(#!lua flags=allow-oom
return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]))");
  return script;
}

Error no_session() { return Error::not_found("this session has ended"); }

/// "CREATED ACCOUNT": names have no blanks.
struct Stored {
  Time created;
  std::string account;
};

Stored parse(std::string_view record) {
  const auto created = record.substr(0, record.find(' '));
  record.remove_prefix(std::min(record.size(), created.size() + 1));
  return {from_milliseconds(redis::to_number(created)), std::string(record.substr(0, record.find(' ')))};
}

}  // namespace

Result<Secret> OperatorSessions::log_in(const std::string& name, const Secret& password, const std::string& network) {
  // Before the password is looked at: what changes from here on ends the session.
  auto stamp = stamp_(name);
  if (!stamp && stamp.error().kind == ErrorKind::Temporary) return stamp.error();
  if (name.find(':') != std::string::npos) return Error::invalid("wrong name or password");
  WipedBuffer pair;
  append(pair, name);
  append(pair, ":");
  append(pair, password.reveal());
  const WipedBuffer encoded = to_base64_wiped(view(pair));
  WipedBuffer authorization;
  append(authorization, "Basic ");
  append(authorization, view(encoded));
  auto caller = authenticator_.authenticate(view(authorization), network);
  if (!caller)
    return caller.error().kind == ErrorKind::Invalid ? Error::invalid("wrong name or password") : caller.error();
  if (!caller->scopes.contains(Scope::Operator) || !stamp) {
    return Error::permanent("this account is no operator's");
  }
  Secret cookie = Secret::copy_of(to_base64url(random_.octets(cookie_octets)));
  if (auto stored = store(cookie.reveal(), name, *stamp); !stored) return stored.error();
  log_.info("operator.logged_in", {{"account", name}, {"network", network}});
  return cookie;
}

std::string OperatorSessions::key_of(std::string_view cookie) const {
  return "queue:operator:" + to_hex(wrapper_.mac(Purpose::OperatorSession, "session " + std::string(cookie)));
}

/// The MAC binds the record to its place and to the account as it was: nobody makes one without the master key.
std::string OperatorSessions::record_of(const std::string& key, const std::string& account, const std::string& stamp,
                                        Time created) const {
  const std::string text = std::to_string(to_milliseconds(created)) + " " + account;
  const std::string bound = "record " + key + " " + text + " " + stamp;
  return text + " " + to_hex(wrapper_.mac(Purpose::OperatorSession, bound));
}

Duration OperatorSessions::time_left(Time created) const {
  return std::min<Duration>(idle_time, created + longest - clock_.now());
}

Status OperatorSessions::store(std::string_view cookie, const std::string& account, const std::string& stamp) {
  const std::string key = key_of(cookie);
  const Time now = clock_.now();
  auto stored =
      redis_.run(store_script(), {key}, {record_of(key, account, stamp, now), std::to_string(time_left(now).count())});
  return stored ? Status() : Status(stored.error());
}

Result<OperatorSession> OperatorSessions::find(std::string_view cookie, Use use) {
  if (cookie.empty()) return no_session();
  const std::string key = key_of(cookie);
  auto record = redis_.command({"GET", key});
  if (!record) return record.error();
  const Stored stored = parse(record->text());
  const Duration left = time_left(stored.created);
  if (stored.account.empty() || left.count() <= 0) return no_session();
  auto stamp = stamp_(stored.account);
  if (!stamp && stamp.error().kind == ErrorKind::Temporary) return stamp.error();
  if (!stamp || record->text() != record_of(key, stored.account, *stamp, stored.created)) return no_session();
  if (use == Use::Counts) {
    if (auto kept = redis_.command({"PEXPIRE", key, std::to_string(left.count())}); !kept) return kept.error();
  }
  return OperatorSession{stored.account, to_hex(wrapper_.mac(Purpose::OperatorSession, "csrf " + std::string(cookie)))};
}

Status OperatorSessions::log_out(std::string_view cookie) {
  auto gone = redis_.command({"DEL", key_of(cookie)});
  return gone ? Status() : Status(gone.error());
}

}  // namespace sealpost
