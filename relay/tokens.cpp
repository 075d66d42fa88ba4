// SPDX-License-Identifier: Apache-2.0
// Implements tokens.h. A token is "spt_" + id + "_" + secret; the id finds the record, the MAC proves the secret.
#include "relay/tokens.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/encoding.h"

namespace sealpost {
namespace {

constexpr std::string_view prefix = "spt_";
constexpr std::string_view ids_key = "account:{0}:tokens";
constexpr std::size_t id_octets = 6;
constexpr std::size_t secret_octets = 24;
constexpr std::array<std::string_view, 3> scope_names = {"submit", "keys", "operator"};

std::string token_key(const std::string& id) { return "account:{0}:token:" + id; }

/// Covers the token by its MAC, and what it may do: whoever can write to Redis but has no master key can neither give a
/// token more scopes nor another account.
std::string record_mac(Wrapper& wrapper, const std::string& id, std::string_view account, std::string_view scopes,
                       std::string_view created, std::string_view mac) {
  std::string text = "record " + id;
  for (const auto field : {account, scopes, created, mac}) text.append(1, '\0').append(field);
  return wrapper.mac(Purpose::ApiToken, text);
}

}  // namespace

std::string_view to_text(Scope scope) { return scope_names[static_cast<std::size_t>(scope)]; }

std::optional<Scope> parse_scope(std::string_view text) {
  const auto found = std::find(scope_names.begin(), scope_names.end(), text);
  if (found == scope_names.end()) return std::nullopt;
  return static_cast<Scope>(found - scope_names.begin());
}

Result<NewToken> Tokens::create(const std::string& account, const std::set<Scope>& scopes) {
  NewToken fresh;
  fresh.id = to_hex(random_.octets(id_octets));
  const Secret secret = random_.secret(secret_octets);
  WipedBuffer token;
  append(token, std::string(prefix) + fresh.id + "_");
  append(token, to_hex(secret.reveal()));
  fresh.token = Secret(std::move(token));
  std::string names;
  for (const auto scope : scopes) names += (names.empty() ? "" : " ") + std::string(to_text(scope));
  const std::string created = std::to_string(to_milliseconds(clock_.now()));
  const std::string mac = wrapper_.mac(Purpose::ApiToken, fresh.token.reveal());
  auto stored = redis_.pipeline({{"HSET", token_key(fresh.id), "account", account, "scopes", names, "created", created,
                                  "mac", mac, "record", record_mac(wrapper_, fresh.id, account, names, created, mac)},
                                 {"SADD", std::string(ids_key), fresh.id}});
  if (!stored) return stored.error();
  return fresh;
}

Result<Tokens::Entry> Tokens::read(const std::string& id) {
  auto reply = redis_.command({"HMGET", token_key(id), "account", "scopes", "created", "mac", "record"});
  if (!reply) return reply.error();
  if (reply->size() != 5 || (*reply)[3].is_nil()) return Error::not_found("there is no such token");
  const auto mac = (*reply)[3].text();
  if (!equal_in_constant_time(record_mac(wrapper_, id, (*reply)[0].text(), (*reply)[1].text(), (*reply)[2].text(), mac),
                              (*reply)[4].text())) {
    log_.error("token.altered", {{"token", id}, {"account", (*reply)[0].text()}});
    return Error::permanent("the record of token " + id + " was altered");
  }
  TokenRecord record{id, std::string((*reply)[0].text()), {}, {}};
  for (auto rest = (*reply)[1].text(); !rest.empty();) {
    const auto space = rest.find(' ');
    if (const auto scope = parse_scope(rest.substr(0, space))) record.scopes.insert(*scope);
    rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  }
  std::int64_t created = 0;
  const auto text = (*reply)[2].text();
  std::from_chars(text.data(), text.data() + text.size(), created);
  record.created = from_milliseconds(created);
  return Entry{std::move(record), std::string(mac)};
}

Result<std::vector<TokenRecord>> Tokens::list() {
  auto ids = redis_.command({"SMEMBERS", std::string(ids_key)});
  if (!ids) return ids.error();
  std::vector<TokenRecord> records;
  for (std::size_t i = 0; i < ids->size(); ++i) {
    auto entry = read(std::string((*ids)[i].text()));
    if (entry) {
      records.push_back(std::move(entry->record));
    } else if (entry.error().kind != ErrorKind::NotFound) {
      return entry.error();
    }
  }
  std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) { return a.created < b.created; });
  return records;
}

Status Tokens::revoke(const std::string& id) {
  auto replies = redis_.pipeline({{"DEL", token_key(id)}, {"SREM", std::string(ids_key), id}});
  if (!replies) return replies.error();
  if ((*replies)[0].integer() == 0) return Error::not_found("there is no such token");
  return {};
}

Status Tokens::revoke_all_of(const std::string& account) {
  auto ids = redis_.command({"SMEMBERS", std::string(ids_key)});
  if (!ids) return ids.error();
  for (std::size_t i = 0; i < ids->size(); ++i) {
    const std::string id((*ids)[i].text());
    auto owner = redis_.command({"HGET", token_key(id), "account"});
    if (!owner) return owner.error();
    if (owner->is_nil() || owner->text() != account) continue;
    if (auto revoked = revoke(id); !revoked && revoked.error().kind != ErrorKind::NotFound) return revoked;
  }
  return {};
}

Result<TokenRecord> Tokens::find(std::string_view token) {
  const auto unknown = Error::not_found("there is no such token");
  if (!token.starts_with(prefix)) return unknown;
  const std::string id(token.substr(prefix.size(), id_octets * 2));
  if (!from_hex(id)) return unknown;
  auto entry = read(id);
  if (!entry) return entry.error();
  if (!equal_in_constant_time(wrapper_.mac(Purpose::ApiToken, token), entry->mac)) return unknown;
  return std::move(entry->record);
}

}  // namespace sealpost
