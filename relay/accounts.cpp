// SPDX-License-Identifier: Apache-2.0
// Implements accounts.h. Keys and fields: docs/redis.md, "Accounts".
#include "relay/accounts.h"

#include <algorithm>
#include <charconv>

#include "base/encoding.h"

namespace sealpost {
namespace {

/// OWASP's floor for PBKDF2-HMAC-SHA-256 is higher, but SCRAM makes the client pay the same; the verifier is wrapped
/// besides, so that Redis alone gives an attacker nothing to guess against.
constexpr int iterations = 100'000;
constexpr std::size_t salt_octets = 16;
constexpr std::string_view names_key = "account:{0}:names";

std::string account_key(const std::string& name) { return "account:{0}:of:" + name; }

const redis::Script& add_script() {
  static const redis::Script script("account_add", R"(
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'send_as', ARGV[1], 'admin', ARGV[2], 'created', ARGV[3], 'verifier', ARGV[4])
redis.call('SADD', KEYS[2], ARGV[5])
return 1)");
  return script;
}

/// Only if it is still the account that was read: another one of that name, or none, must not get this verifier.
const redis::Script& password_script() {
  static const redis::Script script("account_password", R"(
if redis.call('HGET', KEYS[1], 'verifier') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'verifier', ARGV[2])
return 1)");
  return script;
}

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= 128 && is_utf8(name) &&
         std::none_of(name.begin(), name.end(), [](unsigned char c) { return c <= 0x20 || c == 0x7f || c == ':'; });
}

/// An address by its directory key, or @domain by its A-labels.
Result<std::string> normalise(const std::string& entry) {
  if (entry.starts_with('@')) {
    auto domain = DomainName::parse(entry.substr(1));
    if (!domain) return Error::invalid("not a domain: " + entry);
    return "@" + domain->a_label();
  }
  auto address = EmailAddress::parse(entry);
  if (!address) return Error::invalid("not an address: " + entry);
  return address->directory_key();
}

std::string encode(const ScramVerifier& verifier) {
  return std::to_string(verifier.iterations) + " " + to_base64(verifier.salt) + " " + to_base64(verifier.stored_key) +
         " " + to_base64(verifier.server_key);
}

std::optional<ScramVerifier> decode_verifier(std::string_view text) {
  std::vector<std::string> words;
  for (std::string_view rest = text; !rest.empty();) {
    const auto space = rest.find(' ');
    words.emplace_back(rest.substr(0, space));
    rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  }
  if (words.size() != 4) return std::nullopt;
  ScramVerifier verifier;
  std::from_chars(words[0].data(), words[0].data() + words[0].size(), verifier.iterations);
  verifier.salt = from_base64(words[1]).value_or("");
  verifier.stored_key = from_base64(words[2]).value_or("");
  verifier.server_key = from_base64(words[3]).value_or("");
  if (verifier.iterations < 1 || verifier.stored_key.size() != 32 || verifier.server_key.size() != 32)
    return std::nullopt;
  return verifier;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

/// An account's fields as they stand in Redis.
struct Stored {
  std::string send_as;
  std::string admin;
  std::string created;
  std::string verifier;
};

/// What the verifier is wrapped for. Whoever can write to Redis but has no master key can thus neither raise an
/// account's rights nor move a verifier.
std::string bound_to(const std::string& name, const Stored& stored) {
  return name + '\0' + stored.send_as + '\0' + stored.admin + '\0' + stored.created;
}

Error taken(const std::string& name) { return Error::invalid("there is an account " + name + " already"); }
Error unknown_account() { return Error::not_found("there is no such account"); }

}  // namespace

bool Account::may_send_as(const EmailAddress& address) const {
  return std::any_of(send_as.begin(), send_as.end(), [&](const std::string& entry) {
    return entry == address.directory_key() || entry == "@" + address.domain().a_label();
  });
}

Accounts::Accounts(redis::Client& redis, Wrapper& wrapper, const Clock& clock, Random& random, Log& log)
    : redis_(redis), wrapper_(wrapper), clock_(clock), random_(random), log_(log), cache_(random, clock) {}

Status Accounts::check_new(const Account& account) {
  if (!is_name(account.name)) return Error::invalid("an account's name has 1 to 128 octets, without blanks or colons");
  if (account.send_as.empty()) return Error::invalid("an account needs an address or @domain to send as");
  for (const auto& entry : account.send_as) {
    if (auto normal = normalise(entry); !normal) return normal.error();
  }
  auto existing = redis_.command({"EXISTS", account_key(account.name)});
  if (!existing) return existing.error();
  return existing->integer() == 0 ? Status() : Status(taken(account.name));
}

Status Accounts::add(Account account, const Secret& password) {
  if (auto fits = check_new(account); !fits) return fits;
  if (password.empty()) return Error::invalid("the password is empty");
  for (auto& entry : account.send_as) {
    auto normal = normalise(entry);
    if (!normal) return normal.error();
    entry = std::move(*normal);
  }
  const Stored stored{
      join_lines(account.send_as), account.admin ? "1" : "0", std::to_string(to_milliseconds(clock_.now())), {}};
  auto wrapped = wrap_password(bound_to(account.name, stored), password);
  if (!wrapped) return wrapped.error();
  auto added = redis_.run(add_script(), {account_key(account.name), std::string(names_key)},
                          {stored.send_as, stored.admin, stored.created, *wrapped, account.name});
  if (!added) return added.error();
  if (added->integer() != 1) return taken(account.name);
  log_.info("account.added", {{"account", account.name}, {"admin", account.admin ? "yes" : "no"}});
  return {};
}

Status Accounts::remove(const std::string& name) {
  auto replies = redis_.pipeline({{"DEL", account_key(name)}, {"SREM", std::string(names_key), name}});
  if (!replies) return replies.error();
  if ((*replies)[0].integer() == 0) return unknown_account();
  log_.info("account.removed", {{"account", name}});
  return {};
}

Status Accounts::set_password(const std::string& name, const Secret& password) {
  if (password.empty()) return Error::invalid("the password is empty");
  auto existing = read(name);
  if (!existing) return existing.error();
  auto wrapped = wrap_password(existing->bound_to, password);
  if (!wrapped) return wrapped.error();
  auto set = redis_.run(password_script(), {account_key(name)}, {existing->wrapped, *wrapped});
  if (!set) return set.error();
  if (set->integer() != 1) return Error::temporary("account " + name + " was changed at the same time");
  log_.info("account.password_changed", {{"account", name}});
  return {};
}

Result<std::vector<Account>> Accounts::list() {
  auto names = redis_.command({"SMEMBERS", std::string(names_key)});
  if (!names) return names.error();
  std::vector<std::string> sorted;
  for (std::size_t i = 0; i < names->size(); ++i) sorted.emplace_back((*names)[i].text());
  std::sort(sorted.begin(), sorted.end());
  std::vector<Account> accounts;
  for (const auto& name : sorted) {
    auto account = find(name);
    if (account) {
      accounts.push_back(std::move(*account));
    } else if (account.error().kind != ErrorKind::NotFound) {
      return account.error();
    }
  }
  return accounts;
}

Result<Accounts::Entry> Accounts::read(const std::string& name) {
  auto reply = redis_.command({"HMGET", account_key(name), "send_as", "admin", "created", "verifier"});
  if (!reply) return reply.error();
  if (reply->size() != 4 || (*reply)[3].is_nil()) return unknown_account();
  const auto text = [&](std::size_t i) { return std::string((*reply)[i].text()); };
  const Stored stored{text(0), text(1), text(2), text(3)};
  Entry entry;
  entry.bound_to = bound_to(name, stored);
  entry.wrapped = stored.verifier;
  auto plain = wrapper_.unwrap(Purpose::ScramVerifier, entry.bound_to, stored.verifier);
  auto verifier = plain ? decode_verifier(view(*plain)) : std::nullopt;
  if (!verifier) {
    log_.error("account.altered", {{"account", name}});
    return Error::permanent("the record of account " + name + " was altered");
  }
  entry.verifier = std::move(*verifier);
  entry.account.name = name;
  entry.account.send_as = split_lines(stored.send_as);
  entry.account.admin = stored.admin == "1";
  std::int64_t created = 0;
  std::from_chars(stored.created.data(), stored.created.data() + stored.created.size(), created);
  entry.account.created = from_milliseconds(created);
  entry.account.stamp = stored.verifier;  // wrapped with a nonce of its own for these very rights
  return entry;
}

Result<std::string> Accounts::wrap_password(const std::string& bound_to, const Secret& password) {
  const ScramVerifier verifier = make_scram_verifier(password, random_.octets(salt_octets), iterations);
  return wrapper_.wrap(Purpose::ScramVerifier, bound_to, encode(verifier));
}

Result<Account> Accounts::find(const std::string& name) {
  auto entry = read(name);
  if (!entry) return entry.error();
  return std::move(entry->account);
}

Status Accounts::unchanged(const Account& account) {
  auto now = find(account.name);
  if (!now && now.error().kind == ErrorKind::Temporary) return now.error();
  if (!now || now->stamp != account.stamp) return Error::invalid("the account was changed");
  return {};
}

Result<std::string> Accounts::operator_stamp(const std::string& name) {
  auto account = find(name);
  if (!account && account.error().kind == ErrorKind::Temporary) return account.error();
  if (!account || !account->admin) return Error::not_found("this account is no operator's");
  return std::move(account->stamp);
}

/// Stable for a name, so that asking twice does not tell that there is no such account; no password fits it.
ScramVerifier Accounts::made_up_verifier(const std::string& name) const {
  const std::string salt = wrapper_.mac(Purpose::UnknownAccount, "salt " + name).substr(0, salt_octets);
  return {salt, iterations, wrapper_.mac(Purpose::UnknownAccount, "stored " + name),
          wrapper_.mac(Purpose::UnknownAccount, "server " + name)};
}

Result<Account> Accounts::verify(const std::string& name, const Secret& password) {
  auto entry = is_name(name) ? read(name) : Result<Entry>(unknown_account());
  const bool unknown = !entry && entry.error().kind == ErrorKind::NotFound;
  if (!entry && !unknown) return entry.error();
  const ScramVerifier verifier = unknown ? made_up_verifier(name) : entry->verifier;
  if (!unknown && cache_.knows(name, verifier, password)) return std::move(entry->account);
  const bool right = fits(verifier, password);
  if (unknown || !right) return Error::invalid("wrong name or password");
  cache_.remember(name, verifier, password);
  return std::move(entry->account);
}

Result<ScramVerifier> Accounts::scram_verifier(const std::string& name) {
  auto entry = is_name(name) ? read(name) : Result<Entry>(unknown_account());
  if (entry) return std::move(entry->verifier);
  if (entry.error().kind == ErrorKind::NotFound) return made_up_verifier(name);
  return entry.error();
}

}  // namespace sealpost
