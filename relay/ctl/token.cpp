// SPDX-License-Identifier: Apache-2.0
// sealpostctl token create|list|revoke.
#include <ostream>

#include "relay/ctl/command.h"
#include "relay/ctl/output.h"
#include "relay/tokens.h"

namespace sealpost::ctl {
namespace {

namespace po = boost::program_options;

int create(Context& context, const Options& options) {
  const auto& account = options["ACCOUNT"].as<std::string>();
  std::set<Scope> scopes;
  for (const auto& text : options["scope"].as<std::vector<std::string>>()) {
    const auto scope = parse_scope(text);
    if (!scope) return fail(context, Error::invalid("unknown scope: " + text));
    scopes.insert(*scope);
  }
  if (auto known = context.services.accounts().find(account); !known) return fail(context, known.error());
  auto token = context.services.tokens().create(account, scopes);
  if (!token) return fail(context, token.error());
  if (context.json) {
    Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
    object.set("id", token->id);
    object.set("token", std::string(token->token.reveal()));
    print_json(context.out, object);
  } else {
    context.out << token->token.reveal() << '\n';
    context.err << "This is token " << token->id << "; it is not shown again.\n";
  }
  return EX_OK;
}

int list_tokens(Context& context, const Options&) {
  auto tokens = context.services.tokens().list();
  if (!tokens) return fail(context, tokens.error());
  Poco::JSON::Array array;
  std::vector<std::vector<std::string>> rows;
  for (const auto& token : *tokens) {
    std::string scopes;
    Poco::JSON::Array names;
    for (const auto scope : token.scopes) {
      scopes += (scopes.empty() ? "" : " ") + std::string(to_text(scope));
      names.add(std::string(to_text(scope)));
    }
    Poco::JSON::Object object(Poco::JSON_PRESERVE_KEY_ORDER);
    object.set("id", token.id);
    object.set("account", token.account);
    object.set("scopes", names);
    object.set("created", to_rfc3339(token.created));
    array.add(object);
    rows.push_back({token.id, token.account, scopes, to_rfc3339(token.created)});
  }
  if (context.json) {
    print_json(context.out, array);
  } else {
    print_table(context.out, {"ID", "ACCOUNT", "SCOPES", "CREATED"}, rows);
  }
  return EX_OK;
}

int revoke_token(Context& context, const Options& options) {
  const auto& id = options["ID"].as<std::string>();
  if (auto revoked = context.services.tokens().revoke(id); !revoked) return fail(context, revoked.error());
  return done(context, "Token " + id + " revoked.", outcome("id", id, "revoked"));
}

}  // namespace

std::vector<Subcommand> token_commands() {
  return {
      {"token create",
       "ACCOUNT [--scope submit|keys|operator]...",
       "make an API token; shown once",
       {"ACCOUNT"},
       [](po::options_description& options) {
         options.add_options()("scope",
                               po::value<std::vector<std::string>>()->composing()->default_value({"submit"}, "submit"),
                               "what the token may do (repeatable)");
       },
       create},
      {"token list", "", "list the tokens, not their secrets", {}, {}, list_tokens},
      {"token revoke", "ID", "make a token useless at once", {"ID"}, {}, revoke_token},
  };
}

}  // namespace sealpost::ctl
