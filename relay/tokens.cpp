// SPDX-License-Identifier: Apache-2.0
// Implements tokens.h. A token is "spt_" + id + "_" + secret; the id finds the record, the MAC proves the secret.
#include "relay/tokens.h"

#include <openssl/crypto.h>

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

}  // namespace

std::string_view to_text(Scope scope) { return scope_names[static_cast<std::size_t>(scope)]; }

std::optional<Scope> parse_scope(std::string_view text) {
  const auto found = std::find(scope_names.begin(), scope_names.end(), text);
  if (found == scope_names.end()) return std::nullopt;
  return static_cast<Scope>(found - scope_names.begin());
}

Result<NewToken> Tokens::create(const std::string& account, const std::set<Scope>& scopes) {
  auto exists = redis_.command({"EXISTS", "account:{0}:of:" + account});
  if (!exists) return exists.error();
  if (exists->integer() == 0) return Error::not_found("there is no such account");
  NewToken fresh;
  fresh.id = to_hex(random_.octets(id_octets));
  const Secret secret = random_.secret(secret_octets);
  WipedBuffer token;
  append(token, std::string(prefix) + fresh.id + "_");
  append(token, to_hex(secret.reveal()));
  fresh.token = Secret(std::move(token));
  std::string names;
  for (const auto scope : scopes) names += (names.empty() ? "" : " ") + std::string(to_text(scope));
  auto stored = redis_.pipeline(
      {{"HSET", token_key(fresh.id), "account", account, "scopes", names, "created",
        std::to_string(to_milliseconds(clock_.now())), "mac", wrapper_.mac(Purpose::ApiToken, fresh.token.reveal())},
       {"SADD", std::string(ids_key), fresh.id}});
  if (!stored) return stored.error();
  return fresh;
}

Result<TokenRecord> Tokens::read(const std::string& id) {
  auto reply = redis_.command({"HMGET", token_key(id), "account", "scopes", "created"});
  if (!reply) return reply.error();
  if (reply->size() != 3 || (*reply)[0].is_nil()) return Error::not_found("there is no such token");
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
  return record;
}

Result<std::vector<TokenRecord>> Tokens::list() {
  auto ids = redis_.command({"SMEMBERS", std::string(ids_key)});
  if (!ids) return ids.error();
  std::vector<TokenRecord> records;
  for (std::size_t i = 0; i < ids->size(); ++i) {
    auto record = read(std::string((*ids)[i].text()));
    if (record) {
      records.push_back(std::move(*record));
    } else if (record.error().kind != ErrorKind::NotFound) {
      return record.error();
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

Result<TokenRecord> Tokens::find(std::string_view token) {
  const auto unknown = Error::not_found("there is no such token");
  if (!token.starts_with(prefix)) return unknown;
  const std::string id(token.substr(prefix.size(), id_octets * 2));
  if (!from_hex(id)) return unknown;
  auto stored = redis_.command({"HGET", token_key(id), "mac"});
  if (!stored) return stored.error();
  const std::string mac = wrapper_.mac(Purpose::ApiToken, token);
  const auto expected = stored->text();
  if (expected.size() != mac.size() || CRYPTO_memcmp(expected.data(), mac.data(), mac.size()) != 0) return unknown;
  return read(id);
}

}  // namespace sealpost
